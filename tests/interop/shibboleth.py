"""Debian's Shibboleth SP, run as its administrator would: `mod_shib` in an own Apache, beside an own `shibd`.

The configuration is the package's own `/etc/shibboleth` with the edits its comments ask an administrator to make; both
programs run on loopback out of one temporary directory and touch nothing of the machine's own Apache or Shibboleth.
Apache refuses to serve as root, so root hands both programs to the package's own user.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import tempfile
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

from lxml import etree

from tests.live import SYSTEM_PATH, Process, answers, program, require

STOCK = Path("/etc/shibboleth")
MODULES = Path("/usr/lib/apache2/modules")
SERVICE_USER = "_shibd"
CONFIG = "urn:mace:shibboleth:3.0:native:sp:config"

APACHE = """\
ServerRoot "{base}"
DefaultRuntimeDir "{base}/run"
PidFile "{base}/run/apache2.pid"
Mutex "file:{base}/run" default
ServerName http://localhost:{port}
UseCanonicalName On
Listen 127.0.0.1:{port}
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authn_core_module {modules}/mod_authn_core.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule authz_user_module {modules}/mod_authz_user.so
LoadModule mime_module {modules}/mod_mime.so
LoadModule dir_module {modules}/mod_dir.so
LoadModule mod_shib {modules}/mod_shib.so
StartServers 1
ThreadsPerChild 8
MaxRequestWorkers 8
TypesConfig /etc/mime.types
ErrorLog "{base}/log/apache-error.log"
DocumentRoot "{base}/htdocs"
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
"""


class ShibbolethSP:
    """One Shibboleth SP at `http://localhost:<port>`. A context manager: leaving stops both programs and tidies up.

    `idp_metadata` and `idp_certificate` (PEM) are what the IdP's administrator handed over: the metadata as published,
    and the certificate it is signed with, which Shibboleth pins.
    """

    def __init__(self, *, port: int, idp_entity_id: str, idp_metadata: bytes, idp_certificate: bytes) -> None:
        require(STOCK.joinpath("shibboleth2.xml").exists(), "libapache2-mod-shib is not installed")
        self.url = f"http://localhost:{port}"
        self.entity_id = f"{self.url}/shibboleth"
        self.user = SERVICE_USER if os.geteuid() == 0 else None
        self.base = Path(tempfile.mkdtemp(prefix="shibboleth-sp-"))
        self.config = self.base / "etc/shibboleth"
        for directory in ("etc/shibboleth", "log", "run", "cache", "htdocs/secure"):
            self.base.joinpath(directory).mkdir(parents=True)
        self._configure(idp_entity_id, idp_metadata, idp_certificate)
        self.base.joinpath("apache2.conf").write_text(APACHE.format(base=self.base, port=port, modules=MODULES))
        self.base.joinpath("htdocs/secure/index.html").write_text(
            "<!doctype html><title>Secure</title><h1>Signed in</h1>\n"
        )
        self._make_keys()
        if self.user is not None:
            self._hand_over(self.user)
        self._processes: list[Process] = []

    def _configure(self, idp_entity_id: str, idp_metadata: bytes, idp_certificate: bytes) -> None:
        """Copy the package's configuration and make the edits of an administrator who connects one IdP."""
        etc = self.config
        for source in STOCK.iterdir():
            if source.suffix != ".pem":
                shutil.copyfile(source, etc / source.name)
        etc.joinpath("idp-metadata.xml").write_bytes(idp_metadata)
        etc.joinpath("idp-signing.crt").write_bytes(idp_certificate)

        tree = etree.parse(etc / "shibboleth2.xml")
        application = tree.find(f"{{{CONFIG}}}ApplicationDefaults")
        assert application is not None
        # requireAuthenticatedEncryption: anything but AES-GCM is an error to this Shibboleth.
        application.attrib.update({"entityID": self.entity_id, "requireAuthenticatedEncryption": "true"})
        sessions = application.find(f"{{{CONFIG}}}Sessions")
        assert sessions is not None
        sessions.attrib.update({"handlerSSL": "false", "cookieProps": "http"})
        sso = sessions.find(f"{{{CONFIG}}}SSO")
        assert sso is not None
        sso.attrib.clear()
        sso.attrib["entityID"] = idp_entity_id
        for handler in sessions.iterfind(f"{{{CONFIG}}}Handler[@type='Session']"):
            handler.attrib["showAttributeValues"] = "true"
        provider = etree.Element(
            f"{{{CONFIG}}}MetadataProvider", {"type": "XML", "validate": "true", "path": "idp-metadata.xml"}
        )
        for filter_ in (
            {"type": "RequireValidUntil", "maxValidityInterval": "2419200"},
            {"type": "Signature", "certificate": "idp-signing.crt"},
        ):
            etree.SubElement(provider, f"{{{CONFIG}}}MetadataFilter", filter_)
        extractor = application.find(f"{{{CONFIG}}}AttributeExtractor")
        assert extractor is not None
        application.insert(list(application).index(extractor), provider)
        tree.write(etc / "shibboleth2.xml", encoding="utf-8")

        # The map lists every usual attribute and leaves most in comments, to be uncommented where they are wanted.
        attribute_map = etc / "attribute-map.xml"
        commented = re.compile(r"<!--\s*(<Attribute .*?)\s*-->", re.DOTALL)
        attribute_map.write_text(commented.sub(r"\1", attribute_map.read_text()))
        for logger in etc.glob("*.logger"):
            logger.write_text(logger.read_text().replace("/var/log/shibboleth", str(self.base / "log")))

    def _make_keys(self) -> None:
        """Make the SP's two key pairs with the package's own tool."""
        who = ["-h", "localhost", "-e", self.entity_id, "-u", "", "-g", ""]
        for use in ("signing", "encrypt"):
            subprocess.run(
                [program("shib-keygen"), "-b", "-o", self.config, "-n", f"sp-{use}", *who],
                check=True,
                capture_output=True,
                timeout=120,
            )

    def _hand_over(self, user: str) -> None:
        """Give the directory to `user`, who is to run the programs."""
        require(any(entry.pw_name == user for entry in pwd.getpwall()), f"the package's user {user} does not exist")
        for path in (self.base, *self.base.rglob("*")):
            shutil.chown(path, user, user)

    def __enter__(self) -> Self:
        environment = {
            "PATH": SYSTEM_PATH,
            "LC_ALL": "C.UTF-8",
            "SHIBSP_CFGDIR": str(self.base / "etc"),
            "SHIBSP_CONFIG": str(self.config / "shibboleth2.xml"),
            "SHIBSP_LOGGING": str(self.config / "shibd.logger"),
            "SHIBSP_LOGDIR": str(self.base / "log"),
            "SHIBSP_RUNDIR": str(self.base / "run"),
            "SHIBSP_CACHEDIR": str(self.base / "cache"),
            "SHIBSP_LISTENER_ADDRESS": str(self.base / "run/shibd.sock"),
        }
        etc, run = self.config, self.base / "run"
        shibd = [program("shibd"), "-F", "-f", "-p", f"{run}/shibd.pid", "-c", f"{etc}/shibboleth2.xml"]
        apache = [program("apache2"), "-d", f"{self.base}", "-f", f"{self.base}/apache2.conf", "-D", "FOREGROUND"]
        try:
            for name, arguments, ready, log in (
                ("shibd", shibd, lambda: self.base.joinpath("run/shibd.sock").exists(), "shibd.log"),
                ("apache", apache, lambda: answers(f"{self.url}/Shibboleth.sso/Metadata"), "apache-error.log"),
            ):
                process = Process(
                    arguments, log=self.base / f"log/{name}.out", further_logs=[self.base / "log" / log],
                    cwd=self.base, env=environment, user=self.user,
                )  # fmt: skip
                self._processes.append(process)
                process.wait_until(ready, f"{name} was ready")
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        for process in reversed(self._processes):
            process.stop()
        shutil.rmtree(self.base)

    def metadata(self) -> bytes:
        """The SP's metadata as its own metadata handler generates it."""
        with urllib.request.urlopen(f"{self.url}/Shibboleth.sso/Metadata", timeout=10) as response:
            return bytes(response.read())

    def metadata_of_the_command(self) -> bytes:
        """The SP's metadata as the package's command `shib-metagen` writes it, for plain http."""
        certificate = self.config / "sp-encrypt-cert.pem"
        host = self.url.removeprefix("http://")
        made = subprocess.run(
            [program("shib-metagen"), "-2", "-L", "-c", certificate, "-n", host, "-e", self.entity_id],
            check=True, capture_output=True, timeout=30,
        )  # fmt: skip
        return made.stdout

    @property
    def log(self) -> str:
        """What shibd has logged so far."""
        return self.base.joinpath("log/shibd.log").read_text(errors="replace")
