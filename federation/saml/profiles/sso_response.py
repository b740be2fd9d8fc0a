"""Web Browser SSO, the response (SAML Profiles 4.1.4.2 to 4.1.5; SAML Core 3.3.3): accept it.

`accept` reads like this: the document is a response and nothing else; its signature, if it has one, verifies, and
from then on only what was signed is read; the envelope answers our request and says success; it holds one assertion,
which is decrypted if need be; the assertion's signature, if it has one, verifies; one of the two signatures is there;
and the assertion is from the right IdP, for us, for now, for this request. Building is in `sso_response_build`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lxml import etree

from federation.errors import Malformed, Refused
from federation.saml import encryption, signature, xml
from federation.saml.checks import Check, attempt, run
from federation.saml.codec import assertion as assertion_codec
from federation.saml.codec import response as response_codec
from federation.saml.codec.assertion import ASSERTION
from federation.saml.codec.common import ISSUER, read_issuer
from federation.saml.codec.response import ENCRYPTED_ASSERTION, RESPONSE
from federation.saml.messages import (
    Assertion,
    Attribute,
    AuthnStatement,
    NameID,
    Received,
    Response,
    SubjectConfirmation,
)
from federation.saml.metadata.entity import KeyDescriptor
from federation.saml.names import ConfirmationMethod
from federation.saml.profiles import sso_assertion_rules, sso_authn_rules
from federation.saml.profiles import sso_response_rules as rules
from federation.saml.profiles.arrival import document_of, open_message
from federation.saml.profiles.refusals import StatusRefused
from federation.saml.profiles.sso_response_build import build, build_error
from federation.saml.profiles.sso_response_context import Envelope, ResponseExpectations, Statement, latest, session_end
from federation.saml.times import later

__all__ = [
    "AcceptedResponse",
    "ResponseExpectations",
    "StatusRefused",
    "accept",
    "build",
    "build_error",
    "in_response_to_of",
    "issuer_of",
]


_STATEMENT: Final = (*sso_assertion_rules.STATEMENT, *sso_authn_rules.AUTHN, *sso_assertion_rules.SUBJECT)


@dataclass(frozen=True, slots=True)
class AcceptedResponse:
    """A response that passed every check.

    `session_not_on_or_after` is when the local session must end at the latest. `replay_key` names the assertion (a hash
    of issuer and ID); the caller must refuse a key that it has seen, and may forget it at `replay_until`, from when on
    the assertion is too old to be accepted anyway.
    """

    assertion: Assertion
    response: Response
    replay_key: str
    replay_until: datetime
    session_index: str | None
    session_not_on_or_after: datetime | None
    checks: tuple[Check, ...]

    @property
    def authn(self) -> AuthnStatement:
        """The authentication that counts: the one that the checks looked at."""
        return latest(self.assertion.authn_statements)

    @property
    def name_id(self) -> NameID | None:
        """The subject's identifier, where there is one."""
        return self.assertion.name_id

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """The attributes, as they came."""
        return self.assertion.attributes


def in_response_to_of(received: Received) -> str | None:
    """The request that a response claims to answer: unverified, only to look that request up. Raises `Malformed`."""
    return xml.expect(document_of(received).root, RESPONSE).get("InResponseTo")


def issuer_of(received: Received) -> str:
    """The Issuer that a response claims, or its assertion where it names none: unverified, only to look the IdP up.

    Raises `Malformed`.
    """
    element = xml.expect(document_of(received).root, RESPONSE)
    for path in (ISSUER, f"{ASSERTION}/{ISSUER}"):
        issuer = element.find(path)
        if issuer is not None:
            return read_issuer(issuer)
    raise Malformed("response.issuer", "the response names no Issuer")


def accept(received: Received, expected: ResponseExpectations) -> AcceptedResponse:
    """Accept a Response at our assertion consumer service, or raise `Refused` with every check made.

    An answer that is an error raises `StatusRefused`, which carries its status. The caller goes on to consume the
    request and the replay key, in one transaction.
    """
    opened = open_message(
        received,
        transport=rules.TRANSPORT,
        document=rules.DOCUMENT,
        signed=(),
        demanded=False,
        form=rules.FORM,
        keys=_keys(expected),
        algorithms=expected.algorithms,
    )
    response = attempt(opened.checks, rules.FORM, response_codec.read, opened.element)
    carried = received.covered_by == expected.idp.entity_id
    envelope = Envelope(response, opened.element, opened.signed or carried, expected)
    checks = run(rules.ENVELOPE, opened.checks, envelope)
    try:
        checks = run(rules.STATUS, checks, envelope)
    except Refused as refused:
        raise StatusRefused(refused.checks, status=response.status) from None
    checks = run(rules.CONTENT, checks, envelope)
    assertion_element, checks = _assertion(envelope, opened.identifiers, checks)
    open_encrypted = _opener(expected, opened.identifiers, checks)
    assertion = attempt(checks, rules.FORM, assertion_codec.read, assertion_element, open_encrypted=open_encrypted)
    statement = Statement(assertion, assertion_element, expected)
    checks = run(_STATEMENT, checks, statement)
    confirmation, checks = _confirmation(assertion, expected, checks)
    authn = statement.authn
    return AcceptedResponse(
        assertion=assertion,
        response=response,
        replay_key=hashlib.sha256(f"{assertion.issuer}\n{assertion.id}".encode()).hexdigest(),
        replay_until=_replay_until(assertion, confirmation, expected),
        session_index=None if authn is None else authn.session_index,
        session_not_on_or_after=session_end(assertion),
        checks=checks,
    )


def _keys(expected: ResponseExpectations) -> Sequence[KeyDescriptor]:
    return () if expected.idp.idp is None else expected.idp.idp.signing_keys


def _assertion(
    envelope: Envelope, identifiers: Collection[str], checks: tuple[Check, ...]
) -> tuple[etree._Element, tuple[Check, ...]]:
    """The one Assertion: decrypted if need be, as it was signed if it is signed itself, and covered by a signature."""
    expected, element = envelope.expected, envelope.assertions[0]
    if element.tag == ENCRYPTED_ASSERTION:
        element, checks = encryption.examine(
            element, expected.decryption_keys, checks, algorithms=expected.algorithms, covered=envelope.signed
        )
        checks = run(sso_assertion_rules.DOCUMENT, checks, element)
        attempt(checks, rules.FORM, xml.collect_ids, element, known=identifiers)
    own = signature.is_signed(element)
    if own:
        signed = signature.examine(element, keys=_keys(expected), algorithms=expected.algorithms, before=checks)
        element, checks = signed.element, signed.checks
    return element, run(rules.COVERED, checks, envelope.signed, own)


def _opener(
    expected: ResponseExpectations, identifiers: Collection[str], checks: tuple[Check, ...]
) -> assertion_codec.Open:
    def open_encrypted(element: etree._Element) -> etree._Element:
        element, _ = encryption.examine(
            element, expected.decryption_keys, checks, algorithms=expected.algorithms, covered=True
        )
        xml.collect_ids(element, known=identifiers)
        return element

    return open_encrypted


def _confirmation(
    assertion: Assertion, expected: ResponseExpectations, checks: tuple[Check, ...]
) -> tuple[SubjectConfirmation | None, tuple[Check, ...]]:
    """The first bearer confirmation that passes every rule: one must pass them all, by itself."""
    refusal = None
    for confirmation in assertion.subject_confirmations:
        if confirmation.method == ConfirmationMethod.BEARER:
            try:
                return confirmation, run(sso_assertion_rules.CONFIRMATION, checks, confirmation, expected)
            except Refused as refused:
                refusal = refusal or refused
    if refusal is not None:
        raise refusal
    return None, checks


def _replay_until(
    assertion: Assertion, confirmation: SubjectConfirmation | None, expected: ResponseExpectations
) -> datetime:
    """When the assertion stops being acceptable by its own times, plus the skew: until then its key is kept."""
    ends = [item.not_on_or_after for item in assertion.subject_confirmations if item.not_on_or_after is not None]
    return later(max(ends, default=expected.now + expected.max_age), expected.skew)
