"""Attacks on the identity provider: requests in somebody's name, answers to somebody else."""

import base64
import zlib
from urllib.parse import parse_qsl, quote

import pytest
from lxml import etree

from federation.errors import FederationError, Malformed, Refused
from federation.saml import signature, xml
from federation.saml.bindings import redirect
from federation.saml.codec import authn_request as codec
from federation.saml.names import DS, Algorithm, Binding
from federation.saml.profiles import sso_request
from federation.saml.profiles.refusals import RequestRefused
from tests import factories
from tests.attacks.forging import D, P, copied, signature_in
from tests.factories import accept_request

EVIL = "https://evil.example/acs"


def query(relay_state: str | None = "state", **more: object) -> str:
    """The query of a genuine signed request."""
    key = factories.signing_key("sp")
    request = factories.request()._replace(**more)  # type: ignore[arg-type]
    url = sso_request.send(request, binding=Binding.REDIRECT, key=key, relay_state=relay_state)
    assert isinstance(url, str)
    return url.partition("?")[2]


def parts(text: str) -> dict[str, str]:
    """The parameters of a query, their values as they stand there."""
    return dict(part.split("=", 1) for part in text.split("&"))


def joined(found: dict[str, str]) -> str:
    return "&".join(f"{name}={value}" for name, value in found.items())


def rule_of(text: str, **expected: object) -> str:
    with pytest.raises(FederationError) as caught:
        accept_request(redirect.decode(text.encode()), **expected)
    return caught.value.rule


def message(request_id: str = "_evil") -> str:
    """Another message, encoded for a query."""
    element = xml.lift(codec.write(factories.request()._replace(id=request_id, assertion_consumer_service_url=EVIL)))
    compressor = zlib.compressobj(wbits=-15)
    octets = compressor.compress(xml.serialise(element)) + compressor.flush()
    return quote(base64.b64encode(octets), safe="")


# The query


def test_the_genuine_query_is_accepted() -> None:
    assert accept_request(redirect.decode(query().encode())).signed


@pytest.mark.parametrize("name", ["SAMLRequest", "RelayState", "SigAlg", "Signature"])
def test_every_signed_octet_counts(name: str) -> None:
    found = parts(query())
    changes = {
        "SAMLRequest": message(),
        "RelayState": "other",
        "SigAlg": quote(Algorithm.RSA_SHA512, safe=""),
        "Signature": quote(factories.base64_text(b"\1" * 256), safe=""),
    }
    assert rule_of(joined(found | {name: changes[name]})) == "signature.value"


def test_relay_state_cannot_be_added_or_taken_away() -> None:
    with_state, without = parts(query()), parts(query(relay_state=None))
    del with_state["RelayState"]
    assert rule_of(joined(with_state)) == "signature.value"
    assert rule_of(joined(without | {"RelayState": "x"})) == "signature.value"


@pytest.mark.parametrize("name", ["SAMLRequest", "RelayState", "SigAlg", "Signature"])
@pytest.mark.parametrize("where", ["before", "after"])
def test_a_parameter_twice_is_refused(name: str, where: str) -> None:
    text = query()
    again = f"{name}={message() if name == 'SAMLRequest' else parts(text)[name]}"
    assert rule_of(f"{again}&{text}" if where == "before" else f"{text}&{again}") == "redirect.duplicate"


@pytest.mark.parametrize("name", ["SAML%52equest", "%53AMLRequest", "Relay%53tate", "%53igAlg", "Signatur%65"])
def test_a_parameter_in_disguise_is_refused(name: str) -> None:
    assert rule_of(f"{query()}&{name}={message()}") == "redirect.name"
    assert rule_of(f"{name}={message()}&{query()}") == "redirect.name"


def test_request_and_response_together_are_refused() -> None:
    assert rule_of(f"{query()}&SAMLResponse={message()}") == "redirect.message"


@pytest.mark.parametrize("missing", ["SigAlg", "Signature"])
def test_algorithm_and_signature_come_together(missing: str) -> None:
    found = parts(query())
    del found[missing]
    assert rule_of(joined(found)) == "redirect.signature"


def test_a_signature_taken_away_is_noticed_where_one_was_promised() -> None:
    found = parts(query())
    del found["SigAlg"], found["Signature"]
    assert rule_of(joined(found)) == "request.signed"


def test_the_order_of_parameters_does_not_matter_and_foreign_ones_are_not_signed() -> None:
    found = parts(query())
    text = joined(dict(reversed(found.items()))) + "&tenant=x&entityID=y"
    assert accept_request(redirect.decode(text.encode())).request.id == factories.REQUEST_ID


def test_octets_are_verified_as_they_were_sent() -> None:
    """Lower-case escapes and escapes that are not needed are legal: what counts is what the partner signed."""
    key = factories.signing_key("sp")
    found = parts(query())
    lower = "".join(
        character.lower() if found["SAMLRequest"][max(0, place - 2) : place].find("%") >= 0 else character
        for place, character in enumerate(found["SAMLRequest"])
    )
    signed = (
        f"SAMLRequest={lower}&RelayState=%73tate&SigAlg={quote(Algorithm.RSA_SHA256, safe=':/#').replace('#', '%23')}"
    )
    value = quote(factories.base64_text(key.sign(signed.encode(), Algorithm.RSA_SHA256)), safe="")
    received = redirect.decode(f"{signed}&Signature={value}".encode())
    assert received.relay_state == "state"
    assert accept_request(received).signed
    again = "&".join(f"{name}={quote(text, safe='')}" for name, text in parse_qsl(f"{signed}&Signature={value}"))
    assert rule_of(again) == "signature.value"


@pytest.mark.parametrize("algorithm", [f"{DS}rsa-sha1", f"{DS}hmac-sha1", "", "x" * 5000])
def test_an_algorithm_that_is_not_allowed_is_refused(algorithm: str) -> None:
    assert rule_of(joined(parts(query()) | {"SigAlg": quote(algorithm, safe="")})) in (
        "signature.algorithm",
        "redirect.signature",
    )


def test_a_small_query_does_not_become_a_large_document() -> None:
    compressor = zlib.compressobj(9, wbits=-15)
    octets = compressor.compress(b" " * 50_000_000) + compressor.flush()
    assert len(octets) < 60_000
    assert rule_of(f"SAMLRequest={quote(base64.b64encode(octets), safe='')}") == "redirect.deflate"


def test_what_follows_the_compressed_message_is_refused() -> None:
    found = parts(query())
    octets = base64.b64decode(parse_qsl(f"x={found['SAMLRequest']}")[0][1])
    for more in (b"x", octets, b"\0"):
        assert rule_of(f"SAMLRequest={quote(base64.b64encode(octets + more), safe='')}") == "redirect.deflate"
    assert rule_of(f"SAMLRequest={quote(base64.b64encode(octets[:-3]), safe='')}") == "redirect.deflate"


# The partner


def test_a_request_signed_by_another_partner_is_refused() -> None:
    element = xml.lift(codec.write(factories.request()))
    signature.sign(element, key=factories.signing_key("other-sp"))
    with pytest.raises(RequestRefused) as caught:
        accept_request(factories.posted(element, "SAMLRequest"))
    assert caught.value.rule == "signature.value"


def test_a_signature_does_not_make_a_foreign_endpoint_ours() -> None:
    text = query(assertion_consumer_service_url=EVIL)
    with pytest.raises(RequestRefused) as caught:
        accept_request(redirect.decode(text.encode()))
    assert caught.value.rule == "request.acs"
    assert caught.value.answer_to is None, "and nothing is sent there, not even an error"


@pytest.mark.parametrize(
    "url",
    [
        "https://sp.example.com/saml/acs\\@evil.example",
        "https://sp.example.com/saml/acs.evil.example",
        "https://sp.example.com/saml/acs/",
        "https://sp.example.com/saml/acs?next=https://evil.example",
        "https://sp.example.com@evil.example/saml/acs",
        "https://sp.example.com.evil.example/saml/acs",
        "https://SP.example.com/saml/acs",
        "https://sp.example.com/saml/ACS",
        "//sp.example.com/saml/acs",
        "https://sp.example.com/saml/acs\r\nSet-Cookie: x=y",
        "data:text/html,<script>alert(1)</script>",
        "https://sp.example.com/saml/acs\t",
        "https://sp.example.com:443/saml/acs",
        "https://sp.example.com/saml/%61cs",
        "https://sp.example.com/saml/../saml/acs",
        "https://sp.example.com/saml/acs#",
        "javascript:alert(1)",
        "http://sp.example.com/saml/acs",
        " ",
    ],
)
def test_an_endpoint_is_compared_as_a_string(url: str) -> None:
    assert rule_of(query(assertion_consumer_service_url=url)) == "request.acs"


@pytest.mark.parametrize(
    ("index", "rule"),
    [
        ("9", "request.acs"),
        ("65535", "request.acs"),
        ("-1", "xml.attribute"),
        ("65536", "xml.attribute"),
        ("9" * 5000, "xml.attribute"),
        ("0x0", "xml.attribute"),
        ("\u0661", "xml.attribute"),
        ("", "xml.attribute"),
        ("1e3", "xml.attribute"),
    ],
)
def test_an_index_is_one_of_the_metadata(index: str, rule: str) -> None:
    element = xml.lift(
        codec.write(factories.request()._replace(assertion_consumer_service_url=None, protocol_binding=None))
    )
    element.set("AssertionConsumerServiceIndex", index)
    signature.sign(element, key=factories.signing_key("sp"))
    with pytest.raises(RequestRefused) as caught:
        accept_request(factories.posted(element, "SAMLRequest"))
    assert caught.value.rule == rule
    assert caught.value.answer_to is None, "and nothing is sent there, not even an error"


# Wrapping


def wrapped(arrangement: str) -> etree._Element:
    """A genuine signed request inside or beside a forged one."""
    original = xml.lift(codec.write(factories.request()))
    signature.sign(original, key=factories.signing_key("sp"))
    original = xml.reparse(xml.serialise(original))
    forged = xml.lift(codec.write(factories.request()._replace(id="_forged", assertion_consumer_service_url=EVIL)))
    block = copied(signature_in(original))
    if arrangement == "extensions":
        forged.insert(1, block)
        extensions = etree.Element(f"{P}Extensions")
        extensions.append(original)
        forged.insert(2, extensions)
    elif arrangement == "object":
        forged.insert(1, block)
        etree.SubElement(block, f"{D}Object").append(original)
    elif arrangement == "same id":
        forged.set("ID", factories.REQUEST_ID)
        forged.insert(1, block)
        extensions = etree.Element(f"{P}Extensions")
        extensions.append(original)
        forged.insert(2, extensions)
    elif arrangement == "bare signature":
        forged.insert(1, block)
    return forged


@pytest.mark.parametrize(
    ("arrangement", "rule"),
    [
        ("extensions", "request.signatures"),
        ("object", "request.signatures"),
        ("same id", "xml.ids"),
        ("bare signature", "signature.reference"),
        ("none", "request.signed"),
    ],
)
def test_a_captured_request_lends_its_signature_to_no_other(arrangement: str, rule: str) -> None:
    with pytest.raises(RequestRefused) as caught:
        accept_request(factories.posted(wrapped(arrangement), "SAMLRequest"))
    assert caught.value.rule == rule


def test_a_captured_assertion_lends_its_signature_to_no_request() -> None:
    from tests.attacks.forging import assertion_in, genuine

    forged = xml.lift(codec.write(factories.request()._replace(assertion_consumer_service_url=EVIL)))
    extensions = etree.Element(f"{P}Extensions")
    extensions.append(copied(assertion_in(genuine())))
    forged.insert(1, extensions)
    with pytest.raises(RequestRefused) as caught:
        accept_request(factories.posted(forged, "SAMLRequest"))
    assert caught.value.rule in ("request.signatures", "request.assertions")


@pytest.mark.parametrize("document", [b"", b"junk", b"<x/>", b"<!DOCTYPE x><x/>", b"<a>" * 500])
def test_whatever_comes_is_refused_within_the_error_tree(document: bytes) -> None:
    received = factories.posted(document, "SAMLRequest")
    with pytest.raises(Malformed):
        sso_request.issuer_of(received)
    with pytest.raises(Refused):
        accept_request(received)


@pytest.mark.parametrize("identifier", ["x' onload='y", "a b", "1", "<x/>", "\u2028"])
def test_an_identifier_that_would_be_echoed_is_a_name(identifier: str) -> None:
    element = xml.lift(codec.write(factories.request()._replace(id=identifier)))
    partner = factories.sp_entity(authn_requests_signed=False)
    with pytest.raises(RequestRefused) as caught:
        accept_request(factories.posted(element, "SAMLRequest"), partner=partner)
    assert caught.value.rule == "xml.ids"
