"""An assertion for an access token: SAML 2.0 Bearer Assertion Profile for OAuth 2.0 Authorization Grants (RFC 7522).

A server that has a partner's metadata asks that partner's token endpoint for a short-lived token by an assertion about
itself. It is for that endpoint alone, good once and for minutes; what proves it is a key from the issuer's metadata.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from lxml import etree

from federation.errors import Malformed, Refused
from federation.saml import signature, xml
from federation.saml.algorithms import DEFAULT_ALGORITHMS, Algorithms
from federation.saml.checks import Check, Seen, attempt, rule, run
from federation.saml.codec import assertion as assertion_codec
from federation.saml.codec.assertion import ASSERTION
from federation.saml.codec.common import ISSUER, read_issuer
from federation.saml.messages import Assertion, Conditions, NameID, SubjectConfirmation
from federation.saml.metadata.entity import Entity
from federation.saml.names import ConfirmationMethod, NameIDFormat
from federation.saml.profiles import common
from federation.saml.signature import SigningKey
from federation.saml.times import format_instant

GRANT_TYPE: Final = "urn:ietf:params:oauth:grant-type:saml2-bearer"
LIFETIME: Final = timedelta(minutes=2)
"""How long an assertion of ours may take to arrive."""
MAX_LIFETIME: Final = timedelta(minutes=5)
MAX_OCTETS: Final = 65_536
_FORM: Final = "SAML Core 2.3.3"


def build(*, assertion_id: str, issuer: str, token_url: str, now: datetime, signing_key: SigningKey) -> str:
    """The `assertion` parameter: a signed assertion about ourselves, for one token endpoint (RFC 7522 2.1, 3)."""
    end = now + LIFETIME
    confirmation = SubjectConfirmation(ConfirmationMethod.BEARER, recipient=token_url, not_on_or_after=end)
    element = assertion_codec.write(
        Assertion(
            id=assertion_id,
            issuer=issuer,
            issue_instant=now,
            name_id=NameID(issuer, NameIDFormat.ENTITY),
            subject_confirmations=(confirmation,),
            conditions=Conditions(not_before=now, not_on_or_after=end, audience_restrictions=((token_url,),)),
            authn_statements=(),
        )
    )
    return base64.urlsafe_b64encode(signature.signed(element, key=signing_key)).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True)
class AcceptedGrant:
    """An assertion that passed every check. The caller refuses a `replay_key` seen before, until `replay_until`."""

    assertion: Assertion
    replay_key: str
    replay_until: datetime
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class Expected:
    """Who is asked, when, and whose keys count."""

    partner: Entity
    token_url: str
    now: datetime
    skew: timedelta = common.SKEW


def decode(parameter: str) -> bytes:
    """The document in the `assertion` parameter (RFC 7522 2.1). Raises `Malformed` (rule `grant.base64url`)."""
    if not parameter or len(parameter) > 2 * MAX_OCTETS or not parameter.isascii():
        raise Malformed("grant.base64url", "no assertion, or too long a one")
    try:
        padded = parameter.rstrip("=") + "=" * (-len(parameter.rstrip("=")) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("grant.base64url", "the assertion is not base64url") from None


def issuer_of(document: bytes) -> str:
    """The Issuer that it claims: unverified, only to look the partner up. Raises `Malformed`."""
    issuer = xml.expect(xml.parse(document, max_bytes=MAX_OCTETS), ASSERTION).find(ISSUER)
    if issuer is None:
        raise Malformed("assertion.issuer", "the assertion names no Issuer")
    return read_issuer(issuer)


def accept(document: bytes, expected: Expected, *, algorithms: Algorithms = DEFAULT_ALGORITHMS) -> AcceptedGrant:
    """Accept an assertion at our token endpoint, or raise `Refused` with every check made; `Malformed` for no XML."""
    root = xml.parse(document, max_bytes=MAX_OCTETS)
    checks = run(_DOCUMENT, (), root)
    attempt(checks, "SAML Core 1.3.4", xml.collect_ids, root)
    role = expected.partner.idp
    keys = () if role is None else role.signing_keys
    signed = signature.examine(root, keys=keys, algorithms=algorithms, before=checks)
    assertion = attempt(signed.checks, _FORM, assertion_codec.read, signed.element)
    checks = run(_RULES, signed.checks, assertion, signed.element, expected)
    confirmation, checks = _confirmation(assertion, expected, checks)
    assert confirmation.not_on_or_after is not None, "a rule has seen it"
    return AcceptedGrant(
        assertion,
        hashlib.sha256(f"grant\n{assertion.issuer}\n{assertion.id}".encode()).hexdigest(),
        expected.now + MAX_LIFETIME + 2 * expected.skew,
        checks,
    )


def _confirmation(
    assertion: Assertion, expected: Expected, checks: tuple[Check, ...]
) -> tuple[SubjectConfirmation, tuple[Check, ...]]:
    """The first bearer confirmation that passes every rule: one must pass them all, by itself."""
    refusal = None
    for confirmation in assertion.subject_confirmations:
        if confirmation.method == ConfirmationMethod.BEARER:
            try:
                return confirmation, run(_CONFIRMATION, checks, confirmation, expected)
            except Refused as refused:
                refusal = refusal or refused
    assert refusal is not None, "a rule has seen a bearer confirmation"
    raise refusal


# Rules ----------------------------------------------------------------------------------------------------------------


@rule("grant.root", "RFC 7522 2.1")
def root_is_an_assertion(element: etree._Element) -> Seen:
    """It is one assertion, with nothing around it."""
    return element.tag == ASSERTION, "Assertion", xml.local_name(element)


@rule("grant.assertions", "SAML Core 2.3.3")
def no_other_assertion(element: etree._Element) -> Seen:
    """No other assertion in it, but in its advice."""
    return common.assertions_in_place(element)


@rule("grant.signatures", "SAML Core 5.4.2")
def no_other_signature(element: etree._Element) -> Seen:
    """No signature in it but its own."""
    return common.signatures_in_place(element)


@rule("grant.version", "SAML Core 4.1")
def version(assertion: Assertion, element: etree._Element, expected: Expected) -> Seen:
    """It is SAML 2.0."""
    return common.version(element)


@rule("grant.issuer", "RFC 7522 3, 1")
def issuer(assertion: Assertion, element: etree._Element, expected: Expected) -> Seen:
    """Its Issuer is the partner whose keys were used."""
    return common.same(expected.partner.entity_id, assertion.issuer)


@rule("grant.subject", "RFC 7522 3, 3")
def subject(assertion: Assertion, element: etree._Element, expected: Expected) -> Seen:
    """It is about its issuer itself: the server that wants the token."""
    name_id = assertion.name_id
    return common.same(expected.partner.entity_id, None if name_id is None else name_id.value)


@rule("grant.autonomous", "RFC 7522 3, 8")
def no_authentication(assertion: Assertion, element: etree._Element, expected: Expected) -> Seen:
    """Nobody signed in: an assertion from somebody's sign-in is no grant."""
    return not assertion.authn_statements, "no AuthnStatement", f"{len(assertion.authn_statements)}"


@rule("grant.issue_instant", "RFC 7522 3, 7")
def issued_just_now(assertion: Assertion, element: etree._Element, expected: Expected) -> Seen:
    """It was issued just now, as clocks go."""
    return common.issued_in_window(assertion.issue_instant, now=expected.now, skew=expected.skew, max_age=MAX_LIFETIME)


@rule("grant.conditions", "SAML Core 2.5.1, 2.5.1.3")
def known_conditions(assertion: Assertion, element: etree._Element, expected: Expected) -> Seen:
    """It has conditions, and none that we do not understand."""
    conditions = assertion.conditions
    unknown = ("none at all",) if conditions is None else conditions.unknown
    return not unknown, "conditions that we know", ", ".join(unknown) or "as expected"


@rule("grant.audience", "RFC 7522 3, 2")
def audience(assertion: Assertion, element: etree._Element, expected: Expected) -> Seen:
    """Every audience restriction names our token endpoint, and nobody else."""
    restrictions = () if assertion.conditions is None else assertion.conditions.audience_restrictions
    ok = bool(restrictions) and all(audiences == (expected.token_url,) for audiences in restrictions)
    received = " and ".join(", ".join(audiences) for audiences in restrictions)
    return ok, expected.token_url, received or "no audience restriction"


@rule("grant.validity", "RFC 7522 3, 4 and 6; SAML Core 2.5.1.2")
def valid_now(assertion: Assertion, element: etree._Element, expected: Expected) -> Seen:
    """Its conditions begin and end around now."""
    conditions = assertion.conditions
    begin = None if conditions is None else conditions.not_before
    end = None if conditions is None else conditions.not_on_or_after
    ok = (begin is None or begin <= expected.now + expected.skew) and (
        end is None or expected.now - expected.skew < end
    )
    told = f"{format_instant(begin) if begin else 'no start'} to {format_instant(end) if end else 'no end'}"
    return ok, f"valid at {format_instant(expected.now)}", told


@rule("grant.bearer", "RFC 7522 3, 5")
def bearer(assertion: Assertion, element: etree._Element, expected: Expected) -> Seen:
    """There is a bearer confirmation."""
    methods = [confirmation.method for confirmation in assertion.subject_confirmations]
    return ConfirmationMethod.BEARER in methods, ConfirmationMethod.BEARER, ", ".join(methods) or "none"


@rule("grant.recipient", "RFC 7522 3, 5")
def recipient(confirmation: SubjectConfirmation, expected: Expected) -> Seen:
    """Recipient is our token endpoint, exactly."""
    return common.same(expected.token_url, confirmation.recipient)


@rule("grant.end", "RFC 7522 3, 4 and 5")
def ends_soon(confirmation: SubjectConfirmation, expected: Expected) -> Seen:
    """There is a time by which it must be delivered: not over, and minutes away."""
    end = confirmation.not_on_or_after
    earliest, latest = expected.now - expected.skew, expected.now + MAX_LIFETIME + expected.skew
    wanted = f"an end between {format_instant(earliest)} and {format_instant(latest)}"
    return end is not None and earliest < end <= latest, wanted, "none" if end is None else format_instant(end)


@rule("grant.unasked", "SAML Profiles 4.1.4.2")
def answers_nothing(confirmation: SubjectConfirmation, expected: Expected) -> Seen:
    """It answers no request."""
    received = confirmation.in_response_to
    return received is None, "no InResponseTo", received or "none"


_DOCUMENT: Final = (root_is_an_assertion, no_other_assertion, no_other_signature)
_RULES: Final = (
    version,
    issuer,
    subject,
    no_authentication,
    issued_just_now,
    known_conditions,
    audience,
    valid_now,
    bearer,
)
_CONFIRMATION: Final = (recipient, ends_soon, answers_nothing)
