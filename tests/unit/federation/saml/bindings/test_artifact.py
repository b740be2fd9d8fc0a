"""An artifact says whose it is and where it is resolved, and has one spelling."""

import base64
import hashlib
from urllib.parse import urlsplit

import pytest

from federation.errors import Malformed
from federation.saml.bindings import artifact

IDP = "https://idp.test/saml/metadata"


def test_an_artifact_names_its_issuer_its_endpoint_and_a_random_handle() -> None:
    made = artifact.create(IDP, endpoint_index=3, random=lambda size: b"\x07" * size)
    octets = base64.b64decode(made.text)
    assert octets == b"\x00\x04\x00\x03" + hashlib.sha1(IDP.encode()).digest() + b"\x07" * 20
    assert artifact.parse(made.text) == made
    assert made.source_id == artifact.source_id(IDP)
    assert artifact.create(IDP, endpoint_index=0).handle != artifact.create(IDP, endpoint_index=0).handle


def test_an_artifact_travels_in_an_address_or_in_a_form() -> None:
    made = artifact.create(IDP, endpoint_index=0)
    url = artifact.encode_url(made, destination="https://sp.test/saml/acs", relay_state="a b&c")
    assert artifact.decode_query(urlsplit(url).query) == (made, "a b&c")
    form = artifact.encode_form(made, destination="https://sp.test/saml/acs")
    assert artifact.decode_form(form.fields) == (made, None)


@pytest.mark.parametrize(
    ("query", "rule"),
    [
        ("", "artifact.message"),
        ("SAMLart=AAQ", "artifact.format"),
        ("SAMLart=" + base64.b64encode(b"\x00\x01" + b"x" * 42).decode(), "artifact.format"),
        ("SAMLart=a&SAMLart=b", "artifact.duplicate"),
        ("SAMLart=a&RelayState=%ff", "artifact.query"),
    ],
)
def test_anything_else_is_refused(query: str, rule: str) -> None:
    with pytest.raises(Malformed) as caught:
        artifact.decode_query(query)
    assert caught.value.rule == rule
