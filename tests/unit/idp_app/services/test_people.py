"""Changes of people: each with its audit entry and its outbox row."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from federation.errors import PolicyRefusal
from idp_app.errors import InvalidInput, NotThere
from idp_app.installation import Installation
from idp_app.models import AuditEntry, Change
from idp_app.services import audiences, people
from idp_app.services.act import Act


def causes(session: Session) -> list[str]:
    return list(session.scalars(select(Change.cause).order_by(Change.id)))


def kinds(session: Session) -> list[str]:
    return list(session.scalars(select(AuditEntry.kind).order_by(AuditEntry.id)))


def test_a_person_is_found_whatever_the_case(session: Session, act: Act):
    made = people.create(session, "Alice", act, mail="alice@example.org")
    assert people.find(session, "aLiCe").id == made.id
    assert people.get(session, made.id) is made
    assert causes(session) == kinds(session) == ["person.created"]
    for look_up in (people.find, people.get):
        with pytest.raises(NotThere):
            look_up(session, "nobody")


def test_a_user_name_is_taken_once(session: Session, act: Act):
    people.create(session, "alice", act)
    with pytest.raises(InvalidInput, match="is taken"):
        people.create(session, "ALICE", act)


def test_a_field_that_people_do_not_have_is_a_mistake_of_the_program(session: Session, act: Act):
    with pytest.raises(TypeError):
        people.create(session, "alice", act, shoe_size="42")


def test_suspending_and_reinstating_happen_once(session: Session, act: Act):
    alice = people.create(session, "alice", act)
    assert [people.suspend(session, alice, act) for _ in range(2)] == [True, False]
    assert [people.reinstate(session, alice, act) for _ in range(2)] == [True, False]
    assert causes(session) == ["person.created", "person.suspended", "person.reinstated"]


def test_one_administrator_is_always_left(session: Session, act: Act):
    first, second = people.create(session, "first", act), people.create(session, "second", act)
    people.set_administrator(session, first, True, act)
    for take_away in (
        lambda: people.suspend(session, first, act),
        lambda: people.set_administrator(session, first, False, act),
    ):
        with pytest.raises(PolicyRefusal):
            take_away()
    assert people.set_administrator(session, second, True, act)
    assert not people.set_administrator(session, second, True, act)
    assert people.suspend(session, first, act)
    with pytest.raises(PolicyRefusal):
        people.set_administrator(session, second, False, act)


def test_a_guest_is_no_administrator(session: Session, act: Act):
    person = people.create(session, "visitor", act)
    person.guest = True
    with pytest.raises(InvalidInput):
        people.set_administrator(session, person, True, act)


def test_audiences_of_a_person_are_replaced_as_a_whole(session: Session, act: Act):
    alice = people.create(session, "alice", act)
    staff, learners = (audiences.create(session, name, act)[0] for name in ("Staff", "Learners"))
    assert people.set_audiences(session, alice, [staff.id, learners.id], act)
    assert not people.set_audiences(session, alice, [learners.id, staff.id], act)
    assert people.set_audiences(session, alice, [learners.id], act)
    assert [each.name for each in people.audiences_of(session, alice.id)] == ["Learners"]
    with pytest.raises(NotThere):
        people.set_audiences(session, alice, ["nothing"], act)
    assert causes(session).count("person.audiences") == 2


def test_a_search_takes_signs_of_sql_for_what_they_are(session: Session, act: Act):
    people.create(session, "under_score", act, display_name="100% Ada")
    people.create(session, "other", act)
    assert people.search(session, "_").total == 1
    assert people.search(session, "100%").total == 1
    assert people.search(session, "aDA").total == 1
    assert people.search(session, "").total == 2
    assert people.search(session, "", number=-3).number == 1


def test_an_audience_counts_who_is_in_it(session: Session, act: Act):
    staff, is_new = audiences.create(session, "Staff", act, description="Who works here")
    assert is_new
    assert audiences.create(session, " STAFF ", act) == (staff, False)
    alice, bob = people.create(session, "alice", act), people.create(session, "bob", act)
    assert audiences.add(session, staff, [alice, bob, alice], act) == 2
    assert audiences.remove(session, staff, [bob, bob], act) == 1
    [(found, members)] = audiences.every(session)
    assert (found, members) == (staff, 1)
    assert audiences.size(session, staff) == 1
    assert [each.username for each in audiences.members(session, staff, limit=5)] == ["alice"]
    assert causes(session)[2:] == ["audience.added", "audience.added", "audience.removed"]
    with pytest.raises(NotThere):
        audiences.get(session, "nothing")


def test_a_new_password_signs_everybody_out(session: Session, act: Act, installation: Installation):
    alice = people.create(session, "alice", act)
    people.set_password(session, alice, "a long password", installation.passwords, act)
    assert installation.passwords.verify(alice.password_hash, "a long password")
    assert "password" not in str([entry.detail for entry in session.scalars(select(AuditEntry))])
