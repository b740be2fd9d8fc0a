"""The identity provider ends a connection: what becomes of the accounts at a real service provider."""

from __future__ import annotations

from typing import Any

import pytest
from webtest import TestApp

from federation.errors import PolicyRefusal
from federation.registry.ending import Ending
from idp_app.models import Connection, ConnectionState, Participation, Pending
from idp_app.services import connections, disconnecting, people, switch
from idp_app.services.provisioning import service
from tests.idp_factories import FakeSP, fill_in
from tests.provisioning_factories import SCIM_URL, Sites, lost

STAFF = {"Alice Archer": True, "Carol Clark": True, "Ada Min": True}
SUSPENDED = dict.fromkeys(STAFF, False)


def end(sites: Sites, ending: Ending) -> disconnecting.Outlook:
    """An administrator ends the connection."""
    with sites.idp.work() as session:
        return disconnecting.begin(session, connections.find(session, "Intranet"), ending, sites.idp.act())


def connection(sites: Sites) -> Connection:
    return sites.idp.connection("Intranet")


def connect_again(sites: Sites, token: str) -> None:
    """The same site, connected by its metadata once more."""
    idp, sp = sites.idp, FakeSP()
    idp.connect(sp, serves=("Staff",))
    with idp.work() as session:
        found = connections.find(session, "Intranet")
        box, settings = idp.installation.secret_box, idp.installation.settings
        connections.set_provisioning(session, found, SCIM_URL, token, idp.act(), box=box, settings=settings)


def token(sites: Sites) -> str:
    """The bearer token of the site."""
    sealed = connection(sites).provisioning_token
    assert sealed is not None
    return sites.idp.installation.secret_box.decrypt(sealed, context=connections.token_context(connection(sites)))


def causes(sites: Sites) -> list[tuple[str, Any]]:
    return [
        (entry.kind, entry.detail.get("accounts"))
        for entry in sites.idp.audit()
        if entry.kind.startswith("connection.disconnect")
    ]


def assert_over(sites: Sites) -> None:
    """No way, no secret, nothing that waits; the row and its metadata are there."""
    found = connection(sites)
    assert found.state is ConnectionState.DISCONNECTED
    assert (found.provisioning_url, found.provisioning_token, found.provisioning_token_url) == (None, None, None)
    assert found.metadata_xml
    assert sites.idp.count(Pending) == 0
    assert service.sweep(sites.idp.installation) == []


def test_kept_accounts_stay_as_they_are_and_hear_of_nothing(provisioned: Sites) -> None:
    outlook = end(provisioned, Ending.KEEP)
    assert outlook.sentence(Ending.KEEP) == "3 accounts at Intranet stay as they are"
    assert_over(provisioned)
    provisioned.change("alice", people.suspend)
    provisioned.provision()
    assert provisioned.wire.sent == []
    assert provisioned.accounts() == STAFF
    assert causes(provisioned) == [("connection.disconnected", "keep")]


def test_accounts_are_suspended_before_the_connection_is_over(provisioned: Sites) -> None:
    outlook = end(provisioned, Ending.SUSPEND)
    assert outlook.sentence(Ending.SUSPEND) == "3 accounts at Intranet will be suspended"
    assert connection(provisioned).state is ConnectionState.DISCONNECTING
    assert provisioned.accounts() == STAFF
    report = provisioned.provision()
    assert report.ok
    assert report.done == {"deactivate": 3}
    assert provisioned.accounts() == SUSPENDED
    assert_over(provisioned)
    assert causes(provisioned) == [("connection.disconnecting", "suspend"), ("connection.disconnected", "suspend")]
    assert provisioned.idp.audit()[-1].actor == "worker"


def test_accounts_and_groups_are_deleted_also_those_that_do_not_work(provisioned: Sites) -> None:
    provisioned.change("alice", people.suspend)
    provisioned.provision()
    assert provisioned.members()
    outlook = end(provisioned, Ending.DELETE)
    assert outlook.sentence(Ending.DELETE) == "3 accounts and 3 groups at Intranet will be deleted"
    assert outlook.sentence(Ending.SUSPEND) == "2 accounts at Intranet will be suspended"
    assert provisioned.provision().done == {"delete": 3}
    assert provisioned.accounts() == {}
    assert provisioned.members() == {}
    assert_over(provisioned)


@pytest.mark.parametrize("ending", [Ending.SUSPEND, Ending.DELETE])
def test_what_fails_is_tried_again_and_the_connection_is_not_over_before(provisioned: Sites, ending: Ending) -> None:
    provisioned.wire.before = lost
    end(provisioned, ending)
    assert not provisioned.provision().ok
    assert connection(provisioned).state is ConnectionState.DISCONNECTING
    with provisioned.idp.work() as session:
        found = connections.find(session, "Intranet")
        assert "connection was lost" in str(service.health_of(session, found).error)
        outlook = disconnecting.look(session, found, provisioned.idp.clock())
    assert (outlook.ending, outlook.first, outlook.done) == (ending, 3, 0)
    provisioned.wire.before = lambda *_: None
    provisioned.advance(hours=1)
    assert provisioned.provision().ok
    assert provisioned.accounts() == (SUSPENDED if ending is Ending.SUSPEND else {})
    assert_over(provisioned)


def test_what_cannot_be_finished_is_given_up(provisioned: Sites) -> None:
    def no_more(*_: object) -> None:
        provisioned.wire.before = lost

    end(provisioned, Ending.SUSPEND)
    provisioned.wire.after = no_more
    provisioned.provision()
    assert end(provisioned, Ending.KEEP).ending is Ending.SUSPEND
    assert_over(provisioned)
    assert provisioned.idp.audit()[-1].detail["given_up"] == "suspend"
    with provisioned.idp.work() as session, pytest.raises(PolicyRefusal, match="was disconnected before"):
        disconnecting.begin(session, connections.find(session, "Intranet"), Ending.DELETE, provisioned.idp.act())


def test_another_choice_can_be_made_on_the_way(provisioned: Sites) -> None:
    end(provisioned, Ending.SUSPEND)
    end(provisioned, Ending.DELETE)
    provisioned.provision()
    assert provisioned.accounts() == {}
    assert_over(provisioned)


def test_an_account_that_was_being_made_meanwhile_is_not_overlooked(sites: Sites) -> None:
    """The create is on its way when the connection ends; nobody hears its answer."""

    def ends_and_breaks(_method: str, path: str, _body: object) -> None:
        if path.endswith("/Bulk"):
            sites.wire.after = lambda *_: None
            end(sites, Ending.SUSPEND)
            lost()

    sites.wire.after = ends_and_breaks
    assert not sites.provision().ok
    assert sites.accounts() == STAFF
    sites.advance(hours=1)
    assert sites.provision().ok
    assert sites.accounts() == SUSPENDED
    assert_over(sites)


def test_with_the_federation_off_it_waits(provisioned: Sites) -> None:
    end(provisioned, Ending.SUSPEND)
    with provisioned.idp.work() as session:
        switch.turn(session, False, provisioned.idp.act())
    provisioned.provision()
    assert provisioned.wire.sent == []
    assert connection(provisioned).state is ConnectionState.DISCONNECTING
    with provisioned.idp.work() as session:
        switch.turn(session, True, provisioned.idp.act())
    provisioned.provision()
    assert provisioned.accounts() == SUSPENDED
    assert_over(provisioned)


def test_a_connection_that_has_nobody_there_is_over_with_the_next_look(sites: Sites) -> None:
    end(sites, Ending.DELETE)
    service.sweep(sites.idp.installation)
    assert_over(sites)
    assert sites.wire.sent == []


def test_accounts_that_are_not_provisioned_can_only_be_kept(sites: Sites) -> None:
    sites.idp.connect(FakeSP("Learning", "http://localhost:6545", key_name="other-sp"))
    with sites.idp.work() as session:
        learning = connections.find(session, "Learning")
        with pytest.raises(PolicyRefusal, match="suspend them there"):
            disconnecting.begin(session, learning, Ending.SUSPEND, sites.idp.act())
        assert learning.active
        disconnecting.begin(session, learning, Ending.KEEP, sites.idp.act())


def test_nobody_signs_in_while_it_is_being_disconnected(provisioned: Sites) -> None:
    """Not by a new request, and not by one that waited for the password; the site may still end its sessions."""
    intranet, idp = FakeSP(), provisioned.idp
    signed_in = idp.sign_in("alice")
    intranet.accept(signed_in.get(intranet.redirect_url()), idp.entity)
    waiting = idp.browser().get(intranet.redirect_url()).follow()
    end(provisioned, Ending.SUSPEND)
    assert "not connected" in signed_in.get(intranet.redirect_url(), status=403).text
    assert "has changed" in fill_in(waiting, "carol").follow(status=403).text
    assert idp.count(Participation) == 1
    provisioned.provision()
    assert_over(provisioned)
    assert idp.count(Participation) == 0, "their session there is over: nobody needs to be told of a logout"


@pytest.mark.parametrize("ending", Ending)
def test_the_same_site_connected_again_has_its_accounts_back(provisioned: Sites, ending: Ending) -> None:
    before, bearer = provisioned.sp.rows("select id from sp_account order by id"), token(provisioned)
    end(provisioned, ending)
    provisioned.provision()
    provisioned.advance(hours=1)
    connect_again(provisioned, bearer)
    provisioned.change("carol", people.suspend)
    report = provisioned.provision()
    assert report.ok, report.errors
    assert provisioned.accounts() == (
        {**STAFF, "Carol Clark": False} if ending is not Ending.DELETE else {"Alice Archer": True, "Ada Min": True}
    )
    same = provisioned.sp.rows("select id from sp_account order by id") == before
    assert same is (ending is not Ending.DELETE)
    twice = "select display_name from sp_scim_group group by display_name having count(*) > 1"
    assert provisioned.sp.rows(twice) == []
    assert provisioned.members()["board"] == {"Alice Archer"}
    assert connection(provisioned).ending is None


def test_whoever_is_trusted_again_is_confirmed_again(provisioned: Sites) -> None:
    """The signer that was pinned before the end vouches for nothing."""
    idp, sp = provisioned.idp, FakeSP()
    end(provisioned, Ending.KEEP)
    with idp.work() as session:
        pins = connections._kept_signers(session, sp.metadata())
    assert pins == ()


def test_pausing_loses_nothing_and_is_no_way_out_of_an_end(provisioned: Sites) -> None:
    with provisioned.idp.work() as session:
        connections.pause(session, connections.find(session, "Intranet"), provisioned.idp.act())
    end(provisioned, Ending.SUSPEND)
    with provisioned.idp.work() as session:
        for change in (connections.resume, connections.pause):
            with pytest.raises(PolicyRefusal, match="is being disconnected"):
                change(session, connections.find(session, "Intranet"), provisioned.idp.act())
    provisioned.provision()
    assert_over(provisioned)


# The console --------------------------------------------------------------------------------------------------------


@pytest.fixture
def admin(provisioned: Sites) -> TestApp:
    return provisioned.idp.sign_in("admin")


def ask(provisioned: Sites, admin: TestApp) -> Any:
    page = admin.get(f"/admin/connections/{connection(provisioned).id}")
    return page.click("Disconnect…")


def form_of(page: Any) -> Any:
    return next(form for form in page.forms.values() if "confirm" in form.fields)


def test_the_page_says_in_numbers_what_each_choice_does(provisioned: Sites, admin: TestApp) -> None:
    intranet = FakeSP()
    intranet.accept(provisioned.idp.sign_in("alice").get(intranet.redirect_url()), provisioned.idp.entity)
    page = ask(provisioned, admin)
    for words in (
        "3 accounts at Intranet stay as they are.",
        "3 accounts at Intranet will be suspended.",
        "3 accounts and 3 groups at Intranet will be deleted.",
        "In the last 30 days 1 person did.",
    ):
        assert words in page.text
    assert form_of(page)["accounts"].value is None, "nothing is chosen for anybody"


@pytest.mark.parametrize("typed", ["", "Intra", "http://localhost:6544/", "Learning"])
def test_a_wrong_text_keeps_everything_and_explains(provisioned: Sites, admin: TestApp, typed: str) -> None:
    form = form_of(ask(provisioned, admin))
    form["accounts"], form["confirm"] = "delete", typed
    page = form.submit("action", status=400)
    assert "This is not it. Type http://localhost:6544/saml/metadata, or Intranet." in page.text
    assert "Nothing was changed" in page.text
    assert (form_of(page)["accounts"].value, form_of(page)["confirm"].value) == ("delete", typed)
    assert connection(provisioned).active
    assert causes(provisioned) == []


def test_without_a_choice_nothing_happens(provisioned: Sites, admin: TestApp) -> None:
    form = form_of(ask(provisioned, admin))
    form["confirm"] = "Intranet"
    page = form.submit("action", status=400)
    assert "Choose what becomes of them." in page.text
    assert connection(provisioned).active


@pytest.mark.parametrize("typed", ["  intranet ", "http://localhost:6544/saml/metadata"])
def test_the_end_and_how_far_it_is(provisioned: Sites, admin: TestApp, typed: str) -> None:
    form = form_of(ask(provisioned, admin))
    form["accounts"], form["confirm"] = "suspend", typed
    page = form.submit("action").follow()
    assert "Being disconnected" in page.text
    assert "Pause" not in page.text
    page = page.click("How far it is")
    assert "0 of 3" in page.text
    assert "Give up" in page.text
    provisioned.provision()
    page = admin.get(page.request.path).follow()
    assert "accounts there were suspended: 3. Connect the site again to serve it" in page.text
    page = admin.get("/admin/connections")
    assert "No connections yet" in page.text
    page = page.click("Intranet")
    assert "Version 1" in page.click("Every version of its metadata")
