"""Pages that need a past (reviews, versions, sources, a logout that a site does not answer), in every look."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from urllib.parse import urljoin

import pytest
from playwright.sync_api import Browser, expect

from federation.saml.metadata.entity import Endpoint
from federation.saml.names import Binding
from tests.browser.appearance import examine
from tests.browser.person import Person
from tests.functional.registry.test_federation import add as add_federation
from tests.functional.registry.test_federation import desk
from tests.functional.registry.test_partner import INTRANET, bring, follow
from tests.idp_factories import NOW, PASSWORD, FakeSP, IdPSite, make_idp
from tests.live import free_ports
from tests.registry_factories import aggregate, refresh, serving
from tests.sp_factories import served

LONG = FakeSP(
    "Laboratory notebooks of the Rechtsschutzversicherungsgesellschaften",
    "http://localhost:6547/tenants/rechtsschutzversicherungsgesellschaften/laboratory-notebooks",
    key_name="other-sp",
)
SLOW = FakeSP(
    "Learning",
    "http://localhost:6545",
    key_name="stranger-sp",
    options={"single_logout": (Endpoint(Binding.REDIRECT, "http://localhost:6545/slo"),)},
)
PAGES = (
    ("idp-console-sources", "/admin/sources?q=learning", "the answer has the status 503"),
    ("idp-console-reviews", "/admin/reviews", "waiting for review"),
    ("idp-console-review", "/admin/reviews/2", "widens"),
    ("idp-console-connection-weak", "/admin/connections/{long}", "preset.legacy-sha1"),
    ("idp-console-versions", "/admin/connections/{intranet}/versions", "Version 2"),
    ("idp-console-refusals", "/admin/refusals", "request.issue_instant"),
    ("idp-console-refusals-none", "/admin/refusals?q=nothing-of-this-name", "Nothing found"),
    ("idp-console-refusal", "/admin/refusals/{reference}", "What to do"),
    ("idp-console-person-signed-in", "/admin/people/{alice}", "End all sessions"),
    ("idp-about", "/saml/about", "Fingerprint of its signature"),
    ("idp-sign-out-choice", "/signout", "Sign out of Example University"),
)
"""Name of the picture, address, and what must be read there."""


@pytest.fixture(scope="module")
def idp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IdPSite]:
    """An identity provider to which all of that has happened."""
    (port,) = free_ports(1)
    # It sends browsers on unseen: nothing listens where the sites are.
    idp = make_idp(tmp_path_factory.mktemp("past"), public_url=f"http://localhost:{port}", logout_look=timedelta())
    with serving() as server:
        source = follow(idp, server)
        late = add_federation(idp, server.put("/all.xml", aggregate([SLOW.metadata(NOW)], NOW)))
        refresh(desk(idp).refresher(), late)
        elsewhere = Endpoint(Binding.REDIRECT, "http://localhost:7777/saml/logout")
        bring(idp, server, source, replace(INTRANET, options={"single_logout": (elsewhere,)}).metadata(NOW))
        server.fail("/all.xml")
        refresh(desk(idp).refresher(), late)
    idp.connect(LONG, presets=["legacy-cbc", "legacy-sha1"])
    idp.browser().get(replace(INTRANET, idp_url=origin(idp)).redirect_url(NOW.replace(year=2027)), status="*")
    site = SimpleNamespace(app=idp.app, origin=origin(idp))
    with served(site):  # type: ignore[arg-type]
        yield idp
    idp.installation.engine.dispose()


def origin(idp: IdPSite) -> str:
    return idp.installation.settings.public_url


@pytest.fixture
def person(chromium: Browser, idp: IdPSite) -> Iterator[Person]:
    """Somebody who signs in as they like; what is behind the sites answers nothing of SAML."""
    with Person(chromium, SimpleNamespace(idp=origin(idp))) as somebody:  # type: ignore[arg-type]
        somebody.context.add_init_script("HTMLFormElement.prototype.submit = () => {}")
        somebody.context.route(re.compile(r"^http://localhost:654\d/"), lambda route: route.fulfill(body="a site"))
        yield somebody


def test_every_page_with_a_past_in_every_look(person: Person, idp: IdPSite) -> None:
    page = person.page
    alice = idp.sign_in("alice")
    alice.get(replace(SLOW, idp_url=origin(idp)).redirect_url(idp.clock()))
    known = {
        "long": idp.connection(LONG.name).id,
        "intranet": idp.connection(INTRANET.name).id,
        "reference": next(entry.reference for entry in idp.audit() if entry.kind.startswith("refused")),
        "alice": idp.person("alice").id,
    }
    page.goto(f"{origin(idp)}/admin")
    person.sign_in("admin", PASSWORD)
    person.arrives(f"{origin(idp)}/admin")
    found: list[str] = []
    for name, path, words in PAGES:
        page.goto(origin(idp) + path.format(**known))
        expect(page.locator("main")).to_contain_text(words)
        assert page.get_by_role("heading", level=1).count() == 1
        found += examine(page, name)
    assert found == []


def test_a_logout_that_a_site_does_not_answer(person: Person, idp: IdPSite) -> None:
    page = person.page
    page.goto(f"{origin(idp)}/signin")
    person.sign_in("alice", PASSWORD)
    person.arrives(f"{origin(idp)}/")
    page.goto(urljoin(origin(idp), replace(SLOW, idp_url=origin(idp)).redirect_url(idp.clock())))
    page.goto(f"{origin(idp)}/signout")
    with page.expect_request(re.compile(r"/saml/logout/")) as asked:
        page.get_by_role("button", name="Sign out everywhere").click()
    person.arrives(re.compile("^http://localhost:6545/slo"))
    page.goto(f"{asked.value.url}?wait=yes")
    expect(page.get_by_role("status")).to_have_text("Waiting for Learning to answer.")
    found = examine(page, "idp-signing-out")
    page.goto(asked.value.url)
    expect(page.locator("main")).to_contain_text("Learning did not answer")
    expect(page.get_by_role("link", name="Sign out")).to_have_count(0)
    assert found + examine(page, "idp-signed-out-partly") == []
