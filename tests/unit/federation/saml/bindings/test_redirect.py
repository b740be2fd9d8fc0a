"""HTTP-Redirect reads one message from the raw query, verifies what it reads, and never inflates beyond its limit."""

import base64
import contextlib
import zlib
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, unquote_to_bytes, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import FederationError, Malformed
from federation.saml import certificates
from federation.saml.bindings import redirect
from federation.saml.names import Algorithm, Binding
from federation.saml.signature import SigningKey, verify_octets

MESSAGE = b"<samlp:AuthnRequest xmlns:samlp='urn:oasis:names:tc:SAML:2.0:protocol' ID='_1'/>"
PRIVATE, CERTIFICATE = certificates.generate("redirect", now=datetime(2026, 1, 1, tzinfo=UTC), bits=2048)
KEY = SigningKey.from_pem(PRIVATE, CERTIFICATE)


def raw_deflate(octets: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(octets) + compressor.flush()


def query(message: bytes = MESSAGE, **more: str) -> bytes:
    parts = {"SAMLRequest": base64.b64encode(raw_deflate(message)).decode(), **more}
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in parts.items()).encode()


def refused(query_string: bytes, rule: str) -> None:
    with pytest.raises(Malformed) as caught:
        redirect.decode(query_string)
    assert caught.value.rule == rule


def test_what_is_encoded_is_what_is_decoded() -> None:
    url = redirect.encode(
        MESSAGE, parameter="SAMLRequest", destination="https://idp.test/saml/sso", relay_state="a b+c&ü", key=KEY
    )
    received = redirect.decode(urlsplit(url).query.encode())
    assert (received.binding, received.parameter) == (Binding.REDIRECT, "SAMLRequest")
    assert (received.xml, received.relay_state) == (MESSAGE, "a b+c&ü")
    signature = received.query_signature
    assert signature is not None
    assert signature.algorithm == Algorithm.RSA_SHA256
    verify_octets(signature.signed_octets, signature.signature, algorithm=signature.algorithm, keys=[KEY.public_key])


def test_the_address_keeps_a_query_of_its_own() -> None:
    url = redirect.encode(MESSAGE, parameter="SAMLResponse", destination="https://sp.test/slo?tenant=1")
    assert dict(parse_qsl(urlsplit(url).query)).keys() == {"tenant", "SAMLResponse"}


def test_the_signature_covers_the_octets_as_they_stood_whatever_their_order_and_case() -> None:
    request = base64.b64encode(raw_deflate(MESSAGE)).decode()
    signed = f"SAMLRequest={quote(request, safe='')}".replace("%2F", "%2f").replace("%3D", "%3d")
    signed += f"&RelayState=back%2fhere&SigAlg={quote(Algorithm.RSA_SHA256, safe='').replace('%3A', '%3a')}"
    value = quote(base64.b64encode(KEY.sign(signed.encode(), Algorithm.RSA_SHA256)), safe="")
    first, *rest = signed.split("&")
    shuffled = "&".join(["lang=en", *reversed(rest), f"Signature={value}", first])
    received = redirect.decode(shuffled.encode())
    assert received.query_signature is not None
    assert received.query_signature.signed_octets == signed.encode()
    assert received.relay_state == "back/here"


def test_a_plus_sign_that_was_not_escaped_is_still_part_of_the_base64() -> None:
    message = next(
        candidate
        for number in range(1000)
        if "+" in base64.b64encode(raw_deflate(candidate := MESSAGE + b"<!--%d-->" % number)).decode()
    )
    encoded = base64.b64encode(raw_deflate(message)).decode()
    assert redirect.decode(f"SAMLRequest={encoded}&RelayState=a+b".encode()).xml == message


@pytest.mark.parametrize(
    ("query_string", "rule"),
    [
        (b"", "redirect.message"),
        (b"RelayState=x", "redirect.message"),
        (query() + b"&" + query(), "redirect.duplicate"),
        (query() + b"&SAMLResponse=x", "redirect.message"),
        (query(RelayState="x") + b"&RelayState=y", "redirect.duplicate"),
        (query().replace(b"SAMLRequest", b"SAML%52equest"), "redirect.name"),
        (query() + b"&SAML%52equest=x", "redirect.name"),
        (query(SigAlg=Algorithm.RSA_SHA256), "redirect.signature"),
        (query(Signature="eHh4"), "redirect.signature"),
        (query(SigAlg=Algorithm.RSA_SHA256, Signature="%"), "redirect.signature"),
        (query(SAMLEncoding="urn:none"), "redirect.encoding"),
        (query(RelayState="x" * 2049), "redirect.relay_state"),
        (query() + b"&RelayState=%ff", "redirect.escape"),
        (b"SAMLRequest=%21", "redirect.base64"),
        (b"SAMLRequest=", "redirect.base64"),
        (b"SAMLRequest=eHh4eHg%3D", "redirect.deflate"),
        (b"SAMLRequest=" + quote(base64.b64encode(raw_deflate(MESSAGE)[:-3]), safe="").encode(), "redirect.deflate"),
        (b"SAMLRequest=" + quote(base64.b64encode(raw_deflate(MESSAGE) + b"x"), safe="").encode(), "redirect.deflate"),
        (b"SAMLRequest=" + quote(base64.b64encode(MESSAGE), safe="").encode(), "redirect.deflate"),
        (b"x" * 3_000_000, "redirect.size"),
    ],
)
def test_a_query_with_two_readings_or_none_is_refused(query_string: bytes, rule: str) -> None:
    refused(query_string, rule)


def test_a_small_query_that_inflates_beyond_the_limit_is_refused() -> None:
    refused(query(b" " * 50_000_000), "redirect.deflate")


@given(st.binary(max_size=300))
def test_any_query_is_read_or_refused_within_the_error_tree(octets: bytes) -> None:
    for query_string in (octets, b"SAMLRequest=" + quote(base64.b64encode(octets), safe="").encode()):
        with contextlib.suppress(FederationError):
            redirect.decode(query_string)


@given(st.text("%2BFbf3DdAa+/=:#4", max_size=40).map(str.encode) | st.binary(max_size=40))
def test_escapes_are_undone_as_everywhere(raw: bytes) -> None:
    assert redirect.unescaped(raw) == unquote_to_bytes(raw)


def test_a_parameter_without_an_equals_sign_is_signed_as_it_stands() -> None:
    sent = redirect.encode(b"<x/>", parameter="SAMLRequest", destination="https://idp.test/sso", key=KEY)
    query = sent.partition("?")[2].replace("&SigAlg=", "&RelayState&SigAlg=").encode()
    received = redirect.decode(query)
    assert received.query_signature is not None
    assert b"&RelayState&SigAlg=" in received.query_signature.signed_octets
    assert received.relay_state == ""
