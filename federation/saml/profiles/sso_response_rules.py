"""Web Browser SSO, the response: its rules, one clause each (SAML Profiles 4.1.4.2, 4.1.4.3; SAML Core 2 and 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from lxml import etree

from federation.errors import ConfigurationError
from federation.saml import xml
from federation.saml.bindings.parameters import RESPONSE as SAML_RESPONSE
from federation.saml.checks import Seen, rule
from federation.saml.codec.assertion import ASSERTION
from federation.saml.codec.response import ENCRYPTED_ASSERTION, RESPONSE, assertions_in
from federation.saml.encryption import DecryptionKey
from federation.saml.messages import Assertion, AuthnStatement, Received, Response, SubjectConfirmation
from federation.saml.metadata.entity import Entity
from federation.saml.names import Binding, ConfirmationMethod, StatusCode
from federation.saml.profiles import common
from federation.saml.signature import DEFAULT_ALGORITHMS, Algorithms
from federation.saml.times import format_instant

FORM: Final = "SAML Core 3.3.3; SAML 2.0 schemas"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseExpectations:
    """Everything a response is held against. None of it comes from the response.

    `sp_entity_id`, `acs_url`: who we are, and where the response arrived, from our settings. `idp`: whom the request
    was sent to, or who may send unsolicited ones. `request_id`: the ID of the request that this browser began, None for
    an unsolicited response, which needs `allow_unsolicited`. `decryption_keys` are tried in turn.
    `requested_class_refs`: the authentication context classes that the request asked for exactly; one must come back.
    `force_authn` with `request_instant`: the person must have signed in after the request was made.
    `skew`: how far the partner's clock may be off. `max_age`: how old response and assertion may be.
    """

    sp_entity_id: str
    acs_url: str
    idp: Entity
    now: datetime
    request_id: str | None = None
    allow_unsolicited: bool = False
    skew: timedelta = common.SKEW
    max_age: timedelta = common.MAX_AGE
    decryption_keys: Sequence[DecryptionKey] = ()
    requested_class_refs: tuple[str, ...] = ()
    request_instant: datetime | None = None
    force_authn: bool = False
    algorithms: Algorithms = DEFAULT_ALGORITHMS

    def __post_init__(self) -> None:
        if self.force_authn and self.request_instant is None:
            raise ConfigurationError("response: force_authn needs the instant of the request")
        if self.idp.idp is None:
            raise ConfigurationError(f"response: {self.idp.entity_id} is no identity provider")


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the rules on the response look at: the envelope as signed (or unsigned), and what we expect."""

    response: Response
    element: etree._Element
    signed: bool
    expected: ResponseExpectations

    @property
    def assertions(self) -> list[etree._Element]:
        """The assertions in it, plain or encrypted."""
        return assertions_in(self.element)

    @property
    def encrypted(self) -> bool:
        """Is one of the assertions encrypted?"""
        return any(element.tag == ENCRYPTED_ASSERTION for element in self.assertions)


@dataclass(frozen=True, slots=True)
class Statement:
    """What the rules on the assertion look at: the assertion as signed, and what we expect."""

    assertion: Assertion
    element: etree._Element
    expected: ResponseExpectations

    @property
    def authn(self) -> AuthnStatement | None:
        """The authentication that counts: the latest stated."""
        statements = self.assertion.authn_statements
        return max(statements, key=lambda statement: statement.authn_instant) if statements else None


# How it came ----------------------------------------------------------------------------------------------------------


@rule("response.binding", "SAML Profiles 4.1.2, 4.1.4.5")
def binding(received: Received) -> Seen:
    """It came as a response, by a binding that this profile allows for one: never by HTTP-Redirect."""
    ok = received.binding in (Binding.POST, Binding.ARTIFACT) and received.parameter == SAML_RESPONSE
    return Seen(ok, "SAMLResponse by HTTP-POST or HTTP-Artifact", f"{received.parameter}, {received.binding}")


@rule("response.root", "SAML Core 3.3.3")
def root(element: etree._Element) -> Seen:
    """The document is a Response: nothing around it."""
    return Seen(element.tag == RESPONSE, "Response", xml.local_name(element))


@rule("response.signatures", "SAML Core 5.4.2")
def signatures(element: etree._Element) -> Seen:
    """No signature but the response's and its assertion's own."""
    return common.signatures_in_place(element, also_in=(ASSERTION,))


@rule("response.assertions", "SAML Core 3.3.3; SAML Profiles 4.1.4.2")
def assertions(element: etree._Element) -> Seen:
    """No assertion but as a child of the response, or in the advice of that: none in extensions, details or values."""
    return common.assertions_in_place(element)


# The response ---------------------------------------------------------------------------------------------------------


@rule("response.version", "SAML Core 4.1")
def version(envelope: Envelope) -> Seen:
    """It is SAML 2.0."""
    return common.version(envelope.element)


@rule("response.issuer", "SAML Profiles 4.1.4.2")
def issuer(envelope: Envelope) -> Seen:
    """Its Issuer is the IdP we expect; it may be left out only when nothing in it is signed or encrypted as a whole."""
    expected, received = envelope.expected.idp.entity_id, envelope.response.issuer
    if received is None:
        required = envelope.signed or envelope.encrypted
        return Seen(not required, expected if required else f"{expected}, or none", "none")
    return common.same(expected, received)


@rule("response.idp_metadata", "SAML Metadata 2.3.2, 2.4.1")
def idp_metadata(envelope: Envelope) -> Seen:
    """What we know about the IdP is still valid."""
    expected = envelope.expected
    return common.metadata_valid(expected.idp, expected.idp.idp, now=expected.now)


@rule("response.destination", "SAML Core 3.2.2; SAML Bindings 3.5.5.2")
def destination(envelope: Envelope) -> Seen:
    """Destination is our endpoint, exactly; a signed response must have one."""
    expected, received = envelope.expected.acs_url, envelope.response.destination
    if received is None:
        return Seen(not envelope.signed, expected if envelope.signed else f"{expected}, or none", "none")
    return common.same(expected, received)


@rule("response.issue_instant", "SAML Core 3.2.2")
def issue_instant(envelope: Envelope) -> Seen:
    """It was issued just now, as clocks go."""
    expected = envelope.expected
    instant = envelope.response.issue_instant
    return common.issued_in_window(instant, now=expected.now, skew=expected.skew, max_age=expected.max_age)


@rule("response.in_response_to", "SAML Profiles 4.1.4.3, 4.1.5; SAML Core 3.2.2")
def in_response_to(envelope: Envelope) -> Seen:
    """It answers the request that this browser began; an unsolicited one answers none, and is allowed here."""
    expected, received = envelope.expected, envelope.response.in_response_to
    if expected.request_id is not None:
        return common.same(expected.request_id, received)
    wanted = "an unsolicited response" if expected.allow_unsolicited else "an answer to a request of ours"
    ok = expected.allow_unsolicited and received is None
    return Seen(ok, wanted, "an unsolicited response" if received is None else f"an answer to {received}")


@rule("response.status", "SAML Core 3.2.2.2")
def status(envelope: Envelope) -> Seen:
    """Its status is Success."""
    received = envelope.response.status
    codes = " / ".join(code for code in (received.code, received.second_level) if code is not None)
    return Seen(received.code == StatusCode.SUCCESS, StatusCode.SUCCESS, codes)


@rule("response.one_assertion", "SAML Profiles 4.1.4.2; SDP-IDP10")
def one_assertion(envelope: Envelope) -> Seen:
    """It holds exactly one assertion, plain or encrypted."""
    count = len(envelope.assertions)
    return Seen(count == 1, "1", str(count))


@rule("assertion.signed", "SAML Profiles 4.1.4.5; SDP-IDP09")
def covered(response_signed: bool, assertion_signed: bool) -> Seen:
    """A verified signature covers the assertion: the response's, its own, or both. Encryption covers nothing."""
    received = {
        (True, True): "response and assertion signed",
        (True, False): "response signed",
        (False, True): "assertion signed",
        (False, False): "no signature",
    }[(response_signed, assertion_signed)]
    return Seen(response_signed or assertion_signed, "response or assertion signed", received)


# The assertion --------------------------------------------------------------------------------------------------------


@rule("assertion.root", "SAML Core 2.3.3, 2.3.4")
def assertion_root(element: etree._Element) -> Seen:
    """What was decrypted is an assertion, with nothing around it."""
    return Seen(element.tag == ASSERTION, "Assertion", xml.local_name(element))


@rule("assertion.assertions", "SAML Core 2.3.3")
def assertion_assertions(element: etree._Element) -> Seen:
    """No other assertion in it, but in its advice."""
    return common.assertions_in_place(element)


@rule("assertion.signatures", "SAML Core 5.4.2")
def assertion_signatures(element: etree._Element) -> Seen:
    """No signature in it but its own."""
    return common.signatures_in_place(element)


@rule("assertion.version", "SAML Core 4.1")
def assertion_version(statement: Statement) -> Seen:
    """It is SAML 2.0."""
    return common.version(statement.element)


@rule("assertion.issuer", "SAML Profiles 4.1.4.2, 4.1.4.3")
def assertion_issuer(statement: Statement) -> Seen:
    """Its Issuer is the IdP we expect, whose keys were used: one issuer for key, response and assertion."""
    return common.same(statement.expected.idp.entity_id, statement.assertion.issuer)


@rule("assertion.issue_instant", "SAML Core 2.3.3")
def assertion_issue_instant(statement: Statement) -> Seen:
    """It was issued just now, as clocks go."""
    expected, instant = statement.expected, statement.assertion.issue_instant
    return common.issued_in_window(instant, now=expected.now, skew=expected.skew, max_age=expected.max_age)


@rule("assertion.conditions", "SAML Core 2.5.1, 2.5.1.3")
def known_conditions(statement: Statement) -> Seen:
    """No condition that we do not understand: the assertion's validity would be indeterminate."""
    conditions = statement.assertion.conditions
    unknown = () if conditions is None else conditions.unknown
    return Seen(not unknown, "conditions that we know", ", ".join(unknown) or "as expected")


@rule("assertion.audience", "SAML Profiles 4.1.4.2, 4.1.4.3; SAML Core 2.5.1.4")
def audience(statement: Statement) -> Seen:
    """It is restricted to an audience, and every restriction names us, exactly."""
    conditions = statement.assertion.conditions
    restrictions = () if conditions is None else conditions.audience_restrictions
    us = statement.expected.sp_entity_id
    ok = bool(restrictions) and all(us in audiences for audiences in restrictions)
    return Seen(ok, us, " and ".join(", ".join(audiences) for audiences in restrictions) or "no audience restriction")


@rule("assertion.not_before", "SAML Core 2.5.1.2")
def not_before(statement: Statement) -> Seen:
    """It is valid already."""
    conditions, expected = statement.assertion.conditions, statement.expected
    start = None if conditions is None else conditions.not_before
    latest = format_instant(expected.now + expected.skew)
    if start is None:
        return Seen(True, f"valid by {latest}", "no start")
    return Seen(start <= expected.now + expected.skew, f"valid by {latest}", f"valid from {format_instant(start)}")


@rule("assertion.not_on_or_after", "SAML Core 2.5.1.2")
def not_on_or_after(statement: Statement) -> Seen:
    """It is valid still."""
    conditions, expected = statement.assertion.conditions, statement.expected
    end = None if conditions is None else conditions.not_on_or_after
    earliest = format_instant(expected.now - expected.skew)
    if end is None:
        return Seen(True, f"valid after {earliest}", "no end")
    return Seen(expected.now - expected.skew < end, f"valid after {earliest}", f"valid until {format_instant(end)}")


@rule("assertion.authn_statement", "SAML Profiles 4.1.4.2")
def authn_statement(statement: Statement) -> Seen:
    """It states an authentication."""
    count = len(statement.assertion.authn_statements)
    return Seen(count > 0, "at least 1 AuthnStatement", str(count))


@rule("assertion.authn_instant", "SAML Core 2.7.2")
def authn_instant(statement: Statement) -> Seen:
    """The authentication was not in the future."""
    expected, authn = statement.expected, statement.authn
    latest = expected.now + expected.skew
    received = "none" if authn is None else format_instant(authn.authn_instant)
    return Seen(authn is None or authn.authn_instant <= latest, f"not after {format_instant(latest)}", received)


@rule("assertion.session", "SAML Core 2.7.2; SAML Profiles 4.1.4.3")
def session(statement: Statement) -> Seen:
    """The session that it states has not ended."""
    expected = statement.expected
    earliest = expected.now - expected.skew
    end = session_end(statement.assertion)
    received = "no end" if end is None else f"ends {format_instant(end)}"
    return Seen(end is None or earliest < end, f"a session that lasts beyond {format_instant(earliest)}", received)


@rule("assertion.authn_context", "SAML Core 3.3.2.2.1, 3.4.1")
def authn_context(statement: Statement) -> Seen:
    """The person was authenticated in one of the ways that the request asked for."""
    wanted, authn = statement.expected.requested_class_refs, statement.authn
    received = None if authn is None else authn.authn_context_class_ref
    return Seen(not wanted or received in wanted, " or ".join(wanted) or "any class", received or "none")


@rule("assertion.force_authn", "SAML Core 3.4.1; SAML Profiles 4.1.4.1")
def force_authn(statement: Statement) -> Seen:
    """Where the request demanded it, the person signed in anew, after the request."""
    expected, authn = statement.expected, statement.authn
    if not expected.force_authn or expected.request_instant is None:
        return Seen(True, "any sign-in", "as expected")
    earliest = expected.request_instant - expected.skew
    received = "none" if authn is None else format_instant(authn.authn_instant)
    ok = authn is not None and authn.authn_instant >= earliest
    return Seen(ok, f"a sign-in after {format_instant(earliest)}", received)


def session_end(assertion: Assertion) -> datetime | None:
    """The earliest end of session that the assertion states, or None."""
    ends = (statement.session_not_on_or_after for statement in assertion.authn_statements)
    return min((end for end in ends if end is not None), default=None)


# The bearer -----------------------------------------------------------------------------------------------------------


@rule("assertion.bearer", "SAML Profiles 4.1.4.2; 3.3")
def bearer(statement: Statement) -> Seen:
    """Whoever bears it is confirmed as its subject: at least one confirmation has the bearer method."""
    methods = [confirmation.method for confirmation in statement.assertion.subject_confirmations]
    return Seen(ConfirmationMethod.BEARER in methods, ConfirmationMethod.BEARER, ", ".join(methods) or "none")


@rule("confirmation.recipient", "SAML Profiles 4.1.4.2, 4.1.4.3")
def recipient(confirmation: SubjectConfirmation, expected: ResponseExpectations) -> Seen:
    """Recipient is our endpoint, exactly."""
    return common.same(expected.acs_url, confirmation.recipient)


@rule("confirmation.not_on_or_after", "SAML Profiles 4.1.4.2, 4.1.4.3")
def confirmation_end(confirmation: SubjectConfirmation, expected: ResponseExpectations) -> Seen:
    """There is a time by which it must be delivered, and it is not over."""
    earliest, end = expected.now - expected.skew, confirmation.not_on_or_after
    received = "none" if end is None else format_instant(end)
    return Seen(end is not None and earliest < end, f"an end after {format_instant(earliest)}", received)


@rule("confirmation.not_before", "SAML Profiles 4.1.4.2")
def confirmation_start(confirmation: SubjectConfirmation, expected: ResponseExpectations) -> Seen:
    """A bearer confirmation has no NotBefore."""
    start = confirmation.not_before
    return Seen(start is None, "no NotBefore", "none" if start is None else format_instant(start))


@rule("confirmation.in_response_to", "SAML Profiles 4.1.4.2, 4.1.4.3, 4.1.5")
def confirmation_in_response_to(confirmation: SubjectConfirmation, expected: ResponseExpectations) -> Seen:
    """It answers the request that this browser began, and none when there was none."""
    received = confirmation.in_response_to
    wanted = expected.request_id
    return Seen(received == wanted, wanted or "none", received or "none")


TRANSPORT: Final = (binding,)
DOCUMENT: Final = (root, signatures, assertions)
ENVELOPE: Final = (version, issuer, idp_metadata, destination, issue_instant, in_response_to)
STATUS: Final = (status,)
CONTENT: Final = (one_assertion,)
ASSERTION_DOCUMENT: Final = (assertion_root, assertion_assertions, assertion_signatures)
COVERED: Final = (covered,)
STATEMENT: Final = (
    assertion_version,
    assertion_issuer,
    assertion_issue_instant,
    known_conditions,
    audience,
    not_before,
    not_on_or_after,
    authn_statement,
    authn_instant,
    session,
    authn_context,
    force_authn,
    bearer,
)
CONFIRMATION: Final = (recipient, confirmation_end, confirmation_start, confirmation_in_response_to)
