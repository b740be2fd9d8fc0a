"""The service provider ends the connection to an identity provider: what becomes of the accounts of its people."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from webtest import TestApp

from federation.errors import PolicyRefusal
from federation.registry.ending import Ending
from federation.registry.host import Occasion
from federation.saml.metadata.trust import Unconfirmed
from sp_app.accounts import Profile
from sp_app.accounts.sql import SqlAccountStore
from sp_app.models import Account
from sp_app.services import administrators, connections, disconnecting, scim_tokens, token_grant
from sp_app.services.disconnecting import Outlook
from sp_app.services.linking import Linking
from tests.scim_factories import ScimClient, op, scim_client, user
from tests.sp_factories import ALICE, BOB, FakeIdP, Site, attributes

OTHER = "https://other.example.net/idp"


@pytest.fixture
def scim(site: Site) -> Iterator[ScimClient]:
    """The identity provider provisions Alice."""
    client = scim_client(site)
    client.create(user(displayName="Alice Archer"))
    return client


def end(site: Site, ending: Ending, entity_id: str | None = None) -> Outlook:
    """An administrator ends the connection, as the console and the command do."""
    with site.unit_of_work() as session:
        found = connections.by_entity_id(session, entity_id or site.idp.entity_id)
        assert found is not None
        store = SqlAccountStore(session, now=site.clock())
        occasion = Occasion(site.clock(), "Ada", "REF")
        return disconnecting.disconnect(session, store, found, ending, occasion)[0]


def connect_other(site: Site) -> FakeIdP:
    """Another identity provider, connected."""
    other = FakeIdP(site.clock, entity_id=OTHER, sso_url=f"{OTHER}/sso", name="Other University", key="other-idp")
    site.connect(other)
    return other


def link_alice_to(site: Site, other: FakeIdP) -> None:
    """The other one vouches for Alice's account, too."""
    with site.unit_of_work() as session:
        store = SqlAccountStore(session, now=site.clock())
        account_id = session.query(Account).filter_by(username="alice").one().id
        Linking(session, store, idp_entity_id=other.entity_id, now=site.clock()).relink(account_id, "alice@other")


def active(site: Site) -> dict[str, bool]:
    return {name: bool(on) for name, on in site.rows("select display_name, active from sp_account")}


def sign_in(site: Site, browser: TestApp, identifier: str = ALICE, name: str = "Alice Archer") -> TestApp:
    assert site.sign_in(browser, attributes=attributes(identifier, display_name=name)).status_int == 303
    return browser


@pytest.mark.parametrize(
    ("ending", "left"),
    [
        (Ending.KEEP, {"Alice Archer": True, "Bob": True}),
        (Ending.SUSPEND, {"Alice Archer": False, "Bob": False}),
        (Ending.DELETE, {}),
    ],
)
def test_the_accounts_of_its_people(site: Site, scim: ScimClient, ending: Ending, left: dict[str, bool]) -> None:
    alice, bob = sign_in(site, site.browser()), sign_in(site, site.browser(), BOB, "Bob")
    outlook = end(site, ending)
    assert outlook == Outlook(accounts=2, active=2, administrators=0, shared=0, sessions=2, tokens=1)
    assert active(site) == left
    for browser in (alice, bob):
        browser.get("/whoami", status=401)
    assert site.rows("select count(*) from sp_session where ended_at is null") == [(0,)]
    kept = 0 if ending is Ending.DELETE else 2
    assert site.rows("select count(*) from sp_link") == [(kept,)]
    detail = site.rows("select detail from sp_audit where rule = 'connection.disconnected'")[0][0]
    assert detail.startswith(f"Ada ended the connection: {outlook.sentence(ending)}")
    assert site.rows("select count(*) from sp_metadata_version") == [(1,)], "its history can still be read"


def test_its_tokens_stop_at_once(site: Site, scim: ScimClient) -> None:
    with site.unit_of_work() as session:
        found = connections.by_entity_id(session, site.idp.entity_id)
        assert found is not None
        scim_tokens.create(session, found, name="by assertion", now=site.clock(), lifetime=token_grant.LIFETIME)
    end(site, Ending.KEEP)
    assert scim.get("/Users").status_int == 401
    assert site.rows("select name from sp_scim_token where revoked_at is null") == []


def test_nobody_gets_in_through_it_any_more(site: Site, browser: TestApp) -> None:
    """Not with an answer that was on its way, and not by a link."""
    answer = site.idp.answer(site.idp.read(browser.get("/saml/login")))
    end(site, Ending.KEEP)
    page = browser.post("/saml/acs", answer, status=403)
    assert "Signing in this way is over" in page
    page = browser.get("/saml/login", {"entityID": site.idp.entity_id}, status=403)
    assert "has ended the connection" in page
    assert "Nobody can sign in here yet" in browser.get("/")


def test_an_account_for_which_another_one_vouches_stays(site: Site, scim: ScimClient) -> None:
    other = connect_other(site)
    link_alice_to(site, other)
    outlook = end(site, Ending.DELETE)
    assert (outlook.accounts, outlook.shared) == (0, 1)
    assert active(site) == {"Alice Archer": True}
    assert site.rows("select idp_entity_id from sp_link") == [(OTHER,)]
    # Now the other one is the last.
    assert end(site, Ending.SUSPEND, OTHER).active == 1
    assert active(site) == {"Alice Archer": False}


def test_one_that_was_ended_vouches_for_nobody(site: Site, scim: ScimClient) -> None:
    other = connect_other(site)
    link_alice_to(site, other)
    assert end(site, Ending.KEEP, OTHER).shared == 1
    assert end(site, Ending.SUSPEND).active == 1
    assert active(site) == {"Alice Archer": False}
    # Whichever is connected again brings the account back.
    site.connect(other)
    with site.unit_of_work() as session:
        store = SqlAccountStore(session, now=site.clock())
        linking = Linking(session, store, idp_entity_id=OTHER, now=site.clock())
        linking.sign_in("alice@other", Profile(display_name="Alice Archer"))
    assert active(site) == {"Alice Archer": True}


def test_connected_again_its_people_have_their_accounts_back_as_they_are_vouched_for(
    site: Site, scim: ScimClient
) -> None:
    sign_in(site, site.browser(), BOB, "Bob")
    before = site.rows("select display_name, id from sp_account order by id")
    end(site, Ending.SUSPEND)
    site.connect(site.idp)
    assert active(site) == {"Alice Archer": False, "Bob": False}, "nobody has vouched for them yet"
    sign_in(site, site.browser(), BOB, "Bob")
    assert active(site) == {"Alice Archer": False, "Bob": True}
    again = scim_client(site)
    [alice] = again.get("/Users").json["Resources"]
    assert alice["active"] is False, "the identity provider is told the truth"
    assert again.patch(f"/Users/{alice['id']}", op("replace", "active", value=True)).status_int == 200
    assert active(site) == {"Alice Archer": True, "Bob": True}
    assert site.rows("select display_name, id from sp_account order by id") == before
    assert site.rows("select count(*) from sp_link where suspended_at is not null") == [(0,)]


def test_who_was_inactive_before_is_let_in_by_nothing_but_provisioning(site: Site, scim: ScimClient) -> None:
    alice = scim.get("/Users").json["Resources"][0]["id"]
    scim.patch(f"/Users/{alice}", op("replace", "active", value=False))
    assert end(site, Ending.SUSPEND).active == 0
    site.connect(site.idp)
    browser = site.browser()
    departure = site.idp.read(browser.get("/saml/login"))
    assert "inactive" in browser.post("/saml/acs", site.idp.answer(departure), status=403)


def test_deleted_and_connected_again_everybody_begins_anew(site: Site, scim: ScimClient) -> None:
    before = site.rows("select id from sp_account")
    end(site, Ending.DELETE)
    assert site.counts()["sp_scim_user"] == 0
    site.connect(site.idp)
    sign_in(site, site.browser())
    assert active(site) == {"Alice Archer": True}
    assert site.rows("select id from sp_account") != before


def test_whoever_is_trusted_again_is_confirmed_again(site: Site) -> None:
    end(site, Ending.KEEP)
    with pytest.raises(Unconfirmed):
        site.connect(site.idp, fingerprints=[])


def test_ended_is_ended(site: Site) -> None:
    end(site, Ending.KEEP)
    with site.unit_of_work() as session:
        found = connections.record_of(session, site.idp.entity_id)
        assert found is not None
        with pytest.raises(PolicyRefusal, match="connect it again"):
            connections.set_state(found, connections.ACTIVE, site.clock())
        with pytest.raises(PolicyRefusal, match="before"):
            disconnecting.disconnect(
                session, SqlAccountStore(session, now=site.clock()), found, Ending.KEEP, Occasion(site.clock(), "", "")
            )


def test_who_signs_in_or_provisions_at_that_moment_is_dealt_with_like_everybody_else(site: Site) -> None:
    """Each is either refused, or early: then the end waits for them."""
    waiting = []
    for number in range(4):
        browser = site.browser()
        told = attributes(f"person{number}@example.org", display_name=str(number))
        waiting.append((browser, site.idp.answer(site.idp.read(browser.get("/saml/login")), attributes=told)))
    client = scim_client(site)

    def post(each: tuple[TestApp, dict[str, str]]) -> int:
        return int(each[0].post("/saml/acs", each[1], expect_errors=True).status_int)

    with ThreadPoolExecutor(6) as pool:
        arriving = [pool.submit(post, each) for each in waiting]
        provisioning = pool.submit(client.post, "/Users", user(BOB, "bob"))
        ending = pool.submit(end, site, Ending.SUSPEND)
        assert {each.result() for each in arriving} <= {303, 403}
        assert provisioning.result().status_int in (201, 401, 503)
        ending.result()
    assert not any(active(site).values())
    assert site.rows("select count(*) from sp_session where ended_at is null") == [(0,)]


def test_a_sign_in_that_was_early_is_waited_for(site: Site) -> None:
    with ThreadPoolExecutor(1) as pool:
        with site.unit_of_work() as session:
            found = connections.by_entity_id(session, site.idp.entity_id)
            assert found is not None
            assert connections.hold(session, found) == connections.ACTIVE
            store = SqlAccountStore(session, now=site.clock())
            linking = Linking(session, store, idp_entity_id=site.idp.entity_id, now=site.clock())
            linking.provision(ALICE, Profile(display_name="Alice"), active=True)
            ending = pool.submit(end, site, Ending.SUSPEND)
        ending.result()
    assert active(site) == {"Alice": False}


# The console --------------------------------------------------------------------------------------------------------


@pytest.fixture
def administrator(site: Site) -> TestApp:
    """The browser of an administrator, who came through the identity provider like everybody."""
    browser = sign_in(site, site.browser(), "ada@example.org", "Ada Admin")
    with site.unit_of_work() as session:
        account = session.get_one(Account, browser.get("/whoami").json["account"]["id"])
        administrators.appoint(account, administrator=True, now=site.clock())
    return browser


def ask(administrator: TestApp) -> Any:
    page = administrator.get("/admin/connections").click("Example University")
    return page.click("Disconnect…")


def form_of(page: Any) -> Any:
    return next(form for form in page.forms.values() if "confirm" in form.fields)


def test_the_page_says_in_numbers_what_each_choice_does(site: Site, scim: ScimClient, administrator: TestApp) -> None:
    sign_in(site, site.browser(), BOB, "Bob")
    link_alice_to(site, connect_other(site))
    page = ask(administrator)
    for words in (
        "2 accounts stay as they are.",
        "2 accounts will be suspended.",
        "2 accounts will be deleted.",
        "2 open sessions end.",
        "1 account that another identity provider vouches for, too, stays as it is",
        "its tokens stop, 1 of them made here",
        "You came through it yourself",
        "1 of these accounts administers this site",
    ):
        assert words in page.text, words
    assert form_of(page)["accounts"].value is None, "nothing is chosen for anybody"


@pytest.mark.parametrize("typed", ["", "Example", "https://idp.example.org"])
def test_a_wrong_text_keeps_everything_and_explains(site: Site, administrator: TestApp, typed: str) -> None:
    before = site.counts()
    form = form_of(ask(administrator))
    form["accounts"], form["confirm"] = "delete", typed
    page = form.submit("action", status=400)
    assert f"This is not it. Type {site.idp.entity_id}, or Example University." in page.text
    assert (form_of(page)["accounts"].value, form_of(page)["confirm"].value) == ("delete", typed)
    assert site.counts() == before
    form = form_of(page)
    form["confirm"] = "Example University"
    form["accounts"].force_value("none")
    assert "Choose what becomes of them." in form.submit("action", status=400)
    administrator.get("/whoami", status=200)


def test_who_came_through_it_is_signed_out_and_led_to_the_public_page(site: Site, administrator: TestApp) -> None:
    form = form_of(ask(administrator))
    form["accounts"], form["confirm"] = "keep", site.idp.entity_id
    response = form.submit("action")
    assert response.location == f"{site.origin}/"
    administrator.get("/whoami", status=401)
    assert active(site) == {"Ada Admin": True}


def test_who_came_another_way_reads_that_it_is_over(site: Site) -> None:
    other = connect_other(site)
    browser = site.browser()
    departure = other.read(browser.get("/saml/login", {"entityID": OTHER}))
    browser.post("/saml/acs", other.answer(departure, attributes=attributes("ada@example.org", display_name="Ada")))
    with site.unit_of_work() as session:
        account = session.get_one(Account, browser.get("/whoami").json["account"]["id"])
        administrators.appoint(account, administrator=True, now=site.clock())
    form = form_of(ask(browser))
    form["accounts"], form["confirm"] = "suspend", " example university "
    page = form.submit("action").follow()
    assert "The connection is over" in page
    assert "Other University" in page
    assert "Disconnected (1)" in page
    page = page.click("Example University")
    assert "Version 1" in page.click("Every version of its metadata")
    connection_id = page.request.path.rpartition("/")[2]
    assert "Connect the identity provider again" in page
    assert "Disconnect…" not in page
    browser.get(f"/admin/connections/{connection_id}/disconnect", status=303)


def test_a_pause_keeps_everything(site: Site, scim: ScimClient, administrator: TestApp) -> None:
    """No sign-in and no provisioning for a while; sessions, tokens and accounts go on where they were."""
    page = administrator.get("/admin/connections").click("Example University")
    page = next(form for form in page.forms.values() if "Pause" in form.text).submit("action", value="pause").follow()
    before = active(site)
    assert scim.post("/Users", user(BOB, "bob")).status_int == 503
    page = site.browser().get("/saml/login", {"entityID": site.idp.entity_id}, status=403)
    assert "paused" in page
    administrator.get("/whoami", status=200)
    page = administrator.get("/admin/connections").click("Example University")
    next(form for form in page.forms.values() if "Resume" in form.text).submit("action", value="resume")
    assert active(site) == before
    assert scim.post("/Users", user(BOB, "bob")).status_int == 201
