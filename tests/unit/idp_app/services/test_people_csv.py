"""Importing people: all of the file or nothing."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from idp_app.installation import Installation
from idp_app.models import Change, Person, SignInSession
from idp_app.services import audiences, people, sessions
from idp_app.services.act import Act
from idp_app.services.csv_rows import ImportRefused
from idp_app.services.people_csv import Imported, import_people


def bring_in(session: Session, installation: Installation, act: Act, text: str, **more: str) -> Imported:
    return import_people(session, text.encode(), act, passwords=installation.passwords, **more)


def test_new_people_arrive_with_groups_audiences_and_a_password(session: Session, installation: Installation, act: Act):
    audiences.create(session, "Staff", act)
    done = bring_in(
        session,
        installation,
        act,
        "username,display_name,groups,audiences,guest\nalice,Alice,a;b,staff,no\nbob,,,,yes\n",
        initial_password="a long password",
    )
    assert done == Imported(new=2, changed=0, unchanged=0)
    alice, bob = people.find(session, "alice"), people.find(session, "bob")
    assert [group.name for group in alice.groups] == ["a", "b"]
    assert [each.name for each in people.audiences_of(session, alice.id)] == ["Staff"]
    assert installation.passwords.verify(alice.password_hash, "a long password")
    assert bob.guest


def test_a_column_that_is_absent_changes_nothing_and_an_empty_cell_clears(
    session: Session, installation: Installation, act: Act
):
    bring_in(session, installation, act, "username,display_name,mail,groups\nalice,Alice,a@b.example,x\n")
    assert bring_in(session, installation, act, "username,mail\nALICE,\n").changed == 1
    alice = people.find(session, "alice")
    assert (alice.username, alice.display_name, alice.mail) == ("alice", "Alice", "")
    assert [group.name for group in alice.groups] == ["x"]
    assert bring_in(session, installation, act, "username,groups\nalice,\n").changed == 1
    assert people.find(session, "alice").groups == []


def test_only_people_who_changed_are_recorded_for_provisioning(session: Session, installation: Installation, act: Act):
    bring_in(session, installation, act, "username,display_name\nalice,Alice\nbob,Bob\n")
    before = session.scalar(select(func.count()).select_from(Change)) or 0
    done = bring_in(session, installation, act, "username,display_name\nalice,Alice\nbob,Robert\n")
    assert done == Imported(new=0, changed=1, unchanged=1)
    changes = session.scalars(select(Change).order_by(Change.id)).all()[before:]
    assert [change.person_id for change in changes] == [people.find(session, "bob").id]


def test_a_person_suspended_by_the_file_is_signed_out(session: Session, installation: Installation, act: Act):
    bring_in(session, installation, act, "username\nalice\n")
    alice = people.find(session, "alice")
    sessions.start(session, alice.id, method="password", now=act.now, settings=installation.settings)
    bring_in(session, installation, act, "username,suspended\nalice,yes\n")
    assert session.scalars(select(SignInSession.ended)).all() == [act.now]


def test_every_bad_line_is_listed_in_order_whatever_is_wrong_with_it(
    session: Session, installation: Installation, act: Act
):
    with pytest.raises(ImportRefused) as raised:
        bring_in(session, installation, act, "username,audiences\nalice,Nowhere\nb b,\ncarol,\ndave,None;Nil\n")
    assert [problem.line for problem in raised.value.problems] == [2, 3, 5, 5]
    assert session.scalar(select(func.count()).select_from(Person)) == 0


def test_no_file_suspends_an_administrator(session: Session, installation: Installation, act: Act):
    bring_in(session, installation, act, "username\nroot\n")
    people.set_administrator(session, people.find(session, "root"), True, act)
    for column in ("suspended", "guest"):
        with pytest.raises(ImportRefused) as raised:
            bring_in(session, installation, act, f"username,{column}\nroot,yes\n")
        assert "is an administrator" in raised.value.problems[0].reason


def test_a_thousand_people_are_told_about_one_by_one(session: Session, installation: Installation, act: Act):
    seen: list[tuple[int, int]] = []
    text = "username\n" + "".join(f"person{number}\n" for number in range(1000))
    done = import_people(
        session,
        text.encode(),
        act,
        passwords=installation.passwords,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert done.new == 1000
    assert seen[-1] == (1000, 1000)
    assert bring_in(session, installation, act, text).unchanged == 1000
