"""Sessions on the server."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from idp_app.installation import Installation
from idp_app.models import Person, SignInSession
from idp_app.services import people, sessions
from idp_app.services.act import Act
from idp_app.services.sessions import SignedIn
from tests.idp_factories import NOW


@pytest.fixture
def alice(session: Session, act: Act) -> Person:
    return people.create(session, "alice", act, given_name="Alice", family_name="Archer")


def start(
    session: Session, person: Person, installation: Installation, now: datetime = NOW, previous: SignedIn | None = None
) -> str:
    settings = installation.settings
    return sessions.start(session, person.id, method="password", now=now, settings=settings, previous=previous)


def find(session: Session, token: str, installation: Installation, now: datetime = NOW) -> SignedIn | None:
    return sessions.find(session, token, now=now, settings=installation.settings)


def test_a_token_leads_to_its_person_and_nothing_else_does(session: Session, alice: Person, installation: Installation):
    token = start(session, alice, installation)
    found = find(session, token, installation)
    assert found is not None
    assert (found.person_id, found.name, found.authn_instant) == (alice.id, "Alice Archer", NOW)
    for wrong in ("", "x", token[:-1], token + "x", "\ud800"):
        assert find(session, wrong, installation) is None


def test_tokens_are_256_random_bits(session: Session, alice: Person, installation: Installation):
    tokens = {start(session, alice, installation) for _ in range(50)}
    assert len(tokens) == 50
    assert all(len(token) == 43 for token in tokens)


def test_the_hash_of_a_token_is_not_a_token(session: Session, alice: Person, installation: Installation):
    start(session, alice, installation)
    [row] = session.scalars(select(SignInSession))
    assert find(session, row.token_hash.hex(), installation) is None


@pytest.mark.parametrize(
    ("used", "looked", "live"),
    [
        (timedelta(), timedelta(minutes=59), True),
        (timedelta(), timedelta(minutes=60), False),
        (timedelta(minutes=50), timedelta(minutes=100), True),
        (timedelta(hours=9, minutes=30), timedelta(hours=10), False),
    ],
)
def test_a_session_ends_by_itself(
    session: Session, alice: Person, installation: Installation, used: timedelta, looked: timedelta, live: bool
):
    token = start(session, alice, installation)
    found = find(session, token, installation)
    assert found is not None
    sessions.touch(session, found, NOW + used)
    assert (find(session, token, installation, NOW + looked) is not None) is live


def test_use_is_written_once_a_minute(session: Session, alice: Person, installation: Installation):
    found = find(session, start(session, alice, installation), installation)
    assert found is not None
    sessions.touch(session, found, NOW + timedelta(seconds=59))
    assert session.scalars(select(SignInSession.last_seen)).all() == [NOW]
    sessions.touch(session, found, NOW + timedelta(seconds=60))
    assert session.scalars(select(SignInSession.last_seen)).all() == [NOW + timedelta(seconds=60)]


def test_authenticating_again_changes_the_token_and_keeps_the_session(
    session: Session, alice: Person, installation: Installation
):
    first = start(session, alice, installation)
    before = find(session, first, installation)
    later = NOW + timedelta(minutes=5)
    second = start(session, alice, installation, later, previous=before)
    after = find(session, second, installation, later)
    assert before is not None
    assert after is not None
    assert find(session, first, installation, later) is None
    assert (after.session_id, after.authn_instant) == (before.session_id, later)
    assert after.expires == later + installation.settings.session_lifetime


def test_somebody_else_in_the_same_browser_ends_the_session_before(
    session: Session, alice: Person, installation: Installation, act: Act
):
    token = start(session, alice, installation)
    bob = people.create(session, "bob", act)
    start(session, bob, installation, previous=find(session, token, installation))
    assert find(session, token, installation) is None


def test_a_session_that_was_ended_stays_ended(session: Session, alice: Person, installation: Installation):
    tokens = [start(session, alice, installation) for _ in range(2)]
    found = find(session, tokens[0], installation)
    assert found is not None
    sessions.end(session, found.session_id, NOW)
    assert find(session, tokens[0], installation) is None
    assert find(session, tokens[1], installation) is not None
    other = find(session, tokens[1], installation)
    assert other is not None
    both = {found.session_id, other.session_id}
    ended = sessions.end_these(session, both, NOW + timedelta(minutes=1))
    assert ended == {other.session_id: alice.id}
    assert find(session, tokens[1], installation) is None
    assert session.scalars(select(SignInSession.ended).order_by(SignInSession.ended)).all()[0] == NOW


def test_a_suspended_person_has_no_session(session: Session, alice: Person, installation: Installation):
    token = start(session, alice, installation)
    alice.suspended = True
    session.flush()
    assert find(session, token, installation) is None
