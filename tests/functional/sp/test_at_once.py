"""Several things at the same moment, on a database that really runs them side by side."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from webtest import TestApp, TestResponse

from sp_app.accounts import Profile
from sp_app.accounts.sql import SqlAccountStore
from sp_app.services.linking import AlreadyLinked, Linking
from tests.sp_factories import ALICE, Site

THREADS = 8


def post(site: Site, answer: dict[str, str], binding: str) -> TestResponse:
    """Post a response as a browser with this binding cookie does."""
    headers = {"Cookie": f"__Host-intranet-binding={binding}"}
    return site.browser().post("/saml/acs", answer, headers=headers, expect_errors=True)


def test_one_response_posted_by_many_at_once_opens_one_session(site: Site, browser: TestApp) -> None:
    answer = site.idp.answer(site.idp.read(browser.get("/saml/login")))
    binding = browser.cookies["__Host-intranet-binding"]
    with ThreadPoolExecutor(THREADS) as pool:
        codes = sorted(each.status_int for each in pool.map(lambda _: post(site, answer, binding), range(THREADS)))
    assert codes == [303] + [403] * (THREADS - 1)
    assert site.counts()["sp_session"] == 1
    assert site.counts()["sp_replay"] == 1


def test_one_person_in_many_browsers_at_once_gets_one_account(site: Site) -> None:
    waiting = []
    for _ in range(THREADS):
        browser = site.browser()
        answer = site.idp.answer(site.idp.read(browser.get("/saml/login")))
        waiting.append((answer, browser.cookies["__Host-intranet-binding"]))
    with ThreadPoolExecutor(THREADS) as pool:
        codes = {each.status_int for each in pool.map(lambda each: post(site, *each), waiting)}
    assert codes == {303}
    assert site.counts()["sp_account"] == 1
    assert site.counts()["sp_session"] == THREADS


def test_signing_in_and_being_provisioned_at_once_ends_in_one_account(site: Site) -> None:
    browser = site.browser()
    answer = site.idp.answer(site.idp.read(browser.get("/saml/login")))
    binding = browser.cookies["__Host-intranet-binding"]

    def provision() -> None:
        with site.unit_of_work() as session:
            accounts = SqlAccountStore(session, now=site.clock())
            Linking(session, accounts, idp_entity_id=site.idp.entity_id, now=site.clock()).provision(
                ALICE, Profile(username="alice"), active=True
            )

    with ThreadPoolExecutor(2) as pool:
        signing_in, provisioning = pool.submit(post, site, answer, binding), pool.submit(provision)
        assert signing_in.result().status_int == 303
        error = provisioning.exception()
    assert error is None or isinstance(error, AlreadyLinked)
    assert site.counts()["sp_account"] == 1
    assert site.counts()["sp_link"] == 1
