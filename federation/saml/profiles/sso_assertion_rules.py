"""Web Browser SSO, the assertion: its rules, one clause each (SAML Profiles 4.1.4.2, 4.1.4.3; SAML Core 2).

The rules on how the person was authenticated are in `sso_authn_rules`.
"""

from __future__ import annotations

from typing import Final

from lxml import etree

from federation.saml import xml
from federation.saml.checks import Seen, rule
from federation.saml.codec.assertion import ASSERTION
from federation.saml.messages import SubjectConfirmation
from federation.saml.names import ConfirmationMethod
from federation.saml.profiles import common
from federation.saml.profiles.sso_response_context import ResponseExpectations, Statement
from federation.saml.times import format_instant

# What it is, and for whom ---------------------------------------------------------------------------------------------


@rule("assertion.root", "SAML Core 2.3.3, 2.3.4")
def assertion_root(element: etree._Element) -> Seen:
    """What was decrypted is an assertion, with nothing around it."""
    return element.tag == ASSERTION, "Assertion", xml.local_name(element)


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
    return not unknown, "conditions that we know", ", ".join(unknown) or "as expected"


@rule("assertion.audience", "SAML Profiles 4.1.4.2, 4.1.4.3; SAML Core 2.5.1.4")
def audience(statement: Statement) -> Seen:
    """It is restricted to an audience, and every restriction names us, exactly."""
    conditions = statement.assertion.conditions
    restrictions = () if conditions is None else conditions.audience_restrictions
    us = statement.expected.sp_entity_id
    ok = bool(restrictions) and all(us in audiences for audiences in restrictions)
    return ok, us, " and ".join(", ".join(audiences) for audiences in restrictions) or "no audience restriction"


@rule("assertion.not_before", "SAML Core 2.5.1.2")
def not_before(statement: Statement) -> Seen:
    """It is valid already."""
    conditions, expected = statement.assertion.conditions, statement.expected
    start = None if conditions is None else conditions.not_before
    latest = format_instant(expected.now + expected.skew)
    if start is None:
        return True, f"valid by {latest}", "no start"
    return start <= expected.now + expected.skew, f"valid by {latest}", f"valid from {format_instant(start)}"


@rule("assertion.not_on_or_after", "SAML Core 2.5.1.2")
def not_on_or_after(statement: Statement) -> Seen:
    """It is valid still."""
    conditions, expected = statement.assertion.conditions, statement.expected
    end = None if conditions is None else conditions.not_on_or_after
    earliest = format_instant(expected.now - expected.skew)
    if end is None:
        return True, f"valid after {earliest}", "no end"
    return expected.now - expected.skew < end, f"valid after {earliest}", f"valid until {format_instant(end)}"


# The bearer -----------------------------------------------------------------------------------------------------------


@rule("assertion.bearer", "SAML Profiles 4.1.4.2; 3.3")
def bearer(statement: Statement) -> Seen:
    """Whoever bears it is confirmed as its subject: at least one confirmation has the bearer method."""
    methods = [confirmation.method for confirmation in statement.assertion.subject_confirmations]
    return ConfirmationMethod.BEARER in methods, ConfirmationMethod.BEARER, ", ".join(methods) or "none"


@rule("confirmation.recipient", "SAML Profiles 4.1.4.2, 4.1.4.3")
def recipient(confirmation: SubjectConfirmation, expected: ResponseExpectations) -> Seen:
    """Recipient is our endpoint, exactly."""
    return common.same(expected.acs_url, confirmation.recipient)


@rule("confirmation.not_on_or_after", "SAML Profiles 4.1.4.2, 4.1.4.3")
def confirmation_end(confirmation: SubjectConfirmation, expected: ResponseExpectations) -> Seen:
    """There is a time by which it must be delivered, and it is not over."""
    earliest, end = expected.now - expected.skew, confirmation.not_on_or_after
    received = "none" if end is None else format_instant(end)
    return end is not None and earliest < end, f"an end after {format_instant(earliest)}", received


@rule("confirmation.not_before", "SAML Profiles 4.1.4.2")
def confirmation_start(confirmation: SubjectConfirmation, expected: ResponseExpectations) -> Seen:
    """A bearer confirmation has no NotBefore."""
    start = confirmation.not_before
    return start is None, "no NotBefore", "none" if start is None else format_instant(start)


@rule("confirmation.in_response_to", "SAML Profiles 4.1.4.2, 4.1.4.3, 4.1.5")
def confirmation_in_response_to(confirmation: SubjectConfirmation, expected: ResponseExpectations) -> Seen:
    """It answers the request that this browser began, and none when there was none."""
    received = confirmation.in_response_to
    wanted = expected.request_id
    return received == wanted, wanted or "none", received or "none"


DOCUMENT: Final = (assertion_root, assertion_assertions, assertion_signatures)
STATEMENT: Final = (
    assertion_version,
    assertion_issuer,
    assertion_issue_instant,
    known_conditions,
    audience,
    not_before,
    not_on_or_after,
)
SUBJECT: Final = (bearer,)
CONFIRMATION: Final = (recipient, confirmation_end, confirmation_start, confirmation_in_response_to)
