"""Where a person may be led."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sp_app import targets
from sp_app.targets import MAX_LENGTH, is_safe


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
