"""Texts from people and files, in one form and within limits."""

from __future__ import annotations

import pytest

from idp_app.errors import InvalidInput
from idp_app.services.texts import clean, clean_mail, clean_username, key


def test_a_text_loses_outer_blanks_and_gets_one_form():
    assert clean("name", "  Zoe\u0308 ") == "Zoë"


@pytest.mark.parametrize(
    "text", ["a\x00b", "a\nb", "a\x1bb", "a\u2028b", "a\ud800b", "a\ufffeb", "a\u202eb", "x" * 257]
)
def test_a_text_that_no_page_and_no_assertion_could_carry_is_refused(text: str):
    with pytest.raises(InvalidInput) as raised:
        clean("name", text)
    assert raised.value.field == "name"


def test_every_other_script_is_welcome():
    for text in ("Дмитрий", "李小龍", "שלום", "नमस्ते", "O’Brien & <Sons>", "👩‍🔬 Ada"):
        assert clean("name", text) == text


def test_names_are_compared_without_case_width_and_composition():
    assert key("ＡＬＩＣＥ") == key(" alice ") == key("Alice")
    assert key("Straße") == key("STRASSE")
    assert key("Zoe\u0308") == key("zoë")


@pytest.mark.parametrize("text", ["", "  ", "a b", "a\tb", "x" * 300])
def test_a_user_name_is_one_word(text: str):
    with pytest.raises(InvalidInput):
        clean_username(text)


@pytest.mark.parametrize("text", ["a", "@b", "a@", "a b@c", "a@b>", "a,b@c"])
def test_an_address_has_two_sides(text: str):
    with pytest.raises(InvalidInput):
        clean_mail(text)


def test_an_address_may_be_missing_or_unusual():
    assert clean_mail(" ") == ""
    assert clean_mail('"a@b"@c.example') == '"a@b"@c.example'
