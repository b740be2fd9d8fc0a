"""The proxy settings of docs/how-to/deploy.md, as the programs themselves read them."""

from __future__ import annotations

import re
import subprocess
from configparser import ConfigParser
from datetime import UTC, datetime
from pathlib import Path

import pytest
from waitress.adjustments import Adjustments

from federation.saml import certificates
from tests.house.repository import ROOT, text
from tests.live import SYSTEM_PATH, program

NGINX = """
pid {base}/nginx.pid;
error_log {base}/error.log;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {base}; proxy_temp_path {base};
    fastcgi_temp_path {base}; uwsgi_temp_path {base}; scgi_temp_path {base};
    {snippet}
}}
"""
APACHE = """
ServerRoot {base}
ServerName localhost
PidFile {base}/apache.pid
ErrorLog {base}/error.log
{modules}
{snippet}
"""
APACHE_MODULES = {
    "mpm_event_module": "mpm_event",
    "authz_core_module": "authz_core",
    "socache_shmcb_module": "socache_shmcb",
    "ssl_module": "ssl",
    "proxy_module": "proxy",
    "proxy_http_module": "proxy_http",
    "headers_module": "headers",
}


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A folder with the certificate and key that the snippets name."""
    key, certificate = certificates.generate("login.example.org", now=datetime.now(UTC), bits=2048)
    (tmp_path / "login.example.org.key").write_bytes(key)
    (tmp_path / "login.example.org.crt").write_bytes(certificate)
    return tmp_path


def snippet(language: str, base: Path) -> str:
    (block,) = re.findall(rf"(?ms)^```{language}\n(.*?)^```", text(Path("docs/how-to/deploy.md")) or "")
    return re.sub(r"/etc/ssl/(?:certs|private)/", f"{base}/", block)


def check(*arguments: str | Path) -> None:
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, env={"PATH": SYSTEM_PATH})
    assert done.returncode == 0, done.stderr


def test_nginx_accepts_its_part(base):
    config = base / "nginx.conf"
    config.write_text(NGINX.format(base=base, snippet=snippet("nginx", base)))
    check(program("nginx"), "-t", "-q", "-p", base, "-c", config)


def test_apache_accepts_its_part(base):
    modules = [f"LoadModule {name} /usr/lib/apache2/modules/mod_{file}.so" for name, file in APACHE_MODULES.items()]
    config = base / "apache.conf"
    config.write_text(APACHE.format(base=base, modules="\n".join(modules), snippet=snippet("apache", base)))
    check(program("apache2"), "-t", "-f", config)


@pytest.mark.parametrize(
    ("file", "server"),
    [
        ("development.ini", "main"),
        ("development.ini", "sp"),
        ("development.ini", "learning"),
        ("production.ini", "main"),
        ("production.ini", "sp"),
    ],
)
def test_waitress_accepts_its_part_and_listens_on_loopback_alone(file, server):
    ini = ConfigParser(defaults={"here": str(ROOT)})
    ini.read(ROOT / file)
    settings = {name: value for name, value in ini.items(f"server:{server}") if name not in {*ini.defaults(), "use"}}
    adjustments = Adjustments(**settings)
    assert not adjustments.ident
    assert {address for _, _, _, (address, *_) in adjustments.listen} == {"127.0.0.1"}
    assert bool(adjustments.trusted_proxy) == (file == "production.ini")
