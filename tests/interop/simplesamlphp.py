"""Debian's SimpleSAMLphp, run as its administrator would: an Apache that hands PHP to a php-fpm of its own.

One installation can be an identity provider, a service provider, or both. The configuration is the package's own
`config.php` with the entries that its documentation asks an administrator to set; the partner's metadata is read as it
was published, through the package's XML source.
"""

from __future__ import annotations

import shutil
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from tests.factories import key_pair
from tests.interop.apache import ApacheSite
from tests.live import program, require

PACKAGE = Path("/usr/share/simplesamlphp")
STOCK = Path("/etc/simplesamlphp")
PASSWORD = "simple-and-secret"

MODULES = {
    "mpm_event_module": "mod_mpm_event.so",
    "authn_core_module": "mod_authn_core.so",
    "authz_core_module": "mod_authz_core.so",
    "alias_module": "mod_alias.so",
    "env_module": "mod_env.so",
    "mime_module": "mod_mime.so",
    "dir_module": "mod_dir.so",
    "proxy_module": "mod_proxy.so",
    "proxy_fcgi_module": "mod_proxy_fcgi.so",
}
DIRECTIVES = f"""\
Alias /simplesaml {PACKAGE}/www
SetEnv SIMPLESAMLPHP_CONFIG_DIR "{{base}}/etc/simplesamlphp"
AcceptPathInfo On
DirectoryIndex index.php
ProxyErrorOverride Off
<Directory {PACKAGE}/www>
    Require all granted
</Directory>
<FilesMatch "\\.php$">
    SetHandler "proxy:unix:{{base}}/run/php.sock|fcgi://localhost"
</FilesMatch>
"""

POOL = """\
[global]
error_log = {base}/log/php-fpm.log
daemonize = no
[www]
listen = {base}/run/php.sock
pm = static
pm.max_children = {workers}
clear_env = no
catch_workers_output = yes
php_admin_value[error_log] = {base}/log/php.log
php_admin_flag[log_errors] = on
php_admin_value[session.save_path] = {base}/sessions
"""

# The session lives in SQLite and not in PHP's files, so that a logout can end it without the browser's cookie.
CONFIG = """\
<?php
require '{stock}/config.php';
$config = [
    'baseurlpath' => '{url}/simplesaml/',
    'certdir' => '{base}/etc/simplesamlphp/cert/',
    'loggingdir' => '{base}/log/',
    'datadir' => '{base}/data/',
    'tempdir' => '{base}/tmp',
    'metadatadir' => '{base}/etc/simplesamlphp/metadata/',
    'secretsalt' => 'not-so-secret-salt-of-one-test-run',
    'auth.adminpassword' => '{password}',
    'logging.handler' => 'file',
    'logging.level' => SimpleSAML\\Logger::DEBUG,
    'debug' => ['saml' => false, 'backtraces' => true, 'validatexml' => true],
    'enable.saml20-idp' => true,
    'enable.http_post' => true,
    'module.enable' => ['exampleauth' => true, 'core' => true, 'saml' => true],
    'session.cookie.secure' => false,
    'session.cookie.samesite' => null,
    'session.cookie.name' => 'SimpleSAMLSessionID{port}',
    'session.authtoken.cookiename' => 'SimpleSAMLAuthToken{port}',
    'language.cookie.secure' => false,
    'language.cookie.samesite' => null,
    'store.type' => 'sql',
    'store.sql.dsn' => 'sqlite:{base}/data/store.sqlite',
    'admin.checkforupdates' => false,
    'metadata.sources' => [['type' => 'flatfile']{sources}],
    'metadata.sign.enable' => true,
    'metadata.sign.privatekey' => 'site.key',
    'metadata.sign.certificate' => 'site.crt',
    'metadata.sign.algorithm' => 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
    {options}
] + $config;
"""

AUTHENTICATION = """\
<?php
$config = [
    'admin' => ['core:AdminPassword'],
    'example-userpass' => ['exampleauth:UserPass', {people}],
    'default-sp' => [
        'saml:SP',
        'entityID' => '{url}/sp',
        'idp' => {idp},
        'privatekey' => 'site.key',
        'certificate' => 'site.crt',
        'signature.algorithm' => 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
        'sign.authnrequest' => true,
        'sign.logout' => true,
        'redirect.sign' => true,
        'redirect.validate' => true,
        'WantAssertionsSigned' => false,
        'NameIDPolicy' => null,
        {sp_options}
    ],
];
"""

HOSTED_IDP = """\
<?php
$metadata['{url}/idp'] = [
    'host' => '__DEFAULT__',
    'privatekey' => 'site.key',
    'certificate' => 'site.crt',
    'auth' => 'example-userpass',
    'signature.algorithm' => 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
    'saml20.sign.response' => true,
    'saml20.sign.assertion' => true,
    'sign.logout' => true,
    'redirect.sign' => true,
    'redirect.validate' => true,
    'scope' => ['example.com'],
    'attributes.NameFormat' => 'urn:oasis:names:tc:SAML:2.0:attrname-format:uri',
    'authproc' => [100 => ['class' => 'core:AttributeMap', 'name2oid']],
    {idp_options}
];
"""

PROTECTED = f"""\
<?php
require '{PACKAGE}/lib/_autoload.php';
$auth = new SimpleSAML\\Auth\\Simple('default-sp');
if (isset($_GET['logout'])) {{ $auth->logout('/signed-out.html'); }}
$options = array_intersect_key($_GET, ['ForceAuthn' => 1, 'isPassive' => 1, 'saml:AuthnContextClassRef' => 1]);
if (isset($_GET['state'])) {{
    header('Content-Type: application/json');
    die(json_encode(['signed_in' => $auth->isAuthenticated()]));
}}
$auth->requireAuth($options);
header('Content-Type: application/json');
$name = $auth->getAuthData('saml:sp:NameID');
echo json_encode(['attributes' => $auth->getAttributes(), 'name_id' => $name->getValue(),
    'format' => $name->getFormat(), 'index' => $auth->getAuthData('saml:sp:SessionIndex'),
    'context' => $auth->getAuthData('saml:sp:AuthnContext'), 'instant' => $auth->getAuthData('AuthnInstant')]);
"""


@dataclass(frozen=True)
class Partner:
    """Whom the installation federates with: its published metadata, and the fingerprint (hex) of who signed it."""

    metadata: bytes
    fingerprint: str


@dataclass(frozen=True)
class Options:
    """Entries of SimpleSAMLphp's own configuration, as PHP source: `'name' => value, ...`."""

    sp: str = ""
    idp: str = ""
    config: str = ""
    workers: int = 2
    people: dict[str, dict[str, str]] = field(default_factory=dict)


class SimpleSAMLphp(ApacheSite):
    """One installation. Its protected page is `/secure.php`, which answers what the session knows, as JSON."""

    def __init__(self, *, port: int, idp: str | None, partners: tuple[Partner, ...] = (), options: Options) -> None:
        require(PACKAGE.joinpath("www").exists(), "simplesamlphp is not installed")
        super().__init__(
            port=port, user="www-data", modules=MODULES, directives=DIRECTIVES, ready="/simplesaml/module.php/core/"
        )
        self.sp_entity_id = f"{self.url}/sp"
        self.idp_entity_id = f"{self.url}/idp"
        etc = self.base / "etc/simplesamlphp"
        for directory in (etc / "cert", etc / "metadata", *(self.base / name for name in ("data", "tmp", "sessions"))):
            directory.mkdir(parents=True)
        names = {"url": self.url, "base": self.base, "port": port, "stock": STOCK, "password": PASSWORD}
        sources = ""
        for number, partner in enumerate(partners):
            file = etc / f"metadata/partner-{number}.xml"
            file.write_bytes(partner.metadata)
            sources += f", ['type' => 'xml', 'file' => '{file}', 'validateFingerprint' => '{partner.fingerprint}']"
        private, certificate = key_pair("simplesamlphp")
        people = ", ".join(
            f"'{name}:{PASSWORD}' => [{', '.join(f'{key!r} => [{value!r}]' for key, value in attributes.items())}]"
            for name, attributes in options.people.items()
        )
        texts = {
            "config.php": CONFIG.format(**names, sources=sources, options=options.config),
            "authsources.php": AUTHENTICATION.format(
                **names, idp="null" if idp is None else f"'{idp}'", sp_options=options.sp, people=people
            ),
            "metadata/saml20-idp-hosted.php": HOSTED_IDP.format(**names, idp_options=options.idp),
            "cert/site.key": private.decode(),
            "cert/site.crt": certificate.decode(),
        }
        for name, text in texts.items():
            etc.joinpath(name).write_text(text)
        etc.joinpath("attributemap").symlink_to(STOCK / "attributemap")
        self.base.joinpath("etc/php-fpm.conf").write_text(POOL.format(**names, workers=options.workers))
        self.base.joinpath("htdocs/secure.php").write_text(PROTECTED)
        self.base.joinpath("htdocs/signed-out.html").write_text("<!doctype html><title>Signed out</title>Signed out\n")

    def start_before(self) -> None:
        """Start php-fpm."""
        name = next((each.name for each in sorted(Path("/usr/sbin").glob("php-fpm*"))), "php-fpm")
        require(shutil.which("php") is not None, "php is not installed")
        socket = self.base / "run/php.sock"
        php = [program(name), "--nodaemonize", "--fpm-config", f"{self.base}/etc/php-fpm.conf"]
        self.environment |= {"SIMPLESAMLPHP_CONFIG_DIR": f"{self.base}/etc/simplesamlphp"}
        self.start(php, ready=socket.exists, log="php-fpm.log")

    def sp_metadata(self) -> bytes:
        """The SP's metadata as SimpleSAMLphp generates it."""
        return self._fetch("/simplesaml/module.php/saml/sp/metadata.php/default-sp")

    def idp_metadata(self) -> bytes:
        """The IdP's metadata as SimpleSAMLphp generates it."""
        return self._fetch("/simplesaml/saml2/idp/metadata.php")

    def _fetch(self, path: str) -> bytes:
        with urllib.request.urlopen(self.url + path, timeout=20) as response:
            return bytes(response.read())

    @property
    def log(self) -> str:
        """What SimpleSAMLphp has logged so far."""
        return "\n".join(
            path.read_text(errors="replace")
            for path in (self.base / "log/simplesamlphp.log", self.base / "log/php.log")
            if path.exists()
        )
