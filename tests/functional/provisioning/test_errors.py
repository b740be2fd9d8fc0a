"""What partners answer, and what becomes of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from federation.http import Answer
from federation.scim import urns
from idp_app.models import Pending, ProvisioningLog, Stream
from idp_app.services import connections, people
from idp_app.services.provisioning import service
from tests.provisioning_factories import Sites, lost

STAFF = {"Alice Archer": True, "Carol Clark": True, "Ada Min": True}


def answering(status: int, path_end: str = "/Bulk", **headers: str) -> Callable[[str, str], Answer | None]:
    """A site that answers so to requests for a path, and as it does to others."""
    body = json.dumps({"schemas": [urns.ERROR], "status": str(status), "detail": "no"}).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _method, path: Answer(status, named, body) if path.endswith(path_end) else None


def stream(sites: Sites) -> Stream:
    with sites.idp.work() as session:
        return session.get_one(Stream, sites.connection_id)


def waits(sites: Sites) -> timedelta | None:
    """How long the connection is held back."""
    not_before = stream(sites).not_before
    return None if not_before is None else not_before - sites.idp.clock()


def honest(sites: Sites) -> None:
    sites.wire.answer = lambda *_: None


class TestTheConnection:
    def test_an_error_of_the_server_holds_it_back_longer_each_time(self, sites: Sites) -> None:
        sites.wire.answer = answering(500)
        delays = []
        for _ in range(12):
            assert sites.provision().stopped == "the server answered 500: no"
            delay = waits(sites)
            assert delay is not None
            delays.append(delay.total_seconds())
            assert not service.sweep(sites.idp.installation)
            sites.advance(seconds=delay.total_seconds())
            assert service.sweep(sites.idp.installation)
        assert delays[:4] == [2, 4, 8, 16]
        assert delays[-1] == 300
        honest(sites)
        assert sites.provision().ok
        assert sites.accounts() == STAFF
        assert (stream(sites).failures, stream(sites).not_before, stream(sites).error) == (0, None, None)

    def test_a_lost_connection_holds_it_back_too(self, sites: Sites) -> None:
        sites.wire.before = lost
        assert "does not answer" in str(sites.provision().stopped)
        assert waits(sites) == timedelta(seconds=2)

    def test_it_waits_as_long_as_it_is_told(self, sites: Sites) -> None:
        sites.wire.answer = answering(429, retry_after="120")
        sites.provision()
        assert waits(sites) == timedelta(seconds=120)
        sites.wire.answer = answering(503, retry_after="99999999")
        sites.advance(minutes=10)
        sites.provision()
        assert waits(sites) == timedelta(hours=1), "but not for ever"

    @pytest.mark.parametrize("status", [401, 403])
    def test_refused_credentials_put_it_into_quarantine(self, sites: Sites, status: int) -> None:
        sites.wire.answer = answering(status, "/ServiceProviderConfig")
        sites.provision()
        assert stream(sites).quarantined
        assert waits(sites) == timedelta(hours=6)
        with sites.idp.work() as session:
            [health] = service.health(session)
        assert (health.quarantined, health.waiting, health.error) == (True, 3, f"the server answered {status}: no")

    def test_a_new_token_ends_the_quarantine(self, sites: Sites) -> None:
        sites.wire.answer = answering(401, "/ServiceProviderConfig")
        sites.provision()
        honest(sites)
        with sites.idp.work() as session:
            connection = connections.find(session, "Intranet")
            assert connection.provisioning_url is not None
            assert connection.provisioning_token is not None
            box = sites.idp.installation.secret_box
            token = box.decrypt(connection.provisioning_token, context=connections.token_context(connection))
            connections.set_provisioning(
                session, connection, connection.provisioning_url, token, sites.idp.act(), box=box,
                settings=sites.idp.installation.settings,
            )  # fmt: skip
        assert service.sweep(sites.idp.installation) == [sites.connection_id]
        assert sites.provision().ok
        assert not stream(sites).quarantined
        assert sites.accounts() == STAFF

    def test_an_answer_that_is_no_scim_is_an_error_of_the_server(self, sites: Sites) -> None:
        sites.wire.answer = lambda *_: Answer(200, {}, b"<html>hello</html>")
        assert sites.provision().stopped == "the server answered 200: but with no JSON object"

    def test_a_wrong_address_is_said_to_be_one(self, sites: Sites) -> None:
        sites.wire.answer = lambda *_: Answer(404, {}, b"not here")
        report = sites.provision()
        assert "is the SCIM address right?" in report.errors[0]

    def test_the_command_does_not_wait_for_the_back_off(self, sites: Sites) -> None:
        sites.wire.answer = answering(500)
        sites.provision()
        honest(sites)
        assert service.provision(sites.idp.installation, sites.connection_id, connect=sites.connect).ok
        assert sites.accounts() == STAFF


class TestOneOperation:
    def test_an_account_that_is_gone_is_created_again_with_its_groups(self, provisioned: Sites) -> None:
        with provisioned.sp.unit_of_work() as session:
            from sp_app.models import Account, ScimUser

            [user_id] = session.scalars(select(Account.id).where(Account.display_name == "Alice Archer"))
            session.delete(session.get_one(Account, user_id))
            session.delete(session.get_one(ScimUser, user_id))
        provisioned.update("alice", department="Chemistry")
        report = provisioned.provision()
        assert report.ok
        assert report.done == {"create": 1}
        assert provisioned.accounts() == STAFF
        assert provisioned.members()["board"] == {"Alice Archer"}

    def test_a_deactivation_of_what_is_gone_is_done(self, provisioned: Sites) -> None:
        provisioned.sp.rows("select 1")
        with provisioned.sp.unit_of_work() as session:
            from sp_app.models import Account, ScimUser

            for user in session.scalars(select(ScimUser)):
                session.delete(user)
            for account in session.scalars(select(Account)):
                session.delete(account)
        provisioned.change("alice", people.suspend)
        assert provisioned.provision().ok

    def test_a_group_that_is_gone_is_created_again_with_everybody_in_it(self, provisioned: Sites) -> None:
        provisioned.regroup("carol", "board", "library")
        provisioned.provision()
        with provisioned.sp.unit_of_work() as session:
            from sp_app.models import ScimGroup

            [board] = session.scalars(select(ScimGroup).where(ScimGroup.display_name == "board"))
            session.delete(board)
        provisioned.regroup("admin", "board")
        assert provisioned.provision().ok
        assert provisioned.members()["board"] == {"Alice Archer", "Carol Clark", "Ada Min"}

    def test_an_account_that_somebody_else_changed_is_changed_on_top(self, provisioned: Sites) -> None:
        provisioned.sp.change_connection()
        with provisioned.sp.unit_of_work() as session:
            from sp_app.models import ScimUser

            for user in session.scalars(select(ScimUser)):
                user.version += 5
        provisioned.change("alice", people.suspend)
        report = provisioned.provision()
        assert report.ok
        assert provisioned.accounts()["Alice Archer"] is False

    def test_a_user_name_that_is_taken_there_waits_and_hurts_nobody_else(self, sites: Sites) -> None:
        from federation.attributes.policy import ReleasePolicy
        from tests.sp_factories import attributes

        sites.sp.sign_in(sites.sp.browser(), attributes=attributes(username="alice", display_name="Local Alice"))
        with sites.idp.work() as session:
            connection = connections.find(session, "Intranet")
            connections.set_policy(session, connection, ReleasePolicy.from_preset("account"), sites.idp.act())
        report = sites.provision()
        assert report.done == {"create": 2}
        assert report.errors == ["alice: the site answered 409 (uniqueness): another user has this userName"]
        assert sites.accounts() == {"Local Alice": True, "Carol Clark": True, "Ada Min": True}
        with sites.idp.work() as session:
            [pending] = session.scalars(select(Pending))
        assert pending.not_before - sites.idp.clock() == timedelta(hours=1)
        assert pending.error == "the site answered 409 (uniqueness): another user has this userName"
        sites.advance(minutes=1)
        sites.update("alice", department="Chemistry")
        assert service.sweep(sites.idp.installation), "a change of theirs is tried at once"

    def test_more_than_the_site_takes_at_once_goes_in_halves(self, sites: Sites) -> None:
        def at_most_one(_method: str, path: str) -> Answer | None:
            operations = (sites.wire.sent[-1][2] or {}).get("Operations", ())
            too_many = path.endswith("/Bulk") and len(operations) > 1
            return Answer(413, {}, b"{}") if too_many else None

        sites.wire.answer = at_most_one
        with sites.idp.work():
            pass
        report = sites.provision()
        assert set(sites.accounts()) == set(STAFF)
        assert report.done["create"] == 3

    def test_a_site_without_bulk_is_served_one_by_one(self, sites: Sites) -> None:
        config = json.dumps({"patch": {"supported": True}, "bulk": {"supported": False}}).encode()
        sites.wire.answer = lambda _method, path: (
            Answer(200, {}, config) if path.endswith("/ServiceProviderConfig") else None
        )
        assert sites.provision().ok
        assert sites.accounts() == STAFF
        assert sites.members()["board"] == {"Alice Archer"}
        sites.change("alice", people.suspend)
        assert sites.provision().ok
        assert sites.accounts()["Alice Archer"] is False
        assert "/Bulk" not in {path for _, path, _ in sites.wire.sent}

    def test_what_was_sent_is_in_the_log_without_values(self, provisioned: Sites) -> None:
        provisioned.update("alice", department="Chemistry")
        provisioned.provision()
        with provisioned.idp.work() as session:
            [row] = session.scalars(select(ProvisioningLog).where(ProvisioningLog.operation == "update"))
        assert (row.status, row.outcome, row.attributes) == (200, "done", [f"{urns.ENTERPRISE_USER}:department"])
        assert row.person_id == provisioned.idp.person("alice").id
