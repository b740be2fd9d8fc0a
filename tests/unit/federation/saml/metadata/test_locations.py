import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.saml.metadata import locations


@pytest.mark.parametrize(
    "url",
    [
        "https://sp.example.org/acs",
        "https://sp.example.org:8443/acs?x=1&y=%2F",
        "https://192.0.2.7/acs",
        "https://[2001:db8::7]/acs",
        "http://localhost:6544/saml/acs",
        "https://xn--bcher-kva.example/a",
        "https://a_b.example.org/",
    ],
)
def test_an_absolute_url_can_be_an_endpoint(url):
    assert locations.problem_of_location(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,x",
        "ftp://sp.example.org/",
        "file:///etc/passwd",
        "/saml/acs",
        "//sp.example.org/acs",
        "sp.example.org/acs",
        "https:sp.example.org",
        "https:///acs",
        "https://",
        "https://user@sp.example.org/acs",
        "https://user:pass@sp.example.org/acs",
        "https://sp.example.org\\@evil.example/acs",
        "https://sp.example.org/a\r\nSet-Cookie: x=1",
        "https://sp.example.org/a b",
        "https://sp.example.org/a\tb",
        "https://sp.example.org/\x00",
        "https://sp.example.org/é",
        "https://sp.example.org/acs#fragment",
        "https://sp.example.org:0/acs",
        "https://sp.example.org:/acs",
        "https://sp.example.org:99999/acs",
        "https://sp.example.org:port/acs",
        "https://-sp.example.org/acs",
        "https://sp%2eexample.org/acs",
        "https://[::1/acs",
        "https://sp.example.org/" + "a" * 2048,
        'https://sp.example.org/"><script>',
    ],
)
def test_nothing_else_can(url):
    assert locations.problem_of_location(url)


@pytest.mark.parametrize(
    "url", ["http://localhost:1/", "http://LOCALHOST/", "http://127.0.0.1/", "http://127.9.9.9:8/", "http://[::1]:80/"]
)
def test_http_is_for_this_machine_and_only_where_it_is_allowed(url):
    assert locations.is_secure(url, allow_http_loopback=True)
    assert not locations.is_secure(url, allow_http_loopback=False)


@pytest.mark.parametrize(
    "url",
    ["http://sp.example.org/", "http://localhost.evil.example/", "http://127.0.0.1.evil.example/", "http://10.0.0.1/"],
)
def test_http_to_anywhere_else_never_is(url):
    assert not locations.is_secure(url, allow_http_loopback=True)


def test_https_always_is():
    assert locations.is_secure("https://sp.example.org/", allow_http_loopback=False)


@pytest.mark.parametrize(
    "text", ["https://sp.example.org/sp", "urn:mace:example", "http://localhost:1/x", "a" * 250 + ":b"]
)
def test_an_absolute_uri_is_an_entity_id(text):
    assert locations.is_entity_id(text)


@pytest.mark.parametrize(
    "text", ["", "sp.example.org", "/sp", "https:", "https://a b", "a:" + "b" * 255, "urn:a\nb", "x:<y>"]
)
def test_anything_else_is_none(text):
    assert not locations.is_entity_id(text)


@pytest.mark.parametrize(
    "url", ["https://example.org/logo.png", "data:image/png;base64,iVBORw0KGgo=", "data:image/svg+xml;base64,PHN2Zy8+"]
)
def test_a_logo_is_https_or_an_inline_image(url):
    assert locations.is_logo(url)


@pytest.mark.parametrize(
    "url", ["http://example.org/l.png", "data:text/html;base64,PHNjcmlwdD4=", "data:image/png,raw", "javascript:1", ""]
)
def test_nothing_else_is_a_logo(url):
    assert not locations.is_logo(url)


def test_a_link_may_be_plain_http_and_have_a_fragment_but_never_run():
    assert locations.is_link("http://example.org/about#us")
    assert not locations.is_link("javascript:alert(1)#https://example.org/")


@given(st.from_regex(locations._PLAIN, fullmatch=True))
def test_what_is_plain_is_also_sound_when_taken_apart(location):
    """The short cut for what nearly every location is must accept nothing that the rules do not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(locations, "_PLAIN", re.compile("(?!)"))
        assert locations.problem_of_location(location) is None
