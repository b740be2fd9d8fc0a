"""Debian's SimpleSAMLphp, as SP and as IdP: the packaged code in an Apache of its own, with PHP as Debian ships it.

The configuration is the package's own `config.php` with the edits its comments ask an administrator to make.
"""

from __future__ import annotations

import json
import secrets
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from federation.saml import certificates
from tests.interop.apache import MODULES as APACHE_MODULES
from tests.interop.apache import ApacheSite
from tests.live import require

CODE = Path("/usr/share/simplesamlphp")
STOCK = Path("/etc/simplesamlphp")
SECRETS = "require_once('/var/lib/simplesamlphp/secrets.inc.php');"

MODULES = {
    "mpm_prefork_module": "mod_mpm_prefork.so",
    "authn_core_module": "mod_authn_core.so",
    "authz_core_module": "mod_authz_core.so",
    "env_module": "mod_env.so",
    "alias_module": "mod_alias.so",
    "mime_module": "mod_mime.so",
    "dir_module": "mod_dir.so",
}
DIRECTIVES = """\
SetEnv SIMPLESAMLPHP_CONFIG_DIR "{base}/etc/simplesamlphp"
Alias /simplesamlphp /usr/share/simplesamlphp/www
DirectoryIndex index.php
<Directory /usr/share/simplesamlphp/www/>
    Require all granted
</Directory>
<FilesMatch ".+\\.php$">
    SetHandler application/x-httpd-php
</FilesMatch>
"""

CONFIG_EDITS = """
$base = '{base}';
$config = array_merge($config, [
    'baseurlpath' => '{url}/simplesamlphp/',
    'certdir' => "$base/cert/",
    'loggingdir' => "$base/log/",
    'datadir' => "$base/data/",
    'tempdir' => "$base/tmp",
    'metadatadir' => "$base/etc/simplesamlphp/metadata/",
    'secretsalt' => '{salt}',
    'auth.adminpassword' => '{salt}',
    'logging.handler' => 'file',
    'logging.level' => SimpleSAML\\Logger::DEBUG,
    'session.cookie.secure' => false,
    'session.cookie.samesite' => null,
    'session.phpsession.savepath' => "$base/data",
    'store.type' => 'sql',
    'store.sql.dsn' => "sqlite:$base/data/store.sq3",
    'enable.saml20-idp' => true,
    'metadata.sources' => [['type' => 'flatfile']{partners}],
]);
$config['module.enable']['exampleauth'] = true;
"""

AUTHENTICATION_SOURCES = """<?php
$config = [
    'admin' => ['core:AdminPassword'],
    'default-sp' => [
        'saml:SP',
        'entityID' => '{url}/sp',
        'idp' => null,
        'privatekey' => 'site.key',
        'certificate' => 'site.crt',
        'sign.authnrequest' => true,
        'sign.logout' => true,
        'redirect.sign' => true,
        'WantAssertionsSigned' => false,
        'signature.algorithm' => 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
        'name' => ['en' => 'A site on SimpleSAMLphp'],
        'attributes' => json_decode('{requested}', true),
    ],
    'people' => ['exampleauth:UserPass'] + json_decode('{people}', true),
];
"""

HOSTED_IDP = """<?php
$metadata['{url}/idp'] = [
    'host' => '__DEFAULT__',
    'privatekey' => 'site.key',
    'certificate' => 'site.crt',
    'auth' => 'people',
    'signature.algorithm' => 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
    'attributes.NameFormat' => 'urn:oasis:names:tc:SAML:2.0:attrname-format:uri',
    'sign.logout' => true,
    'redirect.sign' => true,
    'saml20.sendartifact' => true,
];
"""


class SimpleSAMLphp(ApacheSite):
    """One SimpleSAMLphp that is an SP (`sp_entity_id`) and an IdP (`idp_entity_id`) at once.

    `requested` are the attributes its SP asks for, FriendlyName to Name; `people` those who can sign in at its IdP:
    `"username:password"` to attributes. Partners are connected by `connect` while it runs.
    """

    def __init__(
        self,
        *,
        port: int,
        requested: Mapping[str, str] | None = None,
        people: Mapping[str, Mapping[str, list[str]]] | None = None,
    ) -> None:
        php = sorted(APACHE_MODULES.glob("libphp*.so"))
        require(bool(php) and CODE.exists(), "simplesamlphp is not installed")
        super().__init__(
            port=port,
            user="www-data",
            modules=MODULES | {"php_module": php[-1].name},
            directives=DIRECTIVES,
            ready="/simplesamlphp/module.php/saml/sp/metadata.php/default-sp",
        )
        self.sp_entity_id = f"{self.url}/sp"
        self.idp_entity_id = f"{self.url}/idp"
        self._etc = self.base / "etc/simplesamlphp"
        self._partners: list[str] = []
        for directory in (self._etc, self._etc / "metadata", *map(self.base.joinpath, ("cert", "data", "tmp"))):
            directory.mkdir()
        self._salt = secrets.token_hex(16)
        self._write_config()
        values = {"url": self.url, "requested": json.dumps(requested or {}), "people": json.dumps(people or {})}
        self._write("authsources.php", AUTHENTICATION_SOURCES, values)
        self._write("metadata/saml20-idp-hosted.php", HOSTED_IDP, values)
        key, certificate = certificates.generate("localhost", now=datetime.now(UTC), bits=2048)
        self.base.joinpath("cert/site.key").write_bytes(key)
        self.base.joinpath("cert/site.crt").write_bytes(certificate)

    def _write_config(self) -> None:
        partners = "".join(f", ['type' => 'xml', 'file' => '{self._etc}/{name}']" for name in self._partners)
        values = {"base": str(self.base), "url": self.url, "salt": self._salt, "partners": partners}
        stock = STOCK.joinpath("config.php").read_text().replace(SECRETS, "")
        self._etc.joinpath("config.php").write_text(stock + _filled(CONFIG_EDITS, values))

    def _write(self, name: str, template: str, values: Mapping[str, str]) -> None:
        self._etc.joinpath(name).write_text(_filled(template, values))

    def connect(self, name: str, metadata: bytes) -> None:
        """Trust the partner whose metadata this is; `name` is a short name for the file that keeps it."""
        self._etc.joinpath(f"{name}.xml").write_bytes(metadata)
        self._partners.append(f"{name}.xml")
        self._write_config()

    def sp_metadata(self) -> bytes:
        """The SP's metadata as its own page generates it."""
        return self._fetch("module.php/saml/sp/metadata.php/default-sp")

    def idp_metadata(self) -> bytes:
        """The IdP's metadata as its own page generates it."""
        return self._fetch("saml2/idp/metadata.php")

    def _fetch(self, path: str) -> bytes:
        with urllib.request.urlopen(f"{self.url}/simplesamlphp/{path}", timeout=30) as response:
            return bytes(response.read())

    @property
    def log(self) -> str:
        """What SimpleSAMLphp has logged so far."""
        return self.base.joinpath("log/simplesamlphp.log").read_text(errors="replace")


def _filled(template: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        template = template.replace("{" + name + "}", value)
    return template
