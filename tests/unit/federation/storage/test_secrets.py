from __future__ import annotations

import base64

import pytest

from federation.errors import ConfigurationError
from federation.storage.secrets import Sealed, SecretBox, generate_key, read_key

OLD = bytes(range(32))
NEW = bytes(range(1, 33))
PLACE = "connection:1:provisioning_token"


def test_what_was_sealed_opens_again_in_its_place() -> None:
    box = SecretBox(OLD)
    assert box.decrypt(box.encrypt("tökén", context=PLACE), context=PLACE) == "tökén"


def test_the_same_text_never_looks_the_same_twice() -> None:
    box = SecretBox(OLD)
    assert box.encrypt("token", context=PLACE) != box.encrypt("token", context=PLACE)


def test_a_value_moved_to_another_place_does_not_open() -> None:
    box = SecretBox(OLD)
    with pytest.raises(ConfigurationError, match="belongs elsewhere"):
        box.decrypt(box.encrypt("token", context=PLACE), context="connection:2:provisioning_token")


def test_after_a_rotation_old_values_open_and_are_known_as_old() -> None:
    old, both = SecretBox(OLD), SecretBox(NEW, OLD)
    sealed = old.encrypt("token", context=PLACE)
    assert both.decrypt(sealed, context=PLACE) == "token"
    assert not both.is_current(sealed)
    assert both.is_current(both.encrypt("token", context=PLACE))


def test_a_missing_key_is_said_and_named() -> None:
    sealed = SecretBox(OLD).encrypt("token", context=PLACE)
    with pytest.raises(ConfigurationError, match=rf"{PLACE} was sealed with another key"):
        SecretBox(NEW).decrypt(sealed, context=PLACE)


@pytest.mark.parametrize("change", ["", "nonsense", "1.2", "1.{id}.!!", "9.{id}.{body}", "1.{id}.AAAA", "1.{id}.{cut}"])
def test_a_damaged_value_is_a_configuration_error(change: str) -> None:
    box = SecretBox(OLD)
    _, key_id, body = box.encrypt("token", context=PLACE).text.split(".")
    cut = base64.urlsafe_b64encode(base64.urlsafe_b64decode(body)[:-1]).decode()
    with pytest.raises(ConfigurationError):
        box.decrypt(Sealed(change.format(id=key_id, body=body, cut=cut)), context=PLACE)


def test_nothing_shows_in_a_repr() -> None:
    box = SecretBox(OLD)
    sealed = box.encrypt("token", context=PLACE)
    assert sealed.text not in repr(sealed)
    assert base64.b64encode(OLD).decode() not in repr(box)


def test_a_generated_key_can_be_read_with_blanks_around_it() -> None:
    assert len(read_key(f" {generate_key()}\n")) == 32


@pytest.mark.parametrize(
    "text", ["", "c2hvcnQ=", "not base64!", generate_key()[:-4]], ids=["empty", "short", "no base64", "cut"]
)
def test_a_key_that_is_none_is_refused_without_being_echoed(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_key(text)
    assert text == "" or text not in str(caught.value)


def test_a_box_takes_only_keys_of_the_right_length() -> None:
    with pytest.raises(ConfigurationError):
        SecretBox(b"short")
