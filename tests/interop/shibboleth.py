"""Debian's Shibboleth SP, run as its administrator would: `mod_shib` in an Apache, beside its daemon `shibd`.

The configuration is the package's own `/etc/shibboleth` with the edits its comments ask an administrator to make.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import urllib.request
from pathlib import Path

from lxml import etree

from tests.interop.apache import ApacheSite
from tests.live import program, require

STOCK = Path("/etc/shibboleth")
CONFIG = "urn:mace:shibboleth:3.0:native:sp:config"

MODULES = {
    "mpm_event_module": "mod_mpm_event.so",
    "authn_core_module": "mod_authn_core.so",
    "authz_core_module": "mod_authz_core.so",
    "authz_user_module": "mod_authz_user.so",
    "mime_module": "mod_mime.so",
    "dir_module": "mod_dir.so",
    "mod_shib": "mod_shib.so",
}
DIRECTIVES = """\
ShibCompatValidUser Off
<Location /Shibboleth.sso>
    AuthType None
    Require all granted
</Location>
<Location /secure>
    AuthType shibboleth
    ShibRequestSetting requireSession 1
    Require shib-session
</Location>
<Location /payroll>
    AuthType shibboleth
    ShibRequestSetting requireSession 1
    ShibRequestSetting authnContextClassRef https://refeds.org/profile/mfa
    Require authnContextClassRef https://refeds.org/profile/mfa
</Location>
"""


class ShibbolethSP(ApacheSite):
    """One Shibboleth SP whose protected page is `/secure/`; `/payroll/` demands a second factor.

    `idp_metadata` and `idp_certificate` (PEM) are what the IdP's administrator handed over: the metadata as published,
    and the certificate it is signed with, which Shibboleth pins. With a `discovery_url` people are asked there.
    With a `responder_url` there is no metadata but what that Metadata Query responder answers.
    """

    def __init__(
        self,
        *,
        port: int,
        idp_entity_id: str,
        idp_metadata: bytes,
        idp_certificate: bytes,
        discovery_url: str | None = None,
        responder_url: str | None = None,
    ) -> None:
        require(STOCK.joinpath("shibboleth2.xml").exists(), "libapache2-mod-shib is not installed")
        super().__init__(
            port=port, user="_shibd", modules=MODULES, directives=DIRECTIVES, ready="/Shibboleth.sso/Metadata"
        )
        self.entity_id = f"{self.url}/shibboleth"
        self._etc = self.base / "etc/shibboleth"
        for directory in (self._etc, self.base / "cache", self.base / "htdocs/secure", self.base / "htdocs/payroll"):
            directory.mkdir()
        for path in ("secure", "payroll"):
            self.base.joinpath(f"htdocs/{path}/index.html").write_text(
                f"<!doctype html><title>{path}</title>Signed in\n"
            )
        self._etc.joinpath("idp-metadata.xml").write_bytes(idp_metadata)
        self._etc.joinpath("idp-signing.crt").write_bytes(idp_certificate)
        self._configure(idp_entity_id, discovery_url, responder_url)
        self._make_keys()
        self.environment |= {
            "SHIBSP_CFGDIR": f"{self.base}/etc",
            "SHIBSP_CONFIG": f"{self._etc}/shibboleth2.xml",
            "SHIBSP_LOGDIR": f"{self.base}/log",
            "SHIBSP_RUNDIR": f"{self.base}/run",
            "SHIBSP_CACHEDIR": f"{self.base}/cache",
            "SHIBSP_LISTENER_ADDRESS": f"{self.base}/run/shibd.sock",
        }

    def _configure(self, idp_entity_id: str, discovery_url: str | None, responder_url: str | None) -> None:
        """Copy the package's configuration and make the edits of an administrator who connects one IdP."""
        for source in STOCK.iterdir():
            if source.suffix != ".pem":
                shutil.copyfile(source, self._etc / source.name)
        tree = etree.parse(self._etc / "shibboleth2.xml")
        application = _find(tree.getroot(), "ApplicationDefaults")
        # requireAuthenticatedEncryption: to this Shibboleth, anything but AES-GCM is an error.
        # signing: whoever asks for a logout or resolves an artifact proves who they are. requireConfidentiality: our
        # side speaks plain http here, on loopback, which Shibboleth's SOAP client takes for a mistake.
        application.attrib.update(
            {
                "entityID": self.entity_id,
                "requireAuthenticatedEncryption": "true",
                "requireConfidentiality": "false",
                "signing": "true",
            }
        )
        _find(application, "Sessions").attrib.update({"handlerSSL": "false", "cookieProps": "http"})
        _find(application, "Sessions/c:Handler[@type='Session']").attrib["showAttributeValues"] = "true"
        sso = _find(application, "Sessions/c:SSO")
        sso.attrib.clear()
        if discovery_url is None:
            sso.attrib["entityID"] = idp_entity_id
        else:
            sso.attrib.update({"discoveryProtocol": "SAMLDS", "discoveryURL": discovery_url})
        origin = 'type="XML" validate="true" path="idp-metadata.xml"'
        if responder_url is not None:
            # ignoreTransport: plain http, on loopback; the signature is what counts.
            origin = f'type="MDQ" ignoreTransport="true" cacheDirectory="mdq" baseUrl="{responder_url}"'
        # Its own logout wants no answer and leaves the person with us; the second one waits for what we say.
        waiting = etree.fromstring(
            f'<LogoutInitiator xmlns="{CONFIG}" type="SAML2" Location="/LogoutAndBack" asynchronous="false"/>'
        )
        _find(application, "Sessions/c:Logout").addnext(waiting)
        _find(application, "AttributeExtractor").addprevious(
            etree.fromstring(
                f"""<MetadataProvider xmlns="{CONFIG}" {origin}>
                      <MetadataFilter type="RequireValidUntil" maxValidityInterval="2419200"/>
                      <MetadataFilter type="Signature" certificate="idp-signing.crt"/>
                    </MetadataProvider>"""
            )
        )
        tree.write(self._etc / "shibboleth2.xml", encoding="utf-8")

        # The map lists every usual attribute and leaves most in comments, to be uncommented where they are wanted.
        attribute_map = self._etc / "attribute-map.xml"
        commented = re.compile(r"<!--\s*(<Attribute .*?)\s*-->", re.DOTALL)
        attribute_map.write_text(commented.sub(r"\1", attribute_map.read_text()))
        for logger in self._etc.glob("*.logger"):
            logger.write_text(logger.read_text().replace("/var/log/shibboleth", f"{self.base}/log"))

    def _make_keys(self) -> None:
        """Make the SP's two key pairs with the package's own tool."""
        who = ["-h", "localhost", "-e", self.entity_id, "-u", "", "-g", ""]
        for use in ("signing", "encrypt"):
            subprocess.run(
                [program("shib-keygen"), "-b", "-o", self._etc, "-n", f"sp-{use}", *who],
                check=True,
                capture_output=True,
                timeout=120,
            )

    def start_before(self) -> None:
        """Start shibd."""
        socket = self.base / "run/shibd.sock"
        shibd = [program("shibd"), "-F", "-f", "-p", f"{self.base}/run/shibd.pid", "-c", f"{self._etc}/shibboleth2.xml"]
        self.start(shibd, ready=socket.exists, log="shibd.log")

    def metadata(self) -> bytes:
        """The SP's metadata as its own metadata handler generates it."""
        with urllib.request.urlopen(f"{self.url}/Shibboleth.sso/Metadata", timeout=10) as response:
            return bytes(response.read())

    def metadata_of_the_command(self) -> bytes:
        """The SP's metadata as the package's command `shib-metagen` writes it, for plain http."""
        host = self.url.removeprefix("http://")
        made = subprocess.run(
            [
                program("shib-metagen"),
                "-2",
                "-L",
                "-c",
                self._etc / "sp-encrypt-cert.pem",
                "-n",
                host,
                "-e",
                self.entity_id,
            ],
            check=True,
            capture_output=True,
            timeout=30,
        )
        return made.stdout

    @property
    def log(self) -> str:
        """What shibd has logged so far."""
        return self.base.joinpath("log/shibd.log").read_text(errors="replace")


def _find(element: etree._Element, path: str) -> etree._Element:
    """The one element at `path`, whose steps are Shibboleth's configuration elements."""
    found = element.find(f"c:{path}", {"c": CONFIG})
    assert found is not None, f"Debian's shibboleth2.xml has no {path}"
    return found
