from __future__ import annotations

import pytest

from federation.web.addresses import origin_of


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://idp.example.org/saml/sso?x#y", "https://idp.example.org"),
        ("https://IDP.example.org:443", "https://idp.example.org"),
        ("http://localhost:6543/", "http://localhost:6543"),
        ("http://localhost:80", "http://localhost"),
        ("https://[::1]:8443/", "https://[::1]:8443"),
        ("null", ""),
        ("", ""),
        ("https://host:port", ""),
        ("https://[::1", ""),
    ],
)
def test_an_origin_is_scheme_host_and_unusual_port(url: str, origin: str) -> None:
    assert origin_of(url) == origin
