"""How every signed message is opened: transport, document, signature, and from then on only what was signed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from lxml import etree

from federation.saml import signature, xml
from federation.saml.algorithms import Algorithms
from federation.saml.checks import Check, Rule, attempt, run
from federation.saml.messages import Received
from federation.saml.metadata.entity import KeyDescriptor


class Opened(NamedTuple):
    """A message after its signature was looked at.

    `element` is what was signed, or what came where `signed` is false. Over HTTP-Redirect what was signed is the query,
    so the element is what came in it. `identifiers` are all of the document that came.
    """

    element: etree._Element
    signed: bool
    identifiers: Collection[str]
    checks: tuple[Check, ...]


def document_of(received: Received) -> xml.Document:
    """The document of a message that came, not verified. It is parsed once, whoever asks. Raises `Malformed`."""
    document: xml.Document | None = received.parsed
    if document is None:
        document = xml.parse_message(received.xml)
        received.parsed = document  # the same for ever: it follows from `xml`
    return document


def open_message(
    received: Received,
    *,
    transport: Sequence[Rule[Received]],
    document: Sequence[Rule[etree._Element]],
    signed: Sequence[Rule[Received, bool, bool]],
    demanded: bool,
    form: str,
    keys: Sequence[KeyDescriptor],
    algorithms: Algorithms,
) -> Opened:
    """Run the rules on how a message came and what it is, then verify the signature it has.

    `transport` sees what the binding delivered, `document` the parsed root. `signed` decides whether the signature is
    there that must be: it sees what the binding delivered, whether the element is signed itself, and whether a
    signature is `demanded`. `form` is the clause to cite when the message cannot be read. A signature that is there
    verifies with one of `keys`, or the message is refused. Raises `Refused`.
    """
    checks = run(transport, (), received)
    came = attempt(checks, form, document_of, received)
    element, identifiers = came.root, attempt(checks, form, came.identifiers)
    checks = run(document, checks, element)
    itself = signature.is_signed(element)
    checks = run(signed, checks, received, itself, demanded)
    detached = received.query_signature
    if detached is not None:
        checks = signature.verify_octets(
            detached.signed_octets,
            detached.signature,
            algorithm=detached.algorithm,
            keys=keys,
            algorithms=algorithms,
            before=checks,
        )
        return Opened(element, True, identifiers, checks)
    if itself:
        verified = signature.examine(element, keys=keys, algorithms=algorithms, before=checks)
        return Opened(verified.element, True, identifiers, verified.checks)
    return Opened(element, False, identifiers, checks)
