"""Pages that ask for more than being signed in: only when needed, exactly, and held against what comes back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from pyramid.config import Configurator
from pyramid.response import Response
from webtest import TestApp

from federation.errors import ConfigurationError
from federation.saml.messages import RequestedAuthnContext
from federation.saml.names import AuthnContextClass, StatusCode
from federation.web.scope import scope_of
from sp_app import settings
from sp_app.demand import demanded_at
from tests.sp_factories import Site, make_site, site_settings

MFA = AuthnContextClass.REFEDS_MFA
OTHER = AuthnContextClass.MICROSOFT_MFA
STRONG = {"authn_context_class_ref": MFA}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The demo site: a path takes either of two classes, another takes one."""
    demand = f"/private/payroll={MFA} /private/payroll={OTHER} /private/vault={MFA}"
    site = make_site(tmp_path_factory.mktemp("guarded"), authn_contexts_for=demand)
    yield site
    site.provider.engine.dispose()


@pytest.fixture
def site(guarded: Site) -> Site:
    guarded.reset()
    return guarded


@pytest.mark.conformance("SDP-SP07", "IIP-SP06")
def test_the_request_names_every_class_exactly_and_only_where_the_page_asks(site: Site, browser: TestApp) -> None:
    plain = site.idp.read(browser.get("/private/reports").follow())
    assert plain.request.requested_authn_context is None
    departure = site.idp.read(browser.get("/private/payroll/2026").follow())
    assert departure.request.requested_authn_context == RequestedAuthnContext((MFA, OTHER), "exact")
    assert not departure.request.force_authn
    landed = browser.post("/saml/acs", site.idp.answer(departure, authn_context_class_ref=OTHER))
    assert landed.location == f"{site.origin}/private/payroll/2026"
    browser.get("/private/payroll/2026", status=200)


def test_a_session_with_a_password_makes_one_more_journey_and_a_strong_one_none(site: Site, browser: TestApp) -> None:
    site.sign_in(browser)
    browser.get("/private", status=200)
    departure = site.idp.read(browser.get("/private/vault?x=1").follow())
    assert departure.request.requested_authn_context == RequestedAuthnContext((MFA,))
    browser.post("/saml/acs", site.idp.answer(departure, **STRONG))
    for path in ("/private/vault?x=1", "/private/payroll", "/private"):
        browser.get(path, status=200)


@pytest.mark.conformance("IIP-SP07")
def test_what_came_back_too_weak_opens_nothing_and_the_page_says_what_to_do(site: Site, browser: TestApp) -> None:
    site.sign_in(browser)
    departure = site.idp.read(browser.get("/private/vault").follow())
    page = browser.post("/saml/acs", site.idp.answer(departure), status=403)
    assert "stronger" in page.text
    assert "Sign in again" in page.text
    # The older session is as it was, and still not enough.
    browser.get("/private", status=200)
    browser.get("/private/vault", status=303)
    # Beginning again asks for the same.
    again = site.idp.read(page.click("Sign in again"))
    assert again.request.requested_authn_context == RequestedAuthnContext((MFA,))
    page = browser.post("/saml/acs", site.idp.deny(again, StatusCode.NO_AUTHN_CONTEXT), status=403)
    assert "stronger" in page.text


def test_no_spelling_of_a_path_goes_round_the_demand(site: Site, browser: TestApp) -> None:
    site.sign_in(browser)
    for path in ("/private//vault", "/private/./vault", "/private/x/../vault", "/private/%76ault", "/private/vault/"):
        assert "authnContextClassRef" in browser.get(path, status=303).location
    for path in ("/private/vaults", "/private/VAULT", "/private/x/vault"):
        browser.get(path, status=200)


def test_the_longest_prefix_counts_and_a_setting_that_cannot_be_is_refused(tmp_path) -> None:
    paths = {"/a": ("urn:weak",), "/a/b": ("urn:strong",)}
    assert demanded_at("/a/c", paths) == ("urn:weak",)
    assert demanded_at("/a/b/c", paths) == ("urn:strong",)
    assert demanded_at("/", paths) == ()
    for wrong in ("payroll=urn:x", "/payroll", "/payroll=mfa"):
        with pytest.raises(ConfigurationError):
            settings.read(site_settings(tmp_path, authn_contexts_for=wrong))


def test_a_link_may_demand_a_fresh_sign_in_and_an_old_one_is_refused(site: Site, browser: TestApp) -> None:
    departure = site.idp.read(browser.get("/saml/login?target=/private&forceAuthn=true"))
    assert departure.request.force_authn
    old = site.clock() - timedelta(hours=1)
    page = browser.post("/saml/acs", site.idp.answer(departure, authn_instant=old), status=403)
    departure = site.idp.read(page.click("Sign in again"))
    assert departure.request.force_authn
    browser.post("/saml/acs", site.idp.answer(departure, authn_instant=site.clock()), status=303)


def test_a_host_demands_by_a_view_option_or_a_line_of_code(site: Site, tmp_path) -> None:
    def by_code(request):
        return Response(request.sp.require(MFA, "urn:example:b", "urn:example:c").account.id)

    with Configurator(settings=dict(site.app.registry.settings)) as config:
        config.include("sp_app")
        config.add_route("option", "/option")
        config.add_view(lambda _request: Response("strong"), route_name="option", authn_context=(MFA, OTHER))
        config.add_route("code", "/code")
        config.add_view(by_code, route_name="code")
        app = config.make_wsgi_app()
    scope_of(app.registry).clock = site.clock
    scheme, _, name = site.origin.partition("://")
    browser = TestApp(app, extra_environ={"HTTP_HOST": name, "wsgi.url_scheme": scheme})
    for path, class_refs in (("/option", (MFA, OTHER)), ("/code", (MFA, "urn:example:b", "urn:example:c"))):
        location = browser.get(path, status=303).location
        departure = site.idp.read(browser.get(location))
        assert departure.request.requested_authn_context == RequestedAuthnContext(class_refs)
    browser.post(path, status=403)
