"""The discovery protocol: this site asks a service elsewhere, and its own page is one that others may ask."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from webtest import TestApp

from federation.errors import ConfigurationError
from federation.saml.metadata.entity import Endpoint
from federation.saml.metadata.reading import read_document
from federation.saml.names import IDPDISC
from sp_app.services.served import Served
from tests.metadata_factories import NOW as MADE
from tests.metadata_factories import published, sp_entity
from tests.sp_factories import NOW, TARGET, FakeIdP, Site, make_site

SERVICE = "https://discovery.example.net/ds?v=2"
LIBRARY = "https://library.example.org/sp"
BACK = "https://library.example.org/Shibboleth.sso/Login"


def library(*endpoints: Endpoint, **changes: object) -> bytes:
    """The metadata of another service provider of the group."""
    entity = sp_entity(entity_id=LIBRARY, **changes)
    assert entity.sp is not None
    listed = tuple(("DiscoveryResponse", endpoint) for endpoint in endpoints or (Endpoint(IDPDISC, BACK, index=1),))
    return published(replace(entity, sp=replace(entity.sp, extension_endpoints=listed)), "sp")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("discovery")


@pytest.fixture(scope="module")
def asking_site(folder: Path) -> Iterator[Site]:
    """A site whose people choose at a discovery service elsewhere, and which serves Library with its own page."""
    (folder / "library.xml").write_bytes(library())
    site = make_site(folder, discovery_service=SERVICE, discovery_for=str(folder / "library.xml"))
    yield site
    site.provider.engine.dispose()


@pytest.fixture
def asking(asking_site: Site) -> Site:
    """The same, as new, with two identity providers."""
    asking_site.reset()
    asking_site.other = other = FakeIdP(  # type: ignore[attr-defined]
        asking_site.clock,
        entity_id="https://other.example.org/idp?a=b&c=d",
        sso_url="https://other.example.org/sso",
        name="Other College",
        key="other-idp",
    )
    asking_site.connect(other)
    return asking_site


def query_of(url: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(url).query, keep_blank_values=True)


# Asking elsewhere -----------------------------------------------------------------------------------------------------


@pytest.mark.conformance("IIP-SP04", "SDP-SP23")
def test_the_person_chooses_elsewhere_and_lands_on_the_page_asked_for(asking: Site) -> None:
    browser, other = asking.browser(), asking.other  # type: ignore[attr-defined]
    left = browser.get("/saml/login", {"target": TARGET})
    assert left.status_int == 303
    assert left.location.startswith(SERVICE + "&")
    asked = query_of(left.location)
    assert asked["entityID"] == [asking.provider.entity_id]
    assert asked["returnIDParam"] == ["entityID"]
    assert "isPassive" not in asked
    (back,) = asked["return"]
    assert "private" not in left.location
    # The return is one of the endpoints that our metadata lists (IDPDISC 2.5).
    entity = read_document(browser.get("/saml/metadata").body)[0]
    assert entity.sp is not None
    endpoint = dict(entity.sp.extension_endpoints)["DiscoveryResponse"]
    assert (endpoint.binding, endpoint.index) == (IDPDISC, 1)
    assert back.startswith(f"{endpoint.location}?")
    departure = other.read(browser.get(f"{back}&{urlencode({'entityID': other.entity_id})}"))
    assert browser.post("/saml/acs", other.answer(departure)).location == asking.origin + TARGET


def test_what_was_wanted_besides_survives_the_detour(asking: Site) -> None:
    browser, other = asking.browser(), asking.other  # type: ignore[attr-defined]
    left = browser.get("/saml/login", {"forceAuthn": "true", "isPassive": "1", "authnContextClassRef": "urn:x:mfa"})
    assert query_of(left.location)["isPassive"] == ["true"]
    (back,) = query_of(left.location)["return"]
    request = other.read(browser.get(f"{back}&{urlencode({'entityID': other.entity_id})}")).request
    assert (request.force_authn, request.is_passive) == (True, True)
    assert request.requested_authn_context.class_refs == ("urn:x:mfa",)


def back_of(site: Site, browser: TestApp) -> str:
    (back,) = query_of(browser.get("/saml/login", {"target": TARGET}).location)["return"]
    return back


def test_passively_no_choice_leads_back_to_the_page_which_is_told_so(asking: Site) -> None:
    browser = asking.browser()
    left = browser.get("/saml/login", {"target": TARGET, "isPassive": "true"})
    (back,) = query_of(left.location)["return"]
    assert browser.get(back, status=303).location == f"{asking.origin}{TARGET}&saml_signed_in=no"
    assert "belongs to another browser window" in asking.browser().get(back, status=403)


def test_a_return_without_a_choice_says_so_and_offers_another_try(asking: Site) -> None:
    browser = asking.browser()
    for nothing in ("", "&entityID="):
        page = browser.get(back_of(asking, browser) + nothing, status=403)
        assert "No identity provider was chosen" in page
        (back,) = query_of(page.click("Sign in again").location)["return"]
    departure = asking.idp.read(browser.get(f"{back}&{urlencode({'entityID': asking.idp.entity_id})}"))
    assert browser.post("/saml/acs", asking.idp.answer(departure)).location == asking.origin + TARGET


def test_a_choice_that_this_site_does_not_know_leads_to_a_clear_page(asking: Site) -> None:
    browser = asking.browser()
    page = browser.get(f"{back_of(asking, browser)}&entityID=https://evil.example/idp", status=403)
    assert "does not know that identity provider" in page
    assert "evil" not in page
    assert page.click("Sign in again").location.startswith(SERVICE)


def test_the_return_is_bound_to_the_browser_that_left_and_to_time(asking: Site) -> None:
    browser = asking.browser()
    chosen = "&" + urlencode({"entityID": asking.idp.entity_id})
    back = back_of(asking, browser)
    assert "another browser" in asking.browser().get(back + chosen, status=403)
    assert asking.counts()["sp_pending_request"] == 0
    assert "did not begin here" in browser.get(f"/saml/discovered?state={'x' * 32}{chosen}", status=403)
    assert "did not begin here" in browser.get(f"/saml/discovered?{chosen}", status=403)
    asking.clock.advance(hours=25)
    page = browser.get(back + chosen, status=403)
    assert "took too long" in page
    assert page.click("Sign in again").location.startswith(SERVICE)


@pytest.mark.parametrize("spoilt", ["&entityID=a&entityID=b", "&entityID=" + "a" * 257])
def test_a_return_that_cannot_be_read_is_no_error_of_ours(asking: Site, spoilt: str) -> None:
    browser = asking.browser()
    assert "cannot be read" in browser.get(back_of(asking, browser) + spoilt, status=400)


def test_with_one_identity_provider_nobody_asks_elsewhere(asking_site: Site) -> None:
    asking_site.reset()
    assert asking_site.idp.read(asking_site.browser().get("/saml/login"))


# Being asked ----------------------------------------------------------------------------------------------------------


def ask(site: Site, browser: TestApp, status: int | None = None, **changes: str) -> object:
    said = {"entityID": LIBRARY, "return": f"{BACK}?SAMLDS=1&target=ss%3A1", "returnIDParam": "entityID", **changes}
    return browser.get("/saml/discovery", {key: value for key, value in said.items() if value}, status=status)


def test_another_site_s_people_choose_here_and_go_back_to_that_site(asking: Site) -> None:
    browser = asking.browser()
    page = ask(asking, browser)
    assert "Example SP works with more than one identity provider" in page
    gone = page.click("Other College")
    assert (
        gone.location == f"{BACK}?SAMLDS=1&target=ss%3A1&entityID=https%3A%2F%2Fother.example.org%2Fidp%3Fa%3Db%26c%3Dd"
    )
    assert asking.counts()["sp_pending_choice"] == 0


def test_another_parameter_and_the_default_return(asking: Site) -> None:
    page = ask(asking, asking.browser(), **{"return": "", "returnIDParam": "idp"})
    assert page.click("Example University").location == f"{BACK}?{urlencode({'idp': asking.idp.entity_id})}"


def test_passively_only_what_is_remembered_comes_back(asking: Site) -> None:
    browser = asking.browser()
    assert ask(asking, browser, isPassive="true").location == f"{BACK}?SAMLDS=1&target=ss%3A1"
    ask(asking, browser).click("Example University")
    answer = ask(asking, browser, isPassive="true").location
    assert query_of(answer)["entityID"] == [asking.idp.entity_id]


WRONG = {
    "an address of somebody else": {"return": "https://evil.example/"},
    "an address that only begins the same": {"return": f"{BACK}.evil.example/"},
    "a path below": {"return": f"{BACK}/../../evil"},
    "user information": {"return": "https://library.example.org@evil.example/Shibboleth.sso/Login"},
    "a fragment": {"return": f"{BACK}?a=b#c"},
    "a script": {"return": "javascript:alert(1)"},
    "a blank": {"return": f"{BACK}?a b"},
    "a site that nobody named": {"entityID": "https://evil.example/sp"},
    "no site": {"entityID": ""},
    "a policy that nobody defined": {"policy": "urn:example:all"},
    "a parameter that return holds already": {"returnIDParam": "SAMLDS"},
    "a parameter that is no name": {"returnIDParam": "a&b"},
    "neither true nor false": {"isPassive": "perhaps"},
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_not_right_sends_nobody_anywhere(asking: Site, wrong: str) -> None:
    browser = asking.browser()
    page = ask(asking, browser, status=400, **WRONG[wrong])
    assert "called in a wrong way" in page
    assert "evil" not in page
    assert "Reference number" in page
    assert "Location" not in page.headers
    ((rule,),) = asking.rows("select rule from sp_audit")
    assert rule.startswith("discovery.")


def test_said_twice_is_refused(asking: Site) -> None:
    query = urlencode([("entityID", LIBRARY), ("return", BACK), ("return", "https://evil.example/")])
    assert "called in a wrong way" in asking.browser().get(f"/saml/discovery?{query}", status=400)


def test_only_the_site_s_own_addresses_are_offered_and_only_as_long_as_its_metadata_is_valid(asking: Site) -> None:
    ask(asking, asking.browser(), status=200)
    asking.clock.advance(days=20)
    ask(asking, asking.browser(), status=400)


def test_a_file_is_read_again_when_it_changed_and_a_spoilt_one_changes_nothing(tmp_path: Path) -> None:
    import os

    file = tmp_path / "sp.xml"
    file.write_bytes(library())
    served = Served((file,))
    own = sp_entity(entity_id="https://own.example.org", valid_until=MADE)
    assert set(served.with_own(own, NOW)) == {LIBRARY, "https://own.example.org"}
    assert served.with_own(replace(own, entity_id=LIBRARY), NOW)[LIBRARY].valid_until == MADE  # nobody speaks for us
    file.write_bytes(b"<half")
    os.utime(file, (1, 1))
    assert LIBRARY in served.with_own(own, NOW)
    file.write_bytes(library(Endpoint(IDPDISC, BACK + "2", index=1)))
    os.utime(file, (2, 2))
    assert served.with_own(own, NOW)[LIBRARY].sp.extension_endpoints[0][1].location == BACK + "2"  # type: ignore[union-attr]
    with pytest.raises(ConfigurationError, match=r"sp\.discovery_for: .* holds no metadata"):
        Served((tmp_path / "nothing.xml",))


def test_our_own_metadata_is_as_published(asking: Site) -> None:
    """What the page holds a return against is what partners read."""
    (read,) = read_document(asking.browser().get("/saml/metadata").body)
    assert read.sp is not None
    assert set(read.sp.extension_endpoints) == set(asking.provider.entity.sp.extension_endpoints)  # type: ignore[union-attr]
