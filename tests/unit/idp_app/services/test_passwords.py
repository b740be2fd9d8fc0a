"""Passwords: argon2id, one answer for everybody who may not in."""

from __future__ import annotations

import pytest

from idp_app.errors import InvalidInput
from idp_app.installation import Installation
from idp_app.services.passwords import MAX_LENGTH, Passwords


def test_a_password_fits_its_hash_and_no_other(installation: Installation):
    encoded = installation.passwords.hash("correct horse")
    assert encoded.startswith("$argon2id$")
    assert installation.passwords.verify(encoded, "correct horse")
    assert not installation.passwords.verify(encoded, "Correct horse")
    assert encoded != installation.passwords.hash("correct horse")


def test_whoever_has_no_hash_is_verified_against_one_that_nothing_fits(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    passwords = Passwords(installation.settings)
    seen = []
    verify = passwords._hasher.verify

    class Watched:
        def verify(self, encoded: str, password: str) -> bool:
            seen.append(encoded)
            return verify(encoded, password)

    monkeypatch.setattr(passwords, "_hasher", Watched())
    assert not passwords.verify(None, "anything")
    assert seen == [passwords._nobody]


@pytest.mark.parametrize("password", ["", "short", "x" * (MAX_LENGTH + 1)])
def test_a_new_password_has_a_length(installation: Installation, password: str):
    with pytest.raises(InvalidInput):
        installation.passwords.hash(password)


def test_two_keyboards_type_the_same_password(installation: Installation):
    assert installation.passwords.verify(installation.passwords.hash("café au lait"), "cafe\u0301 au lait")


@pytest.mark.parametrize("encoded", ["", "x", "$argon2id$v=19$m=8", "$2b$12$" + "a" * 53])
def test_a_hash_that_is_none_fits_nothing(installation: Installation, encoded: str):
    assert not installation.passwords.verify(encoded, "anything")


def test_a_hash_made_with_other_parameters_is_outdated(installation: Installation):
    encoded = installation.passwords.hash("correct horse")
    stronger = Passwords(installation.settings.model_copy(update={"password_time_cost": 2}))
    assert not installation.passwords.is_outdated(encoded)
    assert stronger.is_outdated(encoded)
    assert stronger.verify(encoded, "correct horse")


def test_any_input_gets_an_answer(installation: Installation):
    for password in ("\ud800", "\x00", "x" * 100_000):
        assert not installation.passwords.verify(None, password)
