"""Requests that wait: kept whole, claimed by one browser, found again by it alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from federation.errors import PolicyRefusal, Refused
from federation.saml.messages import NameID, NameIDPolicy, RequestedAuthnContext
from federation.saml.metadata.entity import Endpoint
from federation.saml.names import Binding
from idp_app.models import ReceivedRequest
from idp_app.services import questions
from idp_app.services.questions import Question, Waiting
from tests.factories import request
from tests.idp_factories import NOW, FakeSP, IdPSite

ALICE, MALLORY = b"a" * 32, b"m" * 32
WINDOW = timedelta(hours=1)
QUESTION = Question("_1", "https://sp.example/acs", relay_state="deep link")


@pytest.fixture
def session(idp: IdPSite) -> Iterator[Session]:
    """A session on a site with one connection."""
    idp.connect(FakeSP())
    with idp.installation.sessions() as opened:
        yield opened


@pytest.fixture
def connection_id(idp: IdPSite, session: Session) -> str:
    """The connection."""
    return idp.connection("Intranet").id


def remember(session: Session, connection_id: str, question: Question = QUESTION, **more: Any) -> Waiting:
    arguments: dict[str, Any] = {
        "connection_id": connection_id,
        "digest": b"d" * 32,
        "browser_hash": ALICE,
        "checks": (),
        "now": NOW,
        "window": WINDOW,
    }
    return questions.remember(session, question, **(arguments | more))


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"force_authn": True, "is_passive": True},
        {"name_id_policy": NameIDPolicy("urn:f", "urn:q")},
        {"requested_authn_context": RequestedAuthnContext(("urn:a", "urn:b"), "minimum")},
        {"requested_authn_context": RequestedAuthnContext((), declaration_refs=("urn:d",))},
        {"attribute_consuming_service_index": 3},
        {"subject": NameID("x")},
    ],
)
def test_what_a_request_asks_survives_the_database(session: Session, connection_id: str, more: dict[str, Any]):
    asked = request(**more)
    question = Question.of(asked, acs=Endpoint(Binding.ARTIFACT, "https://sp.example/acs"), relay_state=None)
    waiting = questions.hold(session, remember(session, connection_id, question))
    session.expire_all()
    found = questions.claim(session, waiting.key, browser_hash=ALICE, now=NOW)
    assert found.question == question
    assert found.question.force_authn == asked.force_authn
    if asked.requested_authn_context is not None:
        assert found.question.authn_context is not None
        assert found.question.authn_context.class_refs == asked.requested_authn_context.class_refs
        assert found.question.authn_context.comparison == asked.requested_authn_context.comparison
    else:
        assert found.question.authn_context is None


def test_the_same_message_in_the_same_browser_is_found_again(session: Session, connection_id: str):
    first = remember(session, connection_id)
    assert remember(session, connection_id, now=NOW + timedelta(minutes=5)) == first


def test_a_question_has_a_key_once_the_browser_has_to_come_back_for_its_answer(session: Session, connection_id: str):
    asked = remember(session, connection_id)
    assert asked.key == ""
    held = questions.hold(session, asked)
    assert questions.claim(session, held.key, browser_hash=ALICE, now=NOW) == held
    assert questions.hold(session, held) == held
    assert questions.hold(session, asked) == held  # a reload that began when there was no key yet
    assert remember(session, connection_id) == held


def test_what_a_request_asks_is_kept_only_while_the_browser_may_come_back_for_the_answer(
    session: Session, connection_id: str
):
    asked = remember(session, connection_id)
    row = session.get_one(ReceivedRequest, (connection_id, QUESTION.request_id))
    assert row.waiting == {}
    assert remember(session, connection_id) == asked, "the message that comes again brings it again"
    questions.hold(session, asked)
    session.expire_all()
    assert row.waiting == QUESTION.to_json()


def test_a_message_that_was_answered_at_once_and_is_posted_again_waits_under_a_key(
    session: Session, connection_id: str
):
    asked = remember(session, connection_id)
    posted = remember(session, connection_id, browser_hash=None)
    assert posted.key
    assert questions.claim(session, posted.key, browser_hash=ALICE, now=NOW).question == asked.question
    with pytest.raises(PolicyRefusal):
        questions.claim(session, posted.key, browser_hash=MALLORY, now=NOW)


def test_a_link_that_nobody_asked_for_may_be_followed_again_and_again(session: Session, connection_id: str):
    link = Question(None, "https://sp.example/acs")
    keys = {remember(session, connection_id, link, digest=b"").key for _ in range(2)}
    assert len(keys) == 2
    for key in keys:
        assert questions.claim(session, key, browser_hash=ALICE, now=NOW).question == link


@pytest.mark.parametrize("more", [{"digest": b"x" * 32}, {"browser_hash": MALLORY}])
def test_anything_else_under_the_same_identifier_is_a_replay(
    session: Session, connection_id: str, more: dict[str, Any]
):
    remember(session, connection_id)
    with pytest.raises(Refused) as raised:
        remember(session, connection_id, **more)
    assert raised.value.rule == "request.replay"


def test_a_posted_request_is_claimed_by_the_first_browser(session: Session, connection_id: str):
    waiting = remember(session, connection_id, browser_hash=None)
    assert waiting.browser_hash is None
    assert questions.claim(session, waiting.key, browser_hash=ALICE, now=NOW).browser_hash == ALICE
    assert questions.claim(session, waiting.key, browser_hash=ALICE, now=NOW).browser_hash == ALICE
    with pytest.raises(PolicyRefusal) as raised:
        questions.claim(session, waiting.key, browser_hash=MALLORY, now=NOW)
    assert raised.value.rule == "request.browser"


def test_a_second_post_of_the_same_message_leads_to_the_same_place(session: Session, connection_id: str):
    first = remember(session, connection_id, browser_hash=None)
    questions.claim(session, first.key, browser_hash=ALICE, now=NOW)
    assert remember(session, connection_id, browser_hash=None).key == first.key


@pytest.mark.parametrize("late", [WINDOW, WINDOW * 2])
def test_a_request_does_not_wait_for_ever(session: Session, connection_id: str, late: timedelta):
    waiting = questions.hold(session, remember(session, connection_id))
    with pytest.raises(PolicyRefusal) as raised:
        questions.claim(session, waiting.key, browser_hash=ALICE, now=NOW + late)
    assert raised.value.rule == "request.gone"


def test_a_key_that_nobody_gave_out_leads_nowhere(session: Session):
    for key in ("nothing", ""):
        with pytest.raises(PolicyRefusal):
            questions.claim(session, key, browser_hash=ALICE, now=NOW)
