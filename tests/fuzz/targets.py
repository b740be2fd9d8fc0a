"""The targets: each gets octets from a stranger, and may raise nothing outside the error tree.

Where there is something to say about what was read, the target says it: a second reading agrees with the first, and a
limit that is promised holds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, timedelta
from functools import cache
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from lxml import etree

from federation.errors import FederationError
from federation.saml import certificates, encryption, signature_keys, times, xml
from federation.saml.bindings import artifact as artifact_binding
from federation.saml.bindings import destination, post, redirect, soap
from federation.saml.codec import artifact as artifact_codec
from federation.saml.codec import assertion as assertion_codec
from federation.saml.codec import authn_request as request_codec
from federation.saml.codec import logout as logout_codec
from federation.saml.codec import response as response_codec
from federation.saml.encryption import DecryptionKey
from federation.saml.metadata import aggregate, judgement, query, reading, rolling, trust
from federation.saml.names import Binding
from federation.saml.profiles import artifact, logout, sso_request, sso_response
from federation.saml.signature import SigningKey
from federation.scim import codec as scim_codec
from federation.scim import filters, patch
from federation.scim.catalogue import GROUP, USER
from sp_app import targets as sp_targets
from tests import factories
from tests.attacks import deliveries

Target = Callable[[bytes], object]
NOW: Final = factories.NOW


def tried(target: Target, octets: bytes) -> None:
    """Run a target: a refusal within the error tree is as good as an answer."""
    with suppress(FederationError):
        target(octets)


def fields_of(octets: bytes) -> list[tuple[str, str]]:
    """Form fields: a line each, name and value parted by an equals sign."""
    lines = octets.decode("utf-8", "replace").split("\n")
    return [(name, value) for name, _, value in (line.partition("=") for line in lines)]


# Documents and messages -----------------------------------------------------------------------------------------------

_CODECS: Final[tuple[Callable[[etree._Element], object], ...]] = (
    response_codec.read,
    assertion_codec.read,
    request_codec.read,
    logout_codec.read_request,
    logout_codec.read_response,
    artifact_codec.read_resolve,
    artifact_codec.read_response,
)


def document(octets: bytes) -> None:
    """XML: its canonical form, parsed again, is the same document."""
    root = xml.parse_message(octets).root
    canonical = xml.canonical(root)
    assert xml.canonical(xml.parse(canonical, max_bytes=len(canonical) + 1)) == canonical


def message(octets: bytes) -> None:
    """Every codec on every document, and each reads the same from the canonical form."""
    root = xml.parse_message(octets).root
    again = xml.reparse(xml.canonical(root))
    for read in _CODECS:
        try:
            first = read(root)
        except FederationError:
            continue
        second = read(again)
        if not isinstance(first, tuple):
            assert first == second, "what is signed is not what is read"


def response(octets: bytes) -> None:
    """The whole of the SP's judgement."""
    received = factories.posted(octets)
    for claim in (sso_response.issuer_of, sso_response.in_response_to_of):
        with suppress(FederationError):
            claim(received)
    sso_response.accept(received, factories.expectations())
    raise AssertionError("a response is accepted that nobody signed")


def encrypted(octets: bytes) -> None:
    """An encrypted element."""
    encryption.decrypt(xml.parse(octets), (factories.decryption_key(),))


# Bindings -------------------------------------------------------------------------------------------------------------


def redirect_query(octets: bytes) -> None:
    """A raw query: what is signed is a part of it, and what was inflated is within the limit."""
    received = redirect.decode(octets, max_bytes=20_000)
    assert len(received.xml) <= 20_000
    if received.query_signature is not None:
        for piece in received.query_signature.signed_octets.split(b"&"):
            assert piece in octets.split(b"&")
    if received.parameter == "SAMLRequest":
        factories.accept_request(received)
    else:
        deliveries.read_logout(received)
    raise AssertionError("a query is accepted that nobody signed")


def post_form(octets: bytes) -> None:
    """The fields of a form."""
    received = post.decode(fields_of(octets), max_bytes=20_000)
    assert len(received.xml) <= 20_000
    if received.parameter == "SAMLRequest":
        sso_request.issuer_of(received)
        factories.accept_request(received)
    else:
        logout.issuer_of(received)
        deliveries.read_logout(received)
    raise AssertionError("a form is accepted that nobody signed")


def soap_envelope(octets: bytes) -> None:
    """An envelope, and every profile that takes one."""
    received = soap.decode(octets)
    assert received.binding == Binding.SOAP
    for accept in (
        deliveries.read_logout,
        lambda found: artifact.accept_resolve(found, deliveries.at_resolver()),
        lambda found: artifact.accept_response(found, deliveries.at_requester()),
    ):
        try:
            accept(received)
        except FederationError:
            continue
        raise AssertionError("an envelope is accepted that nobody signed")


def artifact_reference(octets: bytes) -> None:
    """An artifact in a query or a form: what is read is written again in the same way."""
    text = octets.decode("utf-8", "surrogateescape")
    for decode in (artifact_binding.decode_query, lambda found: artifact_binding.decode_form(fields_of(octets))):
        try:
            found, _ = decode(text)
        except FederationError:
            continue
        assert artifact_binding.parse(found.text) == found
    found = artifact_binding.parse(text)
    assert 0 <= found.endpoint_index <= 65535


# Metadata -------------------------------------------------------------------------------------------------------------


def metadata_document(octets: bytes) -> None:
    """Reading and linting: what is found is written as sentences."""
    judged = judgement.judge(octets, now=NOW, max_bytes=200_000)
    assert judged.accepted or judged.error is not None
    assert all(finding.message for finding in judged.findings)
    reading.read_document(octets)


def metadata_trust(octets: bytes) -> None:
    """Trust for one partner: nothing that is not signed by the pinned key."""
    trust.verify(
        octets,
        now=NOW,
        own_entity_id="https://own.example.org",
        role="sp",
        signer_fingerprints=("AA" * 32,),
    )
    raise AssertionError("metadata is trusted that nobody signed")


def metadata_aggregate(octets: bytes) -> None:
    """A group: every member reads as well by itself."""
    verified = aggregate.verify(octets, now=NOW, exceptions=("no_valid_until",) if octets[:1] == b" " else ())
    for member in aggregate.members(verified.octets, now=NOW):
        assert reading.read_document(member.octets)[0].entity_id == member.entity.entity_id


def metadata_query(octets: bytes) -> None:
    """An identifier in a path, and an If-None-Match."""
    text = octets.decode("utf-8", "replace")
    wanted = query.wanted(text)
    if wanted is not None and wanted.entity_id is not None:
        assert wanted.means(text)
        assert "/" not in query.request_path(text).removeprefix("entities/")
    rolling.is_current(text, '"tag"')


# Values ---------------------------------------------------------------------------------------------------------------


def instants(octets: bytes) -> None:
    """Instants and durations: what is read and written is read the same."""
    text = octets.decode("utf-8", "replace")
    with suppress(FederationError):
        duration = times.parse_duration(text)
        assert abs(duration) < timedelta(days=365 * 20_000 + 10**7)
    instant = times.parse_instant(text)
    assert instant.tzinfo is UTC
    assert times.parse_instant(times.format_instant(instant)) == instant.replace(microsecond=0)


def places(octets: bytes) -> None:
    """Where a browser is sent: a safe target stays on the site, and an endpoint is what it looks like."""
    text = octets.decode("utf-8", "surrogateescape")
    origin = "https://sp.example.com"
    if sp_targets.is_safe(text):
        there = urlsplit(urljoin(f"{origin}/x", text))
        assert (there.scheme, there.netloc) == ("https", "sp.example.com")
        assert text.isascii()
        assert text.isprintable()
        assert not text.startswith(("//", "/\\"))
    location = urlsplit(destination.check_destination(text))
    assert location.scheme == "https" or location.hostname in ("localhost", "127.0.0.1", "::1")


def keys(octets: bytes) -> None:
    """Certificates and keys, as DER, as PEM and as XML has them."""
    for read in (
        certificates.load_certificate,
        certificates.public_key_of,
        certificates.container_of,
        signature_keys.load_public_key,
        SigningKey.from_pem,
        DecryptionKey.from_pem,
        lambda found: certificates.normalise_fingerprint(found.decode("utf-8", "replace")),
    ):
        with suppress(FederationError):
            read(octets)


# SCIM -----------------------------------------------------------------------------------------------------------------


@cache
def _user() -> Mapping[str, Any]:
    written = json.dumps({
        "schemas": [USER.schema.urn],
        "userName": "alice",
        "active": True,
        "name": {"familyName": "Archer"},
        "emails": [{"value": "alice@example.org", "type": "work", "primary": True}, {"value": "a@example.org"}],
    })  # fmt: skip
    return scim_codec.read(scim_codec.load_object(written.encode()), USER)


def scim_filter(octets: bytes) -> None:
    """A filter, and what it says about a person."""
    text = octets.decode("utf-8", "replace")
    for kind in (USER, GROUP):
        try:
            found = filters.parse_filter(text, kind)
        except FederationError:
            continue
        assert isinstance(filters.evaluate(found, _user()), bool)


def scim_patch(octets: bytes) -> None:
    """A path, and a whole PatchOp: it is done altogether or not at all."""
    with suppress(FederationError):
        filters.parse_path(octets.decode("utf-8", "replace"), USER)
    before = json.dumps(_user(), default=str)
    try:
        for kind in (USER, GROUP):
            patch.apply(patch.read(scim_codec.load_object(octets), kind), dict(_user()))
    finally:
        assert json.dumps(_user(), default=str) == before


TARGETS: Final[Mapping[str, Target]] = {
    target.__name__: target
    for target in (
        document,
        message,
        response,
        encrypted,
        redirect_query,
        post_form,
        soap_envelope,
        artifact_reference,
        metadata_document,
        metadata_trust,
        metadata_aggregate,
        metadata_query,
        instants,
        places,
        keys,
        scim_filter,
        scim_patch,
    )
}
"""Every target by its name, which is also the name of its folder of the corpus."""
