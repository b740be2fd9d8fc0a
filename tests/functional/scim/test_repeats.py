"""Idempotency-Key on /Bulk: a client that lost the answer gets the same one again."""

from __future__ import annotations

from sp_app.scim import repeats
from tests.scim_factories import ScimClient, user
from tests.sp_factories import BOB, Site

ALICE = {"method": "POST", "path": "/Users", "bulkId": "a", "data": user()}


def test_the_same_request_gets_the_same_answer_and_happens_once(site: Site, scim: ScimClient) -> None:
    first = scim.bulk(ALICE, Idempotency_Key="k-1")
    again = scim.bulk(ALICE, Idempotency_Key="k-1")
    assert first.json == again.json
    assert first.json["Operations"][0]["status"] == "201"
    assert site.rows("select count(*) from sp_account") == [(1,)]


def test_without_the_key_it_is_another_request(scim: ScimClient) -> None:
    scim.bulk(ALICE, Idempotency_Key="k-1")
    assert scim.bulk(ALICE).json["Operations"][0]["status"] == "409"
    assert scim.bulk(ALICE, Idempotency_Key="k-2").json["Operations"][0]["status"] == "409"


def test_a_key_does_not_come_with_another_body(scim: ScimClient) -> None:
    scim.bulk(ALICE, Idempotency_Key="k-1")
    other = ALICE | {"data": user(BOB, "bob")}
    assert scim.bulk(other, Idempotency_Key="k-1").status_int == 422


def test_a_key_that_cannot_be_one_is_refused(scim: ScimClient) -> None:
    assert scim.bulk(ALICE, Idempotency_Key="x" * 129).status_int == 400
    assert scim.get("/Users").json["totalResults"] == 0


def test_answers_are_kept_for_a_day(site: Site, scim: ScimClient) -> None:
    scim.bulk(ALICE, Idempotency_Key="k-1")
    with site.unit_of_work() as session:
        assert repeats.purge(session, now=site.clock()) == 0
    site.clock.advance(hours=25)
    with site.unit_of_work() as session:
        assert repeats.purge(session, now=site.clock()) == 1
