"""Users by SCIM are the accounts that people sign in with."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.scim_factories import ScimClient, op, scim_client, user
from tests.sp_factories import ALICE, BOB, Site, attributes


def account(site: Site, display_name: str = "Alice Archer") -> tuple[str, bool]:
    """The id of an account, and whether it is active."""
    [(account_id, active)] = site.rows("select id, active from sp_account where display_name = ?", display_name)
    return account_id, bool(active)


def is_signed_in(browser: object) -> bool:
    return browser.get("/whoami", expect_errors=True).status_int == 200  # type: ignore[attr-defined]


def test_a_provisioned_person_signs_in_to_the_account_that_is_theirs(site: Site, scim: ScimClient) -> None:
    created = scim.create(user(displayName="Alice Archer", department="Physics"))
    browser = site.browser()
    assert site.sign_in(browser).status_int == 303
    assert account(site) == (created["id"], True)
    assert len(site.rows("select id from sp_account")) == 1


def test_who_signed_in_before_being_provisioned_keeps_the_account(site: Site, scim: ScimClient) -> None:
    site.sign_in(site.browser())
    before, _ = account(site)
    assert scim.create(user(displayName="Alice Archer"))["id"] == before
    assert len(site.rows("select id from sp_account")) == 1


def test_mail_and_user_name_link_nobody(site: Site, scim: ScimClient) -> None:
    site.sign_in(site.browser(), attributes=attributes(display_name="Alice Archer", mail="alice@example.org"))
    other = scim.create(user(BOB, "alice", displayName="Bob", emails=[{"value": "alice@example.org"}]))
    assert other["id"] != account(site)[0]


def test_a_user_name_that_a_local_account_has_is_taken(site: Site, scim: ScimClient) -> None:
    site.sign_in(site.browser(), attributes=attributes(display_name="Alice Archer", username="alice"))
    response = scim.post("/Users", user(BOB, "Alice"))
    assert (response.status_int, response.json["scimType"]) == (409, "uniqueness")
    assert scim.post("/Users", user(ALICE, "Alice")).status_int == 201, "the account is this very person's"


@pytest.mark.parametrize("how", ["patch", "put", "bulk"])
def test_inactive_ends_every_session_and_keeps_the_person_out(site: Site, scim: ScimClient, how: str) -> None:
    alice = scim.create(user(displayName="Alice Archer"))
    browsers = [site.browser(), site.browser()]
    for browser in browsers:
        site.sign_in(browser)
    assert all(map(is_signed_in, browsers))
    inactive = op("replace", "active", value=False)
    match how:
        case "patch":
            assert scim.patch(f"/Users/{alice['id']}", inactive).status_int == 200
        case "put":
            assert scim.put(f"/Users/{alice['id']}", alice | {"active": False}).status_int == 200
        case "bulk":
            operation = {"method": "PATCH", "path": f"/Users/{alice['id']}", "data": {"Operations": [inactive]}}
            assert scim.bulk(operation).json["Operations"][0]["status"] == "200"
    assert not any(map(is_signed_in, browsers))
    assert site.rows("select count(*) from sp_session where ended_at is null") == [(0,)]
    site.idp.read(browsers[0].get("/saml/login"))  # the login page still works
    departure = site.idp.read(browsers[0].get("/saml/login"))
    refused = browsers[0].post("/saml/acs", site.idp.answer(departure), expect_errors=True)
    assert refused.status_int == 403
    assert scim.get(f"/Users/{alice['id']}").json["active"] is False


def test_created_inactive_keeps_the_person_out(site: Site, scim: ScimClient) -> None:
    scim.create(user(displayName="Alice Archer", active=False))
    browser = site.browser()
    departure = site.idp.read(browser.get("/saml/login"))
    assert browser.post("/saml/acs", site.idp.answer(departure), expect_errors=True).status_int == 403


def test_provisioned_inactive_ends_the_sessions_of_who_signed_in_before(site: Site, scim: ScimClient) -> None:
    browser = site.browser()
    site.sign_in(browser)
    scim.create(user(active=False))
    assert not is_signed_in(browser)


def test_active_again_lets_the_person_in_with_their_groups(site: Site, scim: ScimClient) -> None:
    alice = scim.create()["id"]
    group_id = scim.create(
        {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "G", "members": [{"value": alice}]}
    )["id"]
    scim.patch(f"/Users/{alice}", op("replace", "active", value=False))
    assert scim.members(group_id) == {alice}
    scim.patch(f"/Users/{alice}", op("replace", "active", value=True))
    assert site.sign_in(site.browser()).status_int == 303
    assert scim.members(group_id) == {alice}


def test_a_put_that_does_not_say_so_lets_nobody_in(scim: ScimClient) -> None:
    alice = scim.create(user(active=False))["id"]
    assert scim.put(f"/Users/{alice}", user()).json["active"] is False
    assert scim.patch(f"/Users/{alice}", op("remove", "active")).json["active"] is False


def test_deleted_is_gone_and_no_assertion_brings_it_back(site: Site, scim: ScimClient) -> None:
    alice = scim.create(user(displayName="Alice Archer"))["id"]
    browser = site.browser()
    site.sign_in(browser)
    assert scim.delete(f"/Users/{alice}").status_int == 204
    assert not is_signed_in(browser)
    assert site.rows("select count(*) from sp_account") == [(0,)]
    departure = site.idp.read(browser.get("/saml/login"))
    assert browser.post("/saml/acs", site.idp.answer(departure), expect_errors=True).status_int == 403
    again = scim.create()
    assert again["id"] != alice
    assert site.sign_in(browser).status_int == 303


def test_the_user_name_is_free_at_once_after_a_deletion(scim: ScimClient) -> None:
    scim.delete(f"/Users/{scim.create()['id']}")
    assert scim.post("/Users", user(BOB, "alice")).status_int == 201


def test_the_same_person_is_not_created_twice(scim: ScimClient) -> None:
    scim.create()
    response = scim.post("/Users", user(ALICE, "another"))
    assert (response.status_int, response.json["scimType"]) == (409, "uniqueness")
    assert scim.post("/Users", user(ALICE.upper(), "another")).status_int == 409, "identifiers ignore letter case"


def test_a_user_follows_a_new_identifier(site: Site, scim: ScimClient) -> None:
    alice = scim.create(user(BOB, displayName="Alice Archer"))["id"]
    assert scim.patch(f"/Users/{alice}", op("replace", "externalId", value=ALICE)).status_int == 200
    site.sign_in(site.browser())
    assert account(site)[0] == alice
    other = scim.create(user(BOB, "bob"))["id"]
    assert scim.patch(f"/Users/{other}", op("replace", "externalId", value=ALICE)).status_int == 409


def test_the_profile_is_what_provisioning_says(site: Site, scim: ScimClient) -> None:
    scim.create(
        user(
            displayName="Alice Archer",
            name={"givenName": "Alice", "familyName": "Archer"},
            emails=[{"value": "home@example.org"}, {"value": "work@example.org", "primary": True}],
            department="Physics",
        )
    )
    columns = "username, given_name, family_name, mail, department"
    assert site.rows(f"select {columns} from sp_account") == [
        ("alice", "Alice", "Archer", "work@example.org", "Physics")
    ]
    site.sign_in(site.browser(), attributes=attributes(display_name="Somebody Else"))
    assert site.rows("select display_name from sp_account") == [("Alice Archer",)]


def test_an_account_that_was_removed_without_scim_is_made_again(site: Site, scim: ScimClient) -> None:
    alice = scim.create()["id"]
    with site.unit_of_work() as session:
        from sp_app.models import Account

        session.delete(session.get_one(Account, alice))
    assert scim.get(f"/Users/{alice}").status_int == 404
    assert scim.patch(f"/Users/{alice}", op("replace", "title", value="x")).status_int == 404
    again = scim.create()
    assert again["id"] != alice
    assert scim.get("/Users").json["totalResults"] == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('userName eq "ALICE"', {"alice"}),
        ('userName ne "alice"', {"bob", "carol"}),
        ('userName sw "B"', {"bob"}),
        ('userName co "aro"', {"carol"}),
        ('userName co "_"', set()),
        ('userName ew "OL"', {"carol"}),
        ('userName gt "bob"', {"carol"}),
        (f'externalId eq "{ALICE}"', {"alice"}),
        (f'externalId eq "{ALICE.upper()}"', set()),
        (f"externalId eq {BOB}", {"bob"}),
        ("externalId pr", {"alice", "bob"}),
        ("not (externalId pr)", {"carol"}),
        (f'not (externalId eq "{ALICE}")', {"bob", "carol"}),
        (f'externalId co "{ALICE[:8].upper()}"', set()),
        ("externalId eq null", {"carol"}),
        ("active eq false", {"bob"}),
        ("active ne false", {"alice", "carol"}),
        ('emails.value eq "ALICE@example.org"', {"alice"}),
        ('emails eq "alice@example.org"', {"alice"}),
        ('emails[type eq "work"].value eq "alice@example.org"', {"alice"}),
        ('emails[type eq "home"].value eq "alice@example.org"', set()),
        ('emails[value eq "alice@example.org" and value eq "a2@example.org"]', set()),
        ('emails[value eq "alice@example.org" or value eq "bob@example.org"]', {"alice", "bob"}),
        ('emails[not (value sw "alice")]', {"alice", "bob"}),
        ("emails pr", {"alice", "bob"}),
        ('displayName eq "bob baker"', {"bob"}),
        ('active eq true and displayName co "a"', {"alice", "carol"}),
        ('userName eq "bob" or title eq "Dr"', {"alice", "bob"}),
        ('not (userName eq "bob" or title eq "Dr")', {"carol"}),
        ('meta.created ge "2026-03-04T10:00:00Z"', {"alice", "bob", "carol"}),
        ('meta.lastModified lt "2026-03-04T10:00:00Z"', set()),
        ('meta.resourceType eq "User"', {"alice", "bob", "carol"}),
    ],
)
def test_filters(scim: ScimClient, text: str, expected: set[str]) -> None:
    alice_mail = [{"value": "alice@example.org", "type": "work"}, {"value": "a2@example.org", "type": "home"}]
    scim.create(user(ALICE, "alice", displayName="Alice Archer", title="Dr", emails=alice_mail))
    scim.create(user(BOB, "bob", displayName="Bob Baker", active=False, emails=[{"value": "bob@example.org"}]))
    scim.create(user(None, "carol", displayName="Carol Clark"))
    found = scim.get(f"/Users?filter={quote(text)}").json
    assert {each["userName"] for each in found["Resources"]} == expected
    assert found["totalResults"] == len(expected)
    assert scim.get(f"/Users?filter={quote(text)}&count=1").json["totalResults"] == len(expected)


def test_a_filter_that_would_look_at_too_many_is_refused(scim: ScimClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sp_app.scim.store.MAX_CANDIDATES", 1)
    scim.create()
    scim.create(user(BOB, "bob"))
    response = scim.get("/Users?filter=" + quote('title co "x"'))
    assert (response.status_int, response.json["scimType"]) == (400, "tooMany")


def test_pages_are_stable(scim: ScimClient) -> None:
    for number in range(7):
        scim.create(user(f"id-{number}@example.org", f"user{number}"))
    seen = [
        each["id"]
        for start in (1, 4, 7)
        for each in scim.get(f"/Users?startIndex={start}&count=3&attributes=id").json["Resources"]
    ]
    assert len(seen) == len(set(seen)) == 7


def test_every_change_is_in_the_audit_trail_without_values(site: Site, scim: ScimClient) -> None:
    alice = scim.create()["id"]
    scim.patch(f"/Users/{alice}", op("replace", "displayName", value="Al"))
    scim.patch(f"/Users/{alice}", op("replace", "active", value=False))
    scim.delete(f"/Users/{alice}")
    assert site.rows(
        "select detail from sp_audit where kind = 'provisioned' and account_id = ? order by id", alice
    ) == [
        ("The account was created.",),
        ("The account was changed: displayName.",),
        ("The account was made inactive.",),
        ("The account was deleted.",),
    ]


def test_what_fails_leaves_nothing_behind(site: Site, scim: ScimClient) -> None:
    scim.create()
    before = site.counts()
    lines = scim.bulk(
        {"method": "POST", "path": "/Users", "bulkId": "a", "data": user(BOB, "alice")},
        {"method": "POST", "path": "/Groups", "bulkId": "g", "data": {"displayName": "G", "members": [{"value": "x"}]}},
    ).json["Operations"]
    assert [line["status"] for line in lines] == ["409", "400"]
    assert site.counts() == before


def test_the_token_s_client_may_be_made_twice(site: Site) -> None:
    assert scim_client(site).get("/Users").status_int == scim_client(site).get("/Groups").status_int == 200
