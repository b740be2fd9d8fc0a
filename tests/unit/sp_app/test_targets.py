"""Where a person may be led."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import PolicyRefusal
from sp_app import targets
from sp_app.targets import MAX_LENGTH, is_safe, safe_target


@pytest.mark.parametrize("target", ["/", "/private", "/a/b?c=d&e=//x", "/a;b=c#d", "/%2e%2e//x", "/a//b"])
def test_a_path_of_this_site_is_safe(target: str) -> None:
    assert is_safe(target)


@pytest.mark.parametrize(
    "target",
    ["", "a", "//a", "/\\a", "/a\\b", "/a b", "/a\n", "\n/a", "/a\x00", "/ä", "http://a/", "/" + "a" * MAX_LENGTH],
)
def test_anything_else_is_not(target: str) -> None:
    assert not is_safe(target)


@given(st.text())
def test_whatever_is_safe_stays_on_the_site_in_any_reading(text: str) -> None:
    if is_safe(text):
        assert text.startswith("/")
        assert not text.startswith(("//", "/\\"))
        assert text.isascii()
        assert text.isprintable()


def _asked_for(target: str) -> str:
    return safe_target(target, origin="https://sp.example", endpoints={"/saml/acs"}, default="/start")


@pytest.mark.parametrize(
    ("target", "page"),
    [
        ("/caf\u00e9/men\u00fc 1?q=\u65e5", "/caf%C3%A9/men%C3%BC%201?q=%E6%97%A5"),
        ("https://sp.example/\u00e9", "/%C3%A9"),
        ("/caf%C3%A9", "/caf%C3%A9"),
        ("/saml/acs?a=b", "/start"),
        ("", "/start"),
    ],
)
def test_a_page_asked_for_in_letters_beyond_ascii_is_escaped_as_a_browser_would(target: str, page: str) -> None:
    assert _asked_for(target) == page


@given(st.text())
def test_whatever_is_asked_for_is_safe_or_refused(text: str) -> None:
    try:
        assert is_safe(_asked_for(text))
    except PolicyRefusal:
        assert not is_safe(text)


@pytest.mark.parametrize(
    "target", ["//\u00e9", "/\\\u00e9", "/\u00e9\n", "/\u00e9\x85", "/\u2028/\u00e9", "/\ud800", "\u00e9"]
)
def test_letters_beyond_ascii_excuse_nothing_else(target: str) -> None:
    with pytest.raises(PolicyRefusal):
        _asked_for(target)


@pytest.mark.parametrize(
    ("page", "marked"),
    [
        ("/", "/?saml_signed_in=no"),
        ("/a?b=c", "/a?b=c&saml_signed_in=no"),
        ("/a?", "/a?&saml_signed_in=no"),
        ("/a#b?c", "/a?saml_signed_in=no#b?c"),
        ("/a?x=saml_signed_in=no", "/a?x=saml_signed_in=no&saml_signed_in=no"),
    ],
)
def test_a_page_is_told_that_nobody_was_signed_in_and_the_mark_goes_again(page: str, marked: str) -> None:
    assert not targets.is_marked(page)
    assert targets.marked(page) == marked == targets.marked(marked)
    assert targets.is_safe(marked)
    assert targets.is_marked(marked)
    assert targets.unmarked(marked).rstrip("?") == page.rstrip("?")
    assert targets.unmarked(page) == page
