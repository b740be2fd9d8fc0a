"""One writer for each connection, and what happens to one that comes too late."""

from __future__ import annotations

from datetime import timedelta

import pytest

from federation.storage.session import unit_of_work
from idp_app.models import Stream
from idp_app.services import people
from idp_app.services.provisioning import lease, service
from idp_app.services.provisioning.lease import LeaseLost
from tests.provisioning_factories import Sites


def take(sites: Sites, owner: str) -> lease.Lease | None:
    with sites.idp.work() as session:
        return lease.acquire(session, sites.connection_id, owner, sites.idp.clock())


def test_while_somebody_holds_the_lease_nobody_else_gets_it(sites: Sites) -> None:
    first = take(sites, "first")
    assert first is not None
    assert take(sites, "second") is None
    assert sites.provision().busy
    assert not service.sweep(sites.idp.installation), "nobody is sent where somebody is at work"
    with sites.idp.work() as session:
        first.release(session, succeeded=None)
    assert take(sites, "second") is not None


def test_a_lease_that_ran_out_is_taken_over_with_a_higher_number(sites: Sites) -> None:
    first = take(sites, "first")
    sites.advance(seconds=lease.LEASE.total_seconds() + 1)
    second = take(sites, "second")
    assert first is not None
    assert second is not None
    assert second.fencing > first.fencing
    for late in (
        lambda session: first.prove(session, sites.idp.clock()),
        lambda session: first.release(session, succeeded=None),
        lambda session: first.quarantine(session, sites.idp.clock(), "x"),
    ):
        with pytest.raises(LeaseLost), unit_of_work(sites.idp.installation.sessions) as session:
            late(session)


def test_proving_renews(sites: Sites) -> None:
    first = take(sites, "first")
    assert first is not None
    for _ in range(3):
        sites.advance(seconds=lease.LEASE.total_seconds() - 1)
        with sites.idp.work() as session:
            first.prove(session, sites.idp.clock())
    assert take(sites, "second") is None


def test_a_worker_that_was_overtaken_writes_nothing_down(provisioned: Sites) -> None:
    def overtaken(_method: str, path: str, _body: object) -> None:
        if path.endswith("/Bulk"):
            provisioned.wire.after = lambda *_: None
            provisioned.advance(seconds=lease.LEASE.total_seconds() + 1)
            assert take(provisioned, "other") is not None

    provisioned.update("alice", department="Chemistry")
    provisioned.wire.after = overtaken
    report = provisioned.provision()
    assert report.stopped == "another worker has taken over this connection"
    with provisioned.idp.work() as session:
        stream = session.get_one(Stream, provisioned.connection_id)
        assert stream.owner == "other"
    provisioned.advance(minutes=5)
    assert provisioned.provision().ok
    assert ("Chemistry",) in provisioned.sp.rows("select department from sp_account")


def test_what_an_overtaken_worker_still_sends_is_refused_by_the_partner(provisioned: Sites) -> None:
    """The worst case: a worker stops for minutes after it planned, while another one locks the person out."""

    def late(_method: str, path: str, _body: object) -> None:
        if not path.endswith("/Bulk"):
            return
        provisioned.wire.before = lambda *_: None
        provisioned.advance(seconds=lease.LEASE.total_seconds() + 1)
        provisioned.change("alice", people.suspend)
        assert provisioned.provision().ok
        assert provisioned.accounts()["Alice Archer"] is False

    provisioned.change("alice", people.suspend)
    provisioned.provision()
    provisioned.change("alice", people.reinstate)
    provisioned.wire.before = late
    assert provisioned.provision().stopped
    assert provisioned.accounts()["Alice Archer"] is False, "the late reactivation was of an older version"


def test_a_worker_that_slept_over_its_lease_sends_nothing(sites: Sites) -> None:
    def asleep(_method: str, path: str, _body: object) -> None:
        if path.endswith("/ServiceProviderConfig"):
            sites.wire.before = lambda *_: None
            sites.advance(seconds=lease.LEASE.total_seconds() + 1)
            assert take(sites, "other") is not None

    sites.wire.before = asleep
    assert sites.provision().stopped
    assert {method for method, _, _ in sites.wire.sent} == {"GET"}
    assert sites.accounts() == {}


def test_a_request_may_take_a_third_of_the_lease(sites: Sites) -> None:
    assert timedelta(seconds=service.REQUEST_SECONDS) * 3 <= lease.LEASE
