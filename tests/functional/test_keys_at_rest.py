"""Private keys at rest: sealed with a secret from the environment or a file, and a site that starts with them."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest
from paste.deploy import loadapp
from webtest import TestApp

from federation.cli.main import run

IDP = """\
[app:main]
use = egg:saml-federation#idp
idp.public_url = http://localhost:6543
idp.allow_http_loopback = true
idp.scope = example.org
idp.database_url = sqlite:///%(here)s/site.sqlite
idp.keys_directory = %(here)s/keys
idp.keys_secret = SECRET
"""
SP = """\
[app:sp]
use = egg:saml-federation#sp
sp.public_url = http://localhost:6544
sp.allow_http_loopback = true
sp.site_name = Intranet
sp.database_url = sqlite:///%(here)s/site.sqlite
sp.keys_directory = %(here)s/keys
sp.keys_secret = SECRET
"""
SECRET, OTHER = (base64.b64encode(bytes([number]) * 32).decode() for number in (7, 8))


def starts(ini: Path) -> bytes:
    """The signed metadata of the site, started as a server starts it."""
    return bytes(
        TestApp(loadapp(f"config:{ini}", name="sp" if "[app:sp]" in ini.read_text() else "main"))
        .get("/saml/metadata")
        .body
    )


@pytest.mark.parametrize(("app", "text", "where"), [("idp", IDP, "env"), ("idp", IDP, "file"), ("sp", SP, "file")])
def test_keys_are_sealed_with_a_secret_from_the_environment_or_a_file_and_the_site_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], app: str, text: str, where: str
) -> None:
    secret = tmp_path / "secret"

    def tell(value: str) -> None:
        monkeypatch.setenv("FEDERATION_TEST_KEYS_SECRET", value)
        secret.write_text(f"{value}\n")

    ini = tmp_path / "site.ini"
    ini.write_text(text.replace("SECRET", "env:FEDERATION_TEST_KEYS_SECRET" if where == "env" else "file:secret"))
    tell(SECRET)
    assert run([app, "-c", str(ini), "upgrade"]) == 0
    assert run([app, "-c", str(ini), "enable"]) == 0
    private = [*(tmp_path / "keys").glob("*.key*")]
    assert len(private) >= 2
    for path in private:
        assert path.read_bytes().startswith(b"1.")
        assert path.stat().st_mode & 0o777 == 0o600
    assert b"<md:EntityDescriptor" in starts(ini)
    # Another secret opens nothing, no secret neither: the site does not start, and says why in a sentence.
    for wrong, said in ((OTHER, "sealed with another key"), ("", "keys_secret")):
        tell(wrong)
        with pytest.raises(SystemExit, match=said):
            starts(ini)
    # The secret changes: both are named for a while, and what was sealed with the first is sealed anew.
    tell(f"{OTHER} {SECRET}")
    before = private[0].read_bytes()
    assert b"<md:EntityDescriptor" in starts(ini)
    assert run([app, "-c", str(ini), "keys", "seal"]) == 0
    assert private[0].read_bytes() != before
    tell(OTHER)
    assert b"<md:EntityDescriptor" in starts(ini)
    # Whoever else may read a key file, sealed or not, keeps the site from starting.
    private[0].chmod(0o640)
    with pytest.raises(SystemExit, match="chmod 600"):
        starts(ini)
    private[0].chmod(0o600)
    # A retired key is gone from the disk.
    capsys.readouterr()
    assert run([app, "-c", str(ini), "keys", "prepare", "signing"]) == 0
    name = capsys.readouterr().out.split()[1].rstrip(",")
    assert {path.name for path in (tmp_path / "keys").glob(f"{name}.*")} == {f"{name}.key.pem", f"{name}.crt.pem"}
    for step in ("publish", "promote"):
        assert run([app, "-c", str(ini), "keys", step, name]) == 0, step
    assert run([app, "-c", str(ini), "keys", "retire", "signing"]) == 0
    capsys.readouterr()
    assert run([app, "-c", str(ini), "metrics"]) == 0
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("federation_key_expires_in")]
    assert sorted(line.partition('"')[2].partition('"')[0] for line in told) == ["encryption", name]
    assert sorted(os.listdir(tmp_path / "keys")) == sorted(
        {".ring.lock", "ring.json", f"{name}.key.pem", f"{name}.crt.pem", "encryption.key.pem", "encryption.crt.pem"}
        | ({"secret.key"} if app == "idp" else set())
    )
    assert b"<md:EntityDescriptor" in starts(ini)
