"""This site's own keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from federation.errors import ConfigurationError
from federation.saml import certificates
from sp_app import keys
from tests.factories import key_pair
from tests.sp_factories import NOW, write_keys


@pytest.fixture(autouse=True)
def _quick_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Making RSA keys takes long; which they are does not matter here."""
    made = key_pair("quick")
    generate = certificates.generate
    monkeypatch.setattr(
        certificates, "generate", lambda name, **more: made if name == "Intranet" else generate(name, **more)
    )


def test_missing_keys_are_made_for_our_eyes_only(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    assert keys.make_missing(folder, common_name="Intranet", now=NOW) == ("signing", "encryption")
    assert folder.stat().st_mode & 0o777 == 0o700
    for purpose in keys.PURPOSES:
        assert (folder / f"{purpose}.key.pem").stat().st_mode & 0o777 == 0o600
    assert keys.load(folder).fingerprint.count(":") == 31


def test_keys_that_are_there_are_never_touched(tmp_path: Path) -> None:
    write_keys(tmp_path / "keys")
    before = {path: path.read_bytes() for path in (tmp_path / "keys").iterdir()}
    assert keys.make_missing(tmp_path / "keys", common_name="Intranet", now=NOW) == ()
    assert {path: path.read_bytes() for path in (tmp_path / "keys").iterdir()} == before


def test_a_half_made_pair_is_made_again(tmp_path: Path) -> None:
    write_keys(tmp_path / "keys")
    (tmp_path / "keys" / "signing.key.pem").unlink()
    assert keys.make_missing(tmp_path / "keys", common_name="Intranet", now=NOW) == ("signing",)


def test_missing_keys_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="missing: run the upgrade command first"):
        keys.load(tmp_path)


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    write_keys(tmp_path / "keys")
    (tmp_path / "keys" / "signing.key.pem").chmod(0o644)
    with pytest.raises(ConfigurationError, match="mode 0600"):
        keys.load(tmp_path / "keys")


def test_keys_do_not_show_themselves(tmp_path: Path) -> None:
    write_keys(tmp_path / "keys")
    assert "PRIVATE" not in repr(keys.load(tmp_path / "keys"))


def test_further_encryption_keys_stand_behind_the_first(tmp_path: Path) -> None:
    write_keys(tmp_path / "keys", "encryption-2027", "encryption-2025")
    loaded = keys.load(tmp_path / "keys")
    expected = [key_pair(f"sp-{name}") for name in ("encryption", "encryption-2025", "encryption-2027")]
    assert list(loaded.encryption_certificates) == [certificates.load_certificate(public) for _, public in expected]
    assert len(loaded.decryption) == 3
