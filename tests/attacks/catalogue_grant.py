"""Assertions sent for an access token, each wrong in just the way that one named check looks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from lxml import etree

from federation.saml import signature, xml
from federation.saml.codec import assertion as assertion_codec
from federation.saml.messages import Assertion, Conditions, NameID, SubjectConfirmation
from federation.saml.names import SAML, ConfirmationMethod, NameIDFormat
from federation.saml.profiles import bearer_grant
from tests import factories
from tests.attacks.catalogue import Attack, in_a_value, put, under
from tests.factories import IDP, NOW

TOKEN_URL = "https://sp.example.com/saml/token"
A = f"{{{SAML}}}"
D = "{http://www.w3.org/2000/09/xmldsig#}"
MINUTE = timedelta(minutes=1)


def confirmation(**more: Any) -> SubjectConfirmation:
    """The bearer confirmation of a sound one, changed."""
    whole = SubjectConfirmation(ConfirmationMethod.BEARER, recipient=TOKEN_URL, not_on_or_after=NOW + 2 * MINUTE)
    return replace(whole, **more)


def grant(*, change: Callable[[etree._Element], object] | None = None, **more: Any) -> bytes:
    """A sound assertion, changed as a value and then as an element before it is signed."""
    whole = Assertion(
        id=factories.ASSERTION_ID,
        issuer=IDP,
        issue_instant=NOW,
        name_id=NameID(IDP, NameIDFormat.ENTITY),
        subject_confirmations=(confirmation(),),
        conditions=Conditions(NOW, NOW + 2 * MINUTE, ((TOKEN_URL,),)),
        authn_statements=(),
    )
    element = xml.lift(assertion_codec.write(replace(whole, **more)))
    if change is not None:
        change(element)
    signature.sign(element, key=factories.signing_key("idp"))
    return xml.serialise(element)


def with_a_value(tag: str) -> Callable[[etree._Element], None]:
    """Park an element where an attribute's value stands."""

    def park(element: etree._Element) -> None:
        statement = in_a_value(tag).find(f"{A}AttributeStatement")
        assert statement is not None
        element.append(statement)

    return park


def within(start: timedelta | None, end: timedelta | None) -> bytes:
    """Conditions that begin and end so far from now."""
    return grant(
        conditions=Conditions(
            None if start is None else NOW + start, None if end is None else NOW + end, ((TOKEN_URL,),)
        )
    )


ATTACKS = (
    Attack(bearer_grant.root_is_an_assertion, "a response", factories.response_xml, behind="xml.root"),
    Attack(
        bearer_grant.no_other_assertion,
        "an assertion parked in a value",
        lambda: grant(change=with_a_value(f"{A}Assertion")),
    ),
    Attack(
        bearer_grant.no_other_signature,
        "a signature parked in a value",
        lambda: grant(change=with_a_value(f"{D}Signature")),
    ),
    Attack(bearer_grant.version, "SAML 1.1", lambda: grant(change=put("Version", "1.1"))),
    Attack(bearer_grant.issuer, "in another's name", lambda: grant(issuer=factories.OTHER_SP)),
    Attack(bearer_grant.subject, "about a person", lambda: grant(name_id=NameID("alice"))),
    Attack(bearer_grant.subject, "about nobody", lambda: grant(name_id=None)),
    Attack(
        bearer_grant.no_authentication,
        "from somebody's sign-in",
        lambda: grant(authn_statements=(factories.authn_statement(),)),
    ),
    Attack(bearer_grant.issued_just_now, "an old one", lambda: grant(issue_instant=NOW - 60 * MINUTE)),
    Attack(bearer_grant.issued_just_now, "one from the future", lambda: grant(issue_instant=NOW + 60 * MINUTE)),
    Attack(
        bearer_grant.known_conditions,
        "a condition that nobody knows",
        lambda: grant(change=under(f"{A}Conditions", "{urn:x}OnlyOnSundays")),
    ),
    Attack(
        bearer_grant.audience,
        "for another's endpoint",
        lambda: grant(conditions=Conditions(NOW, NOW + 2 * MINUTE, (("https://other.example.net/token",),))),
    ),
    Attack(
        bearer_grant.audience,
        "for ours among others",
        lambda: grant(conditions=Conditions(NOW, NOW + 2 * MINUTE, ((TOKEN_URL, factories.OTHER_SP),))),
    ),
    Attack(
        bearer_grant.audience,
        "for anybody",
        lambda: grant(conditions=Conditions(NOW, NOW + 2 * MINUTE, ())),
    ),
    Attack(bearer_grant.valid_now, "conditions that are over", lambda: within(-60 * MINUTE, -30 * MINUTE)),
    Attack(bearer_grant.valid_now, "conditions not begun", lambda: within(30 * MINUTE, 60 * MINUTE)),
    Attack(
        bearer_grant.bearer,
        "a confirmation of another kind",
        lambda: grant(subject_confirmations=(confirmation(method=ConfirmationMethod.SENDER_VOUCHES),)),
        behind="AssertionError",
    ),
    Attack(
        bearer_grant.recipient,
        "to an endpoint that begins like ours",
        lambda: grant(subject_confirmations=(confirmation(recipient=f"{TOKEN_URL}/"),)),
    ),
    Attack(
        bearer_grant.ends_soon,
        "one that is good for a day",
        lambda: grant(subject_confirmations=(confirmation(not_on_or_after=NOW + 24 * 60 * MINUTE),)),
    ),
    Attack(
        bearer_grant.ends_soon,
        "one that is over",
        lambda: grant(subject_confirmations=(confirmation(not_on_or_after=NOW - 60 * MINUTE),)),
    ),
    Attack(
        bearer_grant.answers_nothing,
        "an answer to a request",
        lambda: grant(subject_confirmations=(confirmation(in_response_to=factories.REQUEST_ID),)),
    ),
)


def judge(attack: Attack) -> object:
    """What our token endpoint makes of it."""
    expected = bearer_grant.Expected(partner=factories.idp_entity(), token_url=TOKEN_URL, now=NOW)
    return bearer_grant.accept(attack.message(), expected)
