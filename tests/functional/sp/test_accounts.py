"""Provisioning and sign-in meet in one account; what provisioning says about access wins over any assertion."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import select
from webtest import TestApp

from federation.saml.messages import NameID
from federation.saml.names import NameIDFormat
from sp_app.accounts import Profile
from sp_app.accounts.sql import SqlAccountStore
from sp_app.models import IdPConnection
from sp_app.services import options
from sp_app.services.linking import Linking
from tests.sp_factories import ALICE, BOB, Site, attribute, attributes

PROFILE = Profile(username="alice", display_name="Alice from provisioning", mail="alice@example.org")


@contextmanager
def provisioning(site: Site) -> Iterator[Linking]:
    """What the SCIM server does, in a transaction of its own."""
    with site.unit_of_work() as session:
        accounts = SqlAccountStore(session, now=site.clock())
        yield Linking(session, accounts, idp_entity_id=site.idp.entity_id, now=site.clock())


def test_whoever_signed_in_first_is_the_same_account_when_provisioned(site: Site, browser: TestApp) -> None:
    site.sign_in(browser)
    before = browser.get("/whoami").json["account"]["id"]
    with provisioning(site) as linking:
        assert linking.provision(ALICE, PROFILE, active=True).id == before
    account = browser.get("/whoami").json["account"]
    assert account["id"] == before
    assert account["username"] == "alice"


def test_whoever_was_provisioned_first_signs_in_to_that_account(site: Site, browser: TestApp) -> None:
    with provisioning(site) as linking:
        provisioned = linking.provision(ALICE, PROFILE, active=True).id
    site.sign_in(browser)
    assert browser.get("/whoami").json["account"]["id"] == provisioned


def test_an_assertion_does_not_overwrite_what_provisioning_said(site: Site, browser: TestApp) -> None:
    with provisioning(site) as linking:
        linking.provision(ALICE, PROFILE, active=True)
    site.sign_in(browser, attributes=attributes(display_name="Alice from the assertion"))
    assert browser.get("/whoami").json["account"]["display_name"] == "Alice from provisioning"


def test_the_address_links_nobody(site: Site, browser: TestApp) -> None:
    with provisioning(site) as linking:
        provisioned = linking.provision("somebody-else@example.org", PROFILE, active=True).id
    site.sign_in(browser, attributes=attributes(ALICE, mail="alice@example.org", username="alice"))
    assert browser.get("/whoami").json["account"]["id"] != provisioned


def test_an_inactive_account_is_refused_with_a_valid_assertion(site: Site, browser: TestApp) -> None:
    with provisioning(site) as linking:
        linking.provision(ALICE, PROFILE, active=False)
    departure = site.idp.read(browser.get("/saml/login"))
    page = browser.post("/saml/acs", site.idp.answer(departure), status=403)
    assert "inactive" in page
    assert site.rows("select rule from sp_audit") == [("account.active",)]
    browser.get("/whoami", status=401)


def test_deactivation_ends_every_session_at_once(site: Site, browser: TestApp) -> None:
    elsewhere = site.browser()
    for each in (browser, elsewhere):
        site.sign_in(each)
    with provisioning(site) as linking:
        account = linking.provision(ALICE, PROFILE, active=True)
        linking.update(account.id, PROFILE, active=False)
    for each in (browser, elsewhere):
        each.get("/whoami", status=401)
    assert site.rows("select count(*) from sp_session where ended_at is null or attributes <> '[]'") == [(0,)]


def test_back_in_the_person_signs_in_again(site: Site, browser: TestApp) -> None:
    with provisioning(site) as linking:
        account = linking.provision(ALICE, PROFILE, active=False)
    with provisioning(site) as linking:
        linking.update(account.id, PROFILE, active=True)
    site.sign_in(browser)
    assert browser.get("/whoami").json["account"]["id"] == account.id


def test_a_removed_person_is_not_brought_back_by_an_assertion_but_by_provisioning(site: Site, browser: TestApp) -> None:
    site.sign_in(browser)
    with provisioning(site) as linking:
        account = linking.provision(ALICE, PROFILE, active=True)
        linking.remove(account.id)
    browser.get("/whoami", status=401)
    departure = site.idp.read(browser.get("/saml/login"))
    assert "no account at this site any more" in browser.post("/saml/acs", site.idp.answer(departure), status=403)
    with provisioning(site) as linking:
        linking.provision(ALICE, PROFILE, active=True)
    site.sign_in(browser)
    assert browser.get("/whoami").json["signed_in"]


def test_a_session_of_an_account_made_inactive_behind_our_back_ends_too(site: Site, browser: TestApp) -> None:
    """Whoever changes the account store directly is obeyed as well: each request asks it."""
    site.sign_in(browser)
    with site.unit_of_work() as session:
        account_id = site.rows("select id from sp_account")[0][0]
        SqlAccountStore(session, now=site.clock()).set_active(account_id, False)
    browser.get("/whoami", status=401)


def test_people_may_be_known_by_their_subject_id_where_the_connection_says_so(site: Site, browser: TestApp) -> None:
    choose(site, "subject-id")
    departure = site.idp.read(browser.get("/private").follow())
    told = (attribute("subject_id", "alice@example.org"), *attributes(BOB, display_name="Alice"))
    browser.post("/saml/acs", site.idp.answer(departure, attributes=told), status=303)
    assert site.rows("select identifier from sp_link") == [("alice@example.org",)]


def test_people_may_be_known_by_a_persistent_name_id_and_letter_case_tells_them_apart(site: Site) -> None:
    choose(site, "persistent")
    for value in ("AbC", "abC", "AbC"):
        browser = site.browser()
        departure = site.idp.read(browser.get("/private").follow())
        name_id = NameID(value, NameIDFormat.PERSISTENT)
        browser.post("/saml/acs", site.idp.answer(departure, name_id=name_id, attributes=()), status=303)
    assert site.rows("select count(*) from sp_link") == [(2,)]
    assert site.rows("select count(*) from sp_account") == [(2,)]


def test_no_other_identifier_steps_in_for_the_one_that_the_connection_names(site: Site, browser: TestApp) -> None:
    choose(site, "persistent")
    departure = site.idp.read(browser.get("/private").follow())
    page = browser.post("/saml/acs", site.idp.answer(departure), status=403)
    assert "did not tell who you are" in page
    assert site.rows("select rule from sp_audit where rule is not null") == [("identifier.persistent",)]


def choose(site: Site, identifier: str) -> None:
    with site.unit_of_work() as session:
        connection = session.scalars(select(IdPConnection)).one()
        assert options.choose(session, connection, options.Options(identifier=identifier), site.clock())
