"""A worker may end at any moment, and any answer may be lost: nobody is created twice, and nothing is lost."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from idp_app.models import AccountLink, GroupLink, MemberLink, Pending
from idp_app.services import people
from tests.provisioning_factories import Killed, Sites, WsgiSender, killed, lost

STAFF = {"Alice Archer": True, "Carol Clark": True, "Ada Min": True}
GROUPS = {"board": {"Alice Archer"}, "physics-staff": {"Alice Archer"}, "library": {"Carol Clark"}}
REQUESTS = 4
"""What a first load sends: the capabilities, users, groups, members."""


def interrupted(wire: WsgiSender, number: int, how: Any, *, after: bool) -> None:
    """Let the request with that number (from 0) end badly, before or after the site has done what it asks."""
    seen = iter(range(10**6))

    def interfere(*arguments: Any) -> None:
        if next(seen) == number:
            how(*arguments)

    setattr(wire, "after" if after else "before", interfere)


def undisturbed(wire: WsgiSender) -> None:
    wire.before = wire.after = lambda *_: None


def recover(sites: Sites) -> None:
    """Time passes, leases run out, and the next worker takes over."""
    undisturbed(sites.wire)
    for _ in range(4):
        sites.advance(minutes=20)
        report = sites.provision()
    assert report.ok, report
    for table in (Pending,):
        assert sites.idp.count(table) == 0


def nothing_in_doubt(sites: Sites) -> bool:
    from sqlalchemy import select

    with sites.idp.work() as session:
        accounts = session.scalars(select(AccountLink)).all()
        groups = session.scalars(select(GroupLink)).all()
        members = session.scalars(select(MemberLink)).all()
    return (
        all(link.remote_id is not None and link.intended is None for link in (*accounts, *groups))
        and all(member.confirmed for member in members)
    )  # fmt: skip


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(REQUESTS))
@pytest.mark.parametrize("how", [killed, lost])
def test_a_first_load_that_ends_at_any_request_is_made_whole(sites: Sites, how: Any, number: int, after: bool) -> None:
    interrupted(sites.wire, number, how, after=after)
    if how is killed:
        with pytest.raises(Killed):
            sites.provision()
    else:
        assert sites.provision().stopped
    recover(sites)
    assert sites.accounts() == STAFF
    assert sites.members() == GROUPS
    assert sites.sp.rows("select count(*) from sp_scim_user") == [(3,)]
    assert sites.sp.rows("select count(*) from sp_scim_group") == [(3,)]
    assert nothing_in_doubt(sites)


@pytest.mark.parametrize("how", [killed, lost])
def test_what_may_have_been_created_is_looked_up_and_not_created_again(sites: Sites, how: Any) -> None:
    interrupted(sites.wire, 1, how, after=True)
    with contextlib.suppress(Killed):
        sites.provision()
    sites.wire.sent.clear()
    recover(sites)
    looked = [path for method, path, _ in sites.wire.sent if method == "GET" and path.startswith("/Users?")]
    assert len(looked) == 3
    created = [
        operation
        for _, _, body in sites.wire.sent
        for operation in (body or {}).get("Operations", ())
        if operation["path"] == "/Users"
    ]
    assert created == []


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("how", [killed, lost])
def test_a_change_that_was_taken_back_meanwhile_does_not_stay(provisioned: Sites, how: Any, after: bool) -> None:
    provisioned.update("alice", department="Chemistry")
    interrupted(provisioned.wire, 1, how, after=after)
    with contextlib.suppress(Killed):
        provisioned.provision()
    provisioned.update("alice", department="Physics")
    recover(provisioned)
    assert ("Physics",) in provisioned.sp.rows("select department from sp_account where display_name = 'Alice Archer'")


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_suspension_whose_answer_was_lost_holds(provisioned: Sites, after: bool) -> None:
    provisioned.change("alice", people.suspend)
    interrupted(provisioned.wire, 1, lost, after=after)
    provisioned.provision()
    recover(provisioned)
    assert provisioned.accounts()["Alice Archer"] is False


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_membership_that_was_taken_back_meanwhile_does_not_stay(provisioned: Sites, after: bool) -> None:
    provisioned.regroup("alice", "board", "physics-staff", "library")
    interrupted(provisioned.wire, 1, killed, after=after)
    with pytest.raises(Killed):
        provisioned.provision()
    provisioned.regroup("alice", "board", "physics-staff")
    recover(provisioned)
    assert provisioned.members() == GROUPS
    assert nothing_in_doubt(provisioned)


def test_who_left_while_their_creation_was_in_doubt_is_made_inactive(sites: Sites) -> None:
    interrupted(sites.wire, 1, killed, after=True)
    with pytest.raises(Killed):
        sites.provision()
    sites.change("alice", people.suspend)
    recover(sites)
    assert sites.accounts() == STAFF | {"Alice Archer": False}


def test_who_left_before_they_were_created_is_never_created(sites: Sites) -> None:
    interrupted(sites.wire, 1, killed, after=False)
    with pytest.raises(Killed):
        sites.provision()
    sites.change("alice", people.suspend)
    recover(sites)
    assert set(sites.accounts()) == {"Carol Clark", "Ada Min"}
    assert sites.idp.count(AccountLink) == 2


def test_a_change_that_comes_while_another_is_sent_is_not_lost(provisioned: Sites) -> None:
    def suspend_meanwhile(_method: str, path: str, _body: object) -> None:
        if path.endswith("/Bulk"):
            undisturbed(provisioned.wire)
            provisioned.change("alice", people.suspend)
            from idp_app.services.provisioning import service

            service.sweep(provisioned.idp.installation)

    provisioned.update("alice", department="Chemistry")
    provisioned.wire.after = suspend_meanwhile
    provisioned.provision()
    assert provisioned.accounts()["Alice Archer"] is False


def test_a_stop_is_heard_between_two_batches(sites: Sites, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("idp_app.services.provisioning.run.BATCH", 1)
    sites.provision(should_stop=lambda: any(path == "/Bulk" for _, path, _ in sites.wire.sent))
    assert len(sites.accounts()) == 1
    assert sites.provision().ok, "the lease was given back"
    assert sites.accounts() == STAFF
