"""Somebody could not be let in: the page says what is missing and where their identity provider helps."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from webtest import TestApp, TestResponse

from federation.attributes.catalogue import CATALOGUE
from federation.saml.metadata.entity import Contact
from federation.saml.names import StatusCode
from tests.sp_factories import TARGET, Site, attributes, make_site

TEMPLATE = "https://idp.example.org/error/ERRORURL_CODE?ts=ERRORURL_TS&rp=ERRORURL_RP&tid=ERRORURL_TID&ctx=ERRORURL_CTX"
CONTACTS = (
    Contact("technical", emails=("tech@idp.example.org",)),
    Contact("support", emails=("desk@idp.example.org",)),
    Contact("other", emails=("security@idp.example.org",), remd_type="http://refeds.org/metadata/contactType/security"),
)


@pytest.fixture(scope="module")
def demanding_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that cannot do without a mail address and a display name."""
    folder = tmp_path_factory.mktemp("demanding")
    site = make_site(folder, required_attributes="mail display_name", support_email="help@intranet.example.org")
    yield site
    site.provider.engine.dispose()


@pytest.fixture
def demanding(demanding_site: Site) -> Site:
    demanding_site.reset()
    demanding_site.idp.options["error_url"] = TEMPLATE
    demanding_site.idp.contacts = CONTACTS
    demanding_site.connect(demanding_site.idp)
    return demanding_site


def link_of(page: TestResponse) -> dict[str, list[str]]:
    """What the link to the identity provider's errorURL says."""
    (href,) = (a["href"] for a in page.html.find_all("a") if a["href"].startswith("https://idp.example.org/error/"))
    parts = urlsplit(href)
    return {"code": [parts.path.rpartition("/")[2]], **parse_qs(parts.query)}


def refused(site: Site, browser: TestApp, **changes: object) -> TestResponse:
    departure = site.idp.read(browser.get("/saml/login", {"target": TARGET}))
    return browser.post("/saml/acs", site.idp.answer(departure, **changes), status=403)


@pytest.mark.conformance("SDP-SP12")
def test_missing_attributes_are_named_and_so_is_who_can_help(demanding: Site) -> None:
    browser = demanding.browser()
    page = refused(demanding, browser, attributes=attributes(mail=""))
    assert "did not tell enough about you" in page
    assert [dd.get_text() for dd in page.html.select(".attributes dd")] == ["E-mail address", "Display name"]
    ((reference, rule),) = demanding.rows("select reference, rule from sp_audit")
    assert rule == "attributes.required"
    said = link_of(page)
    assert said == {
        "code": ["IDENTIFICATION_FAILURE"],
        "ts": [str(int(demanding.clock().timestamp()))],
        "rp": [demanding.provider.entity_id],
        "tid": [reference],
        "ctx": [f"{CATALOGUE['mail'].name} {CATALOGUE['display_name'].name}"],
    }
    for address in ("desk@idp.example.org", "help@intranet.example.org"):
        assert f"mailto:{address}" in page
    assert "tech@" not in page
    assert "security@" not in page
    assert demanding.counts()["sp_account"] == 0
    # The administrator released it: the same person tries again and is in.
    departure = demanding.idp.read(page.click("Sign in again"))
    told = attributes(mail=["alice@example.org", "a@example.org"], display_name="Alice")
    answer = demanding.idp.answer(departure, attributes=told)
    assert browser.post("/saml/acs", answer).location == demanding.origin + TARGET


def test_a_missing_identifier_is_named_with_the_rest(demanding: Site) -> None:
    page = refused(demanding, demanding.browser(), attributes=())
    assert [dd.get_text() for dd in page.html.select(".attributes dd")][1:] == ["E-mail address", "Display name"]
    assert link_of(page)["ctx"][0].startswith(CATALOGUE["pairwise_id"].name + " ")


BY_STATUS = {
    StatusCode.REQUEST_DENIED: "AUTHORIZATION_FAILURE",
    StatusCode.NO_AUTHN_CONTEXT: "AUTHENTICATION_FAILURE",
    StatusCode.AUTHN_FAILED: "AUTHENTICATION_FAILURE",
    StatusCode.UNKNOWN_PRINCIPAL: "OTHER_ERROR",
    None: "OTHER_ERROR",
}


@pytest.mark.parametrize("status", BY_STATUS)
def test_each_problem_has_its_code(demanding: Site, status: str | None) -> None:
    browser = demanding.browser()
    link = {"target": TARGET, "authnContextClassRef": "https://refeds.org/profile/mfa"}
    departure = demanding.idp.read(browser.get("/saml/login", link))
    page = browser.post("/saml/acs", demanding.idp.deny(departure, status), status=403)
    said = link_of(page)
    assert said["code"] == [BY_STATUS[status]]
    wanted = ["https://refeds.org/profile/mfa"] if said["code"] == ["AUTHENTICATION_FAILURE"] else None
    assert said.get("ctx") == wanted


def test_a_deactivated_account_is_a_matter_of_authorisation(demanding: Site) -> None:
    told = attributes(mail="alice@example.org", display_name="Alice")
    demanding.sign_in(demanding.browser(), attributes=told)
    with demanding.unit_of_work() as session:
        from sp_app.models import Account

        session.query(Account).update({"active": False})
    page = refused(demanding, demanding.browser(), attributes=told)
    assert link_of(page)["code"] == ["AUTHORIZATION_FAILURE"]


def test_what_the_identity_provider_has_no_part_in_does_not_lead_there(demanding: Site) -> None:
    """An interrupted sign-in, or one that nobody began."""
    departure = demanding.idp.read(demanding.browser().get("/saml/login"))
    for answer in (demanding.idp.answer(departure), {**demanding.idp.answer(departure), "RelayState": "x"}):
        page = demanding.browser().post("/saml/acs", answer, status=403)
        assert "idp.example.org" not in page


@pytest.mark.parametrize("template", [None, "http://idp.example.org/error/ERRORURL_CODE"])
def test_without_a_page_of_theirs_in_https_there_is_still_somebody_to_write_to(
    demanding: Site, template: str | None
) -> None:
    demanding.idp.options["error_url"] = template
    demanding.connect(demanding.idp)
    page = refused(demanding, demanding.browser(), attributes=())
    assert "idp.example.org/error" not in page
    assert "mailto:desk@idp.example.org" in page
