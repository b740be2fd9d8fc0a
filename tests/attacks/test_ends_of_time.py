"""Partners write the first and the last instant that a date can have: accepted or refused, and never our mistake."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from federation.errors import Refused
from federation.saml.messages import Conditions
from federation.saml.metadata import trust
from federation.saml.profiles import bearer_grant
from federation.saml.times import later
from tests import factories, metadata_factories
from tests.attacks import catalogue_grant, deliveries
from tests.attacks.catalogue import conditions, confirmed, stated
from tests.attacks.catalogue_logout import answered, asked
from tests.attacks.catalogue_requests import request
from tests.factories import NOW, accept_request, accept_response, assertion, envelope, signed_response

FIRST = datetime(1, 1, 1, tzinfo=UTC)
LAST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
Judge = Callable[[datetime], object]


def grant(**more: object) -> object:
    expected = bearer_grant.Expected(
        partner=factories.idp_entity(), token_url=catalogue_grant.TOKEN_URL, now=factories.NOW
    )
    return bearer_grant.accept(catalogue_grant.grant(**more), expected)


def metadata(at: datetime) -> object:
    role = metadata_factories.sp_role_xml()
    until = at.isoformat()[:19] + "Z"
    more = f'validUntil="{until}" cacheDuration="P9999Y9999M999999DT99999999H99999999M9999999999S"'
    return trust.verify(
        metadata_factories.signed(metadata_factories.entity_xml(role, attributes=more), "signer"),
        now=metadata_factories.NOW,
        own_entity_id="https://own.example.org",
        role="sp",
        signer_fingerprints=(metadata_factories.fingerprint_of("signer"),),
    )


# What is said, how we judge it, and whether it is accepted at the first instant and at the last.
CASES: dict[str, tuple[Judge, bool, bool]] = {
    "issued": (lambda at: accept_response(signed_response(inside=envelope(issue_instant=at))), False, False),
    "assertion issued": (lambda at: accept_response(signed_response(assertion(issue_instant=at))), False, False),
    "not before": (lambda at: accept_response(conditions(not_before=at)), True, False),
    "not on or after": (lambda at: accept_response(conditions(not_on_or_after=at)), False, True),
    "confirmed until": (lambda at: accept_response(confirmed(not_on_or_after=at)), False, True),
    "signed in": (lambda at: accept_response(stated(authn_instant=at)), True, False),
    "session until": (lambda at: accept_response(stated(session_not_on_or_after=at)), False, True),
    "our copy valid until": (
        lambda at: accept_response(signed_response(), idp=replace(factories.idp_entity(), valid_until=at)),
        False,
        True,
    ),
    "request": (lambda at: accept_request(request(issue_instant=at)), False, False),
    "logout": (lambda at: deliveries.read_logout(asked(issue_instant=at)), False, False),
    "logout until": (lambda at: deliveries.read_logout(asked(not_on_or_after=at)), False, True),
    "logout answered": (lambda at: deliveries.read_logout(answered(issue_instant=at)), False, False),
    "grant": (lambda at: grant(issue_instant=at), False, False),
    "grant until": (
        lambda at: grant(conditions=Conditions(FIRST, at, ((catalogue_grant.TOKEN_URL,),))),
        False,
        True,
    ),
    "metadata": (metadata, False, False),
}


@pytest.mark.parametrize("name", CASES)
def test_the_ends_of_time_are_accepted_or_refused(name: str) -> None:
    judge, first, last = CASES[name]
    for at, accepted in ((FIRST, first), (LAST, last)):
        if accepted:
            assert judge(at)
        else:
            with pytest.raises(Refused):
                judge(at)


def test_what_is_acceptable_for_ever_is_remembered_for_ever() -> None:
    accepted = accept_response(confirmed(not_on_or_after=LAST))
    assert accepted.replay_until == datetime(9999, 12, 31, tzinfo=UTC)
    assert later(NOW, timedelta(days=1)) == NOW + timedelta(days=1)
