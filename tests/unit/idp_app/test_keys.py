"""Key files: made once, for their user alone, and never replaced."""

from __future__ import annotations

from pathlib import Path

import pytest

from federation.errors import ConfigurationError
from federation.saml import certificates
from idp_app import keys
from tests.idp_factories import NOW, make_installation


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory with keys that were made before."""
    made = make_installation(tmp_path)
    made.engine.dispose()
    return made.settings.keys_directory


def test_what_is_missing_is_made_for_its_user_alone(tmp_path: Path):
    made = keys.create_missing(tmp_path / "new" / "keys", common_name="idp.example.org", now=NOW)
    assert made == (
        "signing.key.pem",
        "signing.crt.pem",
        "encryption.key.pem",
        "encryption.crt.pem",
        "secret.key",
    )
    assert (tmp_path / "new" / "keys").stat().st_mode & 0o077 == 0
    for path in (tmp_path / "new" / "keys").iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
    assert keys.load(tmp_path / "new" / "keys").fingerprint


def test_what_is_there_is_left_alone(directory: Path):
    before = {path: path.read_bytes() for path in directory.iterdir()}
    assert keys.create_missing(directory, common_name="x", now=NOW) == ()
    assert before == {path: path.read_bytes() for path in directory.iterdir()}


@pytest.mark.parametrize("half", ["signing.key.pem", "signing.crt.pem", "encryption.key.pem"])
def test_half_a_pair_is_not_completed_with_a_stranger(directory: Path, half: str):
    (directory / half).unlink()
    with pytest.raises(ConfigurationError, match="only one of"):
        keys.create_missing(directory, common_name="x", now=NOW)


def test_a_directory_that_cannot_be_written_is_one_sentence(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="keys cannot be made in"):
        keys.create_missing(tmp_path / "file" / "keys", common_name="x", now=NOW)


@pytest.mark.parametrize(
    "name", ["signing.key.pem", "signing.crt.pem", "encryption.key.pem", "encryption-old.crt.pem", "secret.key"]
)
def test_a_missing_file_is_named(directory: Path, name: str):
    (directory / name).unlink()
    with pytest.raises(ConfigurationError, match=f"{name} is missing"):
        keys.load(directory)


@pytest.mark.parametrize("name", ["signing.key.pem", "encryption.key.pem", "encryption-old.key.pem", "secret.key"])
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_private_file_that_others_can_open_is_not_used(directory: Path, name: str, mode: int):
    (directory / name).chmod(mode)
    with pytest.raises(ConfigurationError, match="open to other users"):
        keys.load(directory)


@pytest.mark.parametrize("name", ["signing.key.pem", "signing.crt.pem", "encryption.key.pem", "secret.key"])
def test_a_file_that_is_no_key_is_one_sentence(directory: Path, name: str):
    (directory / name).write_bytes(b"no key \xff")
    with pytest.raises(ConfigurationError, match="cannot be used"):
        keys.load(directory)


def test_each_purpose_has_a_key_of_its_own(directory: Path):
    loaded = keys.load(directory)
    assert len({loaded.derive("a"), loaded.derive("b"), loaded.root_secret}) == 3
    assert loaded.derive("a") == keys.load(directory).derive("a")
    assert loaded.root_secret.hex() not in repr(loaded)


def test_every_encryption_key_is_used_the_one_without_a_name_first(directory: Path):
    loaded = keys.load(directory)
    assert [key.public_key for key in loaded.decryption] == [
        certificates.public_key_of(certificate) for certificate in loaded.encryption_certificates
    ]
    assert len(set(loaded.encryption_certificates)) == 2
    (directory / "encryption-old.key.pem").unlink()
    assert keys.load(directory).encryption_certificates == loaded.encryption_certificates[:1]
