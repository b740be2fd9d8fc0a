"""Who may use the SCIM endpoint, and what each may see."""

from __future__ import annotations

import hashlib
from urllib.parse import quote

import pytest

from sp_app.services import scim_tokens, switch
from tests.scim_factories import ScimClient, group, op, scim_client, user
from tests.sp_factories import BOB, FakeIdP, Site

ELSEWHERE = "https://other.example.org/saml/metadata"


@pytest.fixture
def other(site: Site) -> ScimClient:
    """Another identity provider's client, with a user of its own."""
    idp = FakeIdP(site.clock, entity_id=ELSEWHERE, sso_url="https://other.example.org/saml/sso", name="Other")
    site.connect(idp)
    return scim_client(site, idp)


def test_without_a_token_nothing_is_said_but_that_one_is_needed(site: Site) -> None:
    response = site.browser().get("/scim/v2/Users", expect_errors=True)
    assert response.status_int == 401
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="SCIM"'
    assert response.content_type == "application/scim+json"
    assert response.json["status"] == "401"


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Basic YWxpY2U6eA==", "Bearer wrong", f"Bearer {'x' * 5000}", "Bearer \xe9"]
)
def test_a_wrong_credential_is_refused(site: Site, header: str) -> None:
    response = site.browser().get("/scim/v2/Users", headers={"Authorization": header}, expect_errors=True)
    assert response.status_int == 401
    assert "WWW-Authenticate" in response.headers


def test_the_name_of_the_scheme_has_no_letter_case(scim: ScimClient) -> None:
    scim.headers["Authorization"] = f"bearer {scim.token}"
    assert scim.get("/Users").status_int == 200


def test_a_revoked_token_opens_nothing(site: Site, scim: ScimClient) -> None:
    with site.unit_of_work() as session:
        assert scim_tokens.revoke(session, "a test", site.clock()) == 1
    assert scim.get("/Users").status_int == 401


def test_the_token_is_stored_as_a_digest_only(site: Site, scim: ScimClient) -> None:
    [row] = site.rows("select * from sp_scim_token")
    assert scim.token not in row
    assert hashlib.sha256(scim.token.encode()).hexdigest() in row


def test_while_the_federation_is_off_there_is_no_endpoint(site: Site, scim: ScimClient) -> None:
    with site.unit_of_work() as session:
        switch.turn(session, on=False, now=site.clock())
    response = scim.get("/Users")
    assert (response.status_int, response.content_type) == (404, "application/scim+json")


def test_a_paused_connection_is_told_to_come_back_later(site: Site, scim: ScimClient) -> None:
    site.change_connection(state="paused")
    response = scim.get("/Users")
    assert response.status_int == 503
    assert response.headers["Retry-After"] == "60"


def test_a_person_s_session_is_no_credential(site: Site) -> None:
    browser = site.browser()
    site.sign_in(browser)
    assert browser.get("/scim/v2/Users", expect_errors=True).status_int == 401


def test_one_identity_provider_cannot_reach_another_s_resources(scim: ScimClient, other: ScimClient) -> None:
    alice = scim.create()["id"]
    group_id = scim.create(group("Board", alice))["id"]
    for path in (f"/Users/{alice}", f"/Groups/{group_id}"):
        assert other.get(path).status_int == 404
        assert other.put(path, user() | {"displayName": "x"}).status_int == 404
        assert other.patch(path, op("replace", "displayName", value="x")).status_int == 404
        assert other.delete(path).status_int == 404
    lines = other.bulk(
        {"method": "DELETE", "path": f"/Users/{alice}"},
        {"method": "POST", "path": "/Groups", "bulkId": "g", "data": group("Mine", alice)},
    ).json["Operations"]
    assert [line["status"] for line in lines] == ["404", "400"]
    for text in (f'id eq "{alice}"', 'userName eq "alice"', "active eq true", 'displayName sw ""', "not (title pr)"):
        assert other.get(f"/Users?filter={quote(text)}").json["totalResults"] == 0
    assert other.get("/Groups").json["totalResults"] == 0
    assert scim.get(f"/Users/{alice}").json["userName"] == "alice"
    assert scim.members(group_id) == {alice}


def test_an_identifier_means_another_person_at_another_identity_provider(scim: ScimClient, other: ScimClient) -> None:
    first, second = scim.create()["id"], other.create(user(user_name="other-alice"))["id"]
    assert first != second


def test_a_user_name_is_unique_across_identity_providers_and_says_no_more(scim: ScimClient, other: ScimClient) -> None:
    scim.create()
    response = other.post("/Users", user(BOB, "ALICE"))
    assert (response.status_int, response.json["scimType"]) == (409, "uniqueness")
    assert "alice" not in response.text.lower().replace("another", "")


def test_nobody_is_called_by_a_number_from_outside(scim: ScimClient) -> None:
    created = scim.create(user("1", "admin"))
    assert created["id"] != "1"
    assert scim.get("/Users/1").status_int == 404


def test_bad_bodies_are_answered_and_change_nothing(site: Site, scim: ScimClient) -> None:
    before = site.counts()
    for body in (b"", b"{", b"\xff\xfe", b"[]", b"[" * 50_000, b'{"userName": "\\ud800"}', b'{"userName": "a\\u0000"}'):
        assert scim.post("/Users", body).status_int == 400
    assert scim.post("/Users", b" " * 1_048_577).status_int == 413
    assert scim.post("/Users", user(), Content_Type="text/plain").status_int == 415
    assert scim.get("/Users?filter=%FF").status_int == 400
    assert scim.get("/Users/%00").status_int == 400
    assert site.counts() | {"sp_audit": 0} == before | {"sp_audit": 0}
