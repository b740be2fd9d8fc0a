"""Who is provisioned, and what the partner is told: the same rules as for the assertion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from federation.attributes.policy import ReleasePolicy
from federation.registry.ending import Ending
from federation.scim import urns
from idp_app.models import Person
from idp_app.services import connections, disconnecting, people, release, switch
from idp_app.services.provisioning import service
from tests.provisioning_factories import Sites, make_sites
from tests.sp_factories import attributes

STAFF = {"Alice Archer": True, "Carol Clark": True, "Ada Min": True}


def posted(sites: Sites) -> list[dict[str, Any]]:
    """The users that were sent in creates."""
    return [
        operation["data"]
        for _, _, body in sites.wire.sent
        for operation in (body or {}).get("Operations", ())
        if operation["path"] == "/Users"
    ]


def patched(sites: Sites) -> list[dict[str, Any]]:
    """The operations that were sent in changes of users."""
    return [
        change
        for _, _, body in sites.wire.sent
        for operation in (body or {}).get("Operations", ())
        if operation["path"].startswith("/Users/")
        for change in operation["data"]["Operations"]
    ]


def test_the_people_of_the_audience_get_accounts_and_nobody_else(sites: Sites) -> None:
    report = sites.provision()
    assert report.ok
    assert report.done == {"create": 3}
    assert sites.accounts() == STAFF


def test_a_second_run_sends_nothing(provisioned: Sites) -> None:
    provisioned.advance(hours=1)
    assert provisioned.provision().ok
    assert provisioned.wire.sent == []


def test_the_identifier_is_that_of_the_assertion(sites: Sites) -> None:
    sites.provision()
    installation = sites.idp.installation
    expected = release.pairwise_id(
        sites.idp.person("alice").id,
        "http://localhost:6544/saml/metadata",
        secret=installation.identifier_secret,
        scope=installation.settings.scope,
    )
    assert expected in {user["externalId"] for user in posted(sites)}
    assert (expected,) in sites.sp.rows("select identifier from sp_link")


def test_only_what_the_policy_allows_is_sent(tmp_path: Path) -> None:
    sites = make_sites(tmp_path, release="name-only", serves=("Staff", "Learners"))
    sites.provision()
    for user in posted(sites):
        assert set(user) == {"schemas", "externalId", "userName", "active", "displayName"}
        assert user["userName"] == user["externalId"], "ours may not be told, and SCIM wants one"
    assert set(sites.accounts()) == {*STAFF, "Bob Baker"}
    assert sites.members() == {}


def test_everything_that_the_policy_allows_is_sent(tmp_path: Path) -> None:
    sites = make_sites(tmp_path, release="account")
    sites.provision()
    alice = next(user for user in posted(sites) if user["userName"] == "alice")
    del alice["externalId"]
    assert alice == {
        "schemas": [urns.USER, urns.ENTERPRISE_USER],
        "userName": "alice",
        "active": True,
        "displayName": "Alice Archer",
        "name": {"givenName": "Alice", "familyName": "Archer"},
        "emails": [{"value": "alice@example.org", "type": "work", "primary": True}],
        urns.ENTERPRISE_USER: {"department": "Physics"},
    }


def test_without_an_identifier_to_link_by_nobody_is_provisioned(tmp_path: Path) -> None:
    sites = make_sites(tmp_path, release="nothing")
    assert sites.provision().ok
    assert sites.accounts() == {}


def test_who_signed_in_before_is_the_same_account_afterwards(sites: Sites) -> None:
    installation = sites.idp.installation
    identifier = release.pairwise_id(
        sites.idp.person("alice").id,
        "http://localhost:6544/saml/metadata",
        secret=installation.identifier_secret,
        scope=installation.settings.scope,
    )
    sites.sp.sign_in(sites.sp.browser(), attributes=attributes(identifier, display_name="Alice Archer"))
    [(before,)] = sites.sp.rows("select id from sp_account")
    assert sites.provision().ok
    assert (before,) in sites.sp.rows("select id from sp_account where display_name = 'Alice Archer'")
    assert sites.accounts() == STAFF


@pytest.mark.parametrize("how", ["suspended", "left the audience", "became a guest"])
def test_who_may_not_be_served_any_more_is_made_inactive_and_comes_back(provisioned: Sites, how: str) -> None:
    if how == "suspended":
        provisioned.change("alice", people.suspend)
    elif how == "left the audience":
        provisioned.move("alice")
    else:
        _set(provisioned, "alice", guest=True)
    assert provisioned.provision().done == {"deactivate": 1}
    assert provisioned.accounts() == STAFF | {"Alice Archer": False}
    assert patched(provisioned) == [{"op": "replace", "path": "active", "value": False}]
    if how == "suspended":
        provisioned.change("alice", people.reinstate)
    elif how == "left the audience":
        provisioned.move("alice", "Staff")
    else:
        _set(provisioned, "alice", guest=False)
    assert provisioned.provision().done == {"reactivate": 1}
    assert provisioned.accounts() == STAFF


def test_a_session_at_the_partner_ends_with_the_suspension(provisioned: Sites) -> None:
    [(identifier,)] = provisioned.sp.rows(
        "select identifier from sp_link l join sp_account a on a.id = l.account_id where display_name = 'Alice Archer'"
    )
    browser = provisioned.sp.browser()
    provisioned.sp.sign_in(browser, attributes=attributes(identifier))
    assert browser.get("/whoami").status_int == 200
    provisioned.change("alice", people.suspend)
    provisioned.provision()
    assert browser.get("/whoami", expect_errors=True).status_int == 401
    departure = provisioned.sp.idp.read(browser.get("/saml/login"))
    answer = provisioned.sp.idp.answer(departure, attributes=attributes(identifier))
    assert browser.post("/saml/acs", answer, expect_errors=True).status_int == 403


def test_a_guest_is_never_provisioned(sites: Sites) -> None:
    _set(sites, "alice", guest=True)
    sites.provision()
    assert "Alice Archer" not in sites.accounts()


def test_what_is_told_about_somebody_who_left_is_nothing_but_that(provisioned: Sites) -> None:
    provisioned.move("alice")
    provisioned.update("alice", department="Secret", display_name="Alice Bow")
    provisioned.provision()
    assert patched(provisioned) == [{"op": "replace", "path": "active", "value": False}]


def test_only_what_differs_is_sent(provisioned: Sites) -> None:
    provisioned.update("alice", department="Chemistry", given_name="Alicia")
    assert provisioned.provision().done == {"update": 1}
    assert patched(provisioned) == [
        {"op": "replace", "path": f"{urns.ENTERPRISE_USER}:department", "value": "Chemistry"}
    ]


def test_a_value_that_is_gone_is_removed(provisioned: Sites) -> None:
    provisioned.update("alice", department="", mail="")
    provisioned.provision()
    assert sorted(operation["path"] for operation in patched(provisioned)) == [
        "emails",
        f"{urns.ENTERPRISE_USER}:department",
    ]
    assert provisioned.sp.rows("select mail, department from sp_account where display_name = 'Alice Archer'") == [
        (None, None)
    ]


def test_a_change_that_the_partner_may_not_know_sends_nothing(provisioned: Sites) -> None:
    provisioned.update("alice", given_name="Alicia", family_name="Bow")
    assert provisioned.provision().done == {"nothing": 1}
    assert provisioned.wire.sent == []


def test_a_person_who_no_longer_exists_is_deleted(provisioned: Sites) -> None:
    from idp_app.services import outbox

    with provisioned.idp.work() as session:
        person = people.find(session, "alice")
        outbox.record(session, cause="person.deleted", now=provisioned.idp.clock(), person_id=person.id)
        session.delete(person)
    assert provisioned.provision().done == {"delete": 1}
    assert "Alice Archer" not in provisioned.accounts()
    assert provisioned.sp.rows("select count(*) from sp_account") == [(2,)]


def test_a_new_policy_reaches_everybody(provisioned: Sites) -> None:
    with provisioned.idp.work() as session:
        connection = connections.find(session, "Intranet")
        connections.set_policy(session, connection, ReleasePolicy.from_preset("name-only"), provisioned.idp.act())
    assert provisioned.provision().done == {"update": 3}
    assert provisioned.sp.rows("select distinct mail, department from sp_account") == [(None, None)]
    assert provisioned.members() == {}


def test_a_new_audience_reaches_everybody_in_it(provisioned: Sites) -> None:
    from idp_app.services import audiences

    with provisioned.idp.work() as session:
        connection = connections.find(session, "Intranet")
        connections.set_audiences(session, connection, [audiences.find(session, "Learners")], provisioned.idp.act())
    report = provisioned.provision()
    assert report.done == {"create": 1, "deactivate": 2, "nothing": 1}
    assert provisioned.accounts() == {
        "Alice Archer": False,
        "Ada Min": False,
        "Carol Clark": True,
        "Bob Baker": True,
    }


class TestSwitches:
    def test_nothing_is_provisioned_while_the_federation_is_off(self, sites: Sites) -> None:
        _turn(sites, on=False)
        assert not service.sweep(sites.idp.installation)
        sites.run()
        assert sites.wire.sent == []
        _turn(sites, on=True)
        sites.provision()
        assert sites.accounts() == STAFF

    def test_what_happened_while_it_was_off_is_made_up_for(self, provisioned: Sites) -> None:
        _turn(provisioned, on=False)
        provisioned.change("alice", people.suspend)
        provisioned.provision()
        assert provisioned.wire.sent == []
        _turn(provisioned, on=True)
        provisioned.provision()
        assert provisioned.accounts()["Alice Archer"] is False

    def test_a_paused_connection_is_sent_nothing_and_catches_up(self, provisioned: Sites) -> None:
        with provisioned.idp.work() as session:
            connections.pause(session, connections.find(session, "Intranet"), provisioned.idp.act())
        provisioned.change("alice", people.suspend)
        provisioned.provision()
        assert provisioned.wire.sent == []
        with provisioned.idp.work() as session:
            connections.resume(session, connections.find(session, "Intranet"), provisioned.idp.act())
        provisioned.provision()
        assert provisioned.accounts()["Alice Archer"] is False

    def test_turned_off_in_the_middle_it_stops_before_the_next_batch(
        self, sites: Sites, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("idp_app.services.provisioning.run.BATCH", 1)

        def off_after_the_first(_method: str, path: str, _body: object) -> None:
            if path.endswith("/Bulk"):
                sites.wire.after = lambda *_: None
                _turn(sites, on=False)

        sites.wire.after = off_after_the_first
        sites.provision()
        assert len(sites.accounts()) == 1

    def test_a_disconnected_partner_is_sent_nothing(self, provisioned: Sites) -> None:
        with provisioned.idp.work() as session:
            disconnecting.begin(session, connections.find(session, "Intranet"), Ending.KEEP, provisioned.idp.act())
        provisioned.change("alice", people.suspend)
        assert not service.sweep(provisioned.idp.installation)
        provisioned.run()
        assert provisioned.wire.sent == []


def _set(sites: Sites, username: str, **values: Any) -> None:
    with sites.idp.work() as session:
        person: Person = people.find(session, username)
        for name, value in values.items():
            setattr(person, name, value)
        people.changed(session, person, sites.idp.act(), "person.imported")


def _turn(sites: Sites, *, on: bool) -> None:
    with sites.idp.work() as session:
        switch.turn(session, on, sites.idp.act())
