"""A second factor: set up, asked for when a site demands it and not before, used once, taken away."""

from __future__ import annotations

import re
from datetime import timedelta

import pyotp
import pytest
from webtest import TestApp, TestResponse

from federation.saml.messages import RequestedAuthnContext
from federation.saml.names import AuthnContextClass
from federation.saml.profiles.refusals import StatusRefused
from federation.storage.secrets import Sealed
from idp_app.models import EnrolmentCode, RecoveryCode, SecondFactor, SignInSession
from idp_app.services import enrolment, people
from tests.idp_factories import PASSWORD, FakeSP, IdPSite, fill_in, restarted

MFA = AuthnContextClass.REFEDS_MFA
PPT = AuthnContextClass.PASSWORD_PROTECTED_TRANSPORT
ASKING_MFA = RequestedAuthnContext((MFA,))


def form_with(page: TestResponse, field: str):
    return next(form for form in page.forms.values() if field in form.fields)


def begin(browser: TestApp, password: str = PASSWORD, query: str = "") -> TestResponse:
    form = form_with(browser.get(f"/account{query}"), "password")
    form["password"] = password
    return form.submit("action", expect_errors=True)


def key_on(page: TestResponse) -> str:
    return page.html.find("code").text.replace(" ", "")


def code_of(idp: IdPSite, secret: str) -> str:
    return pyotp.TOTP(secret).at(idp.clock())


def type_code(page: TestResponse, code: str, action: str | None = None) -> TestResponse:
    form = form_with(page, "code")
    form["code"] = code
    return form.submit("action", value=action, expect_errors=True) if action else form.submit(expect_errors=True)


def set_up(idp: IdPSite, browser: TestApp, query: str = "") -> tuple[str, list[str], TestResponse]:
    """Set a second factor up; answers the secret, the recovery codes and the page that shows them."""
    page = begin(browser, query=query)
    secret = key_on(page)
    page = type_code(page, code_of(idp, secret), "confirm")
    codes = [each.text for each in page.html.find(class_="recovery-codes").find_all("code")]
    return secret, codes, page


def stated(sp: FakeSP, page: TestResponse, idp: IdPSite) -> tuple[str | None, object]:
    statement = sp.accept(page, idp.entity, idp.clock()).authn
    return statement.authn_context_class_ref, statement.authn_instant


def refusal(sp: FakeSP, page: TestResponse, idp: IdPSite) -> str | None:
    with pytest.raises(StatusRefused) as refused:
        sp.accept(page, idp.entity, idp.clock())
    return refused.value.status.second_level and refused.value.status.second_level.rpartition(":")[2]


# Setting it up --------------------------------------------------------------------------------------------------------


def test_the_account_page_shows_a_picture_and_the_key_and_a_code_of_it_confirms(idp: IdPSite) -> None:
    browser = idp.sign_in("alice")
    page = begin(browser)
    assert page.html.find("img", class_="qr")["src"].startswith("data:image/svg+xml")
    assert "img-src 'self' data:" in page.headers["Content-Security-Policy"]
    secret = key_on(page)
    assert len(secret) == 32
    again = type_code(page, "000000", "confirm")
    assert again.status_int == 403
    assert key_on(again) == secret
    page = type_code(again, code_of(idp, secret), "confirm")
    codes = {each.text for each in page.html.find(class_="recovery-codes").find_all("code")}
    assert len(codes) == 10
    with idp.work() as session:
        stored = session.query(SecondFactor).one()
        assert isinstance(stored.secret, Sealed)
        assert secret not in stored.secret.text
        hashes = {row.code_hash for row in session.query(RecoveryCode)}
    assert len(hashes) == 10
    assert not any(code.encode() in each for code in codes for each in hashes)
    assert "set up" in browser.get("/account").text


def test_setting_up_takes_the_password_once_more_and_stays_in_its_session(idp: IdPSite) -> None:
    browser = idp.sign_in("alice")
    assert begin(browser, "wrong").status_int == 403
    page = begin(browser)
    sealed = form_with(page, "pending")["pending"].value
    other = begin(idp.sign_in("alice"))
    secret = key_on(page)
    form = form_with(other, "pending")
    form["pending"] = sealed
    form["code"] = code_of(idp, secret)
    assert form.submit("action", value="confirm", expect_errors=True).status_int == 403
    idp.clock.advance(minutes=16)
    assert type_code(page, code_of(idp, secret), "confirm").status_int == 403
    assert idp.count(SecondFactor) == 0


def test_where_an_administrator_enrols_the_password_alone_sets_nothing_up(idp: IdPSite) -> None:
    idp = restarted(idp, second_factor_enrolment="administrator")
    thief, administrator, alice = idp.sign_in("alice"), idp.sign_in("admin"), idp.person("alice")
    assert "Enrolment code" in thief.get("/account")
    assert "an enrolment code, which an administrator gives you" in thief.get("/signin/second-factor")
    assert begin(thief).status_int == 403

    def made() -> str:
        page = administrator.get(f"/admin/people/{alice.id}")
        form = next(each for each in page.forms.values() if "Make an enrolment code" in each.text)
        return form.submit("action", value="enrolment-code").html.find("code", string=re.compile("^.{5}-.{5}$")).text

    def try_it(browser: TestApp, code: str) -> TestResponse:
        form = form_with(browser.get("/account"), "enrolment")
        form["password"], form["enrolment"] = PASSWORD, code
        return form.submit("action", expect_errors=True)

    void, code = made(), made()
    with idp.work() as session:
        assert code.encode() not in session.query(EnrolmentCode).one().code_hash
    for wrong in ("", void, "aaaaa-aaaaa"):
        assert "That code is not right" in try_it(thief, wrong).text
    assert try_it(idp.sign_in("bob"), code).status_int == 403  # another person's
    pages = [try_it(browser, code.upper()) for browser in (idp.sign_in("alice"), idp.sign_in("alice"))]
    assert type_code(pages[0], "000000", "confirm").status_int == 403  # a slip of the finger costs no code
    assert "Your second factor is set up" in type_code(pages[0], code_of(idp, key_on(pages[0])), "confirm").text
    assert type_code(pages[1], code_of(idp, key_on(pages[1])), "confirm").status_int == 403
    assert idp.count(EnrolmentCode) == 0
    happened = [entry.kind for entry in idp.audit()]
    assert happened.count("second_factor.enrolment_code") == 2
    assert happened.count("second_factor.enrolment_wrong") == 5
    assert happened.count("second_factor.set_up") == 1


def test_an_enrolment_code_is_good_for_a_week(idp: IdPSite) -> None:
    with idp.work() as session:
        secret = idp.installation.second_factor_secrets.recovery
        alice = people.find(session, "alice")
        code = enrolment.issue(session, alice, secret, idp.act())
        assert enrolment.knows(session, alice.id, code, secret, idp.act())
        idp.clock.advance(days=7)
        assert not enrolment.knows(session, alice.id, code, secret, idp.act())
        assert not enrolment.use_up(session, alice.id, idp.act())


def test_nobody_has_an_account_page_without_signing_in(idp: IdPSite) -> None:
    browser = idp.browser()
    page = browser.get("/account").follow()
    assert fill_in(page, "alice").follow().request.path == "/account"


# Asked for when a site demands it -------------------------------------------------------------------------------------


@pytest.mark.conformance("IIP-IDP08")
def test_a_session_with_a_password_is_asked_for_the_second_factor_alone(
    idp: IdPSite, intranet: FakeSP, learning: FakeSP
) -> None:
    browser = idp.sign_in("alice")
    secret, _, _ = set_up(idp, idp.sign_in("alice"))
    signed_in_at = idp.clock()
    assert stated(intranet, browser.get(intranet.redirect_url()), idp) == (PPT, signed_in_at)
    idp.clock.advance(minutes=5)
    page = browser.get(learning.redirect_url(idp.clock(), requested_authn_context=ASKING_MFA)).follow()
    assert page.request.path == "/signin/second-factor"
    assert "password" not in {name for form in page.forms.values() for name in form.fields}
    page = type_code(page, code_of(idp, secret)).follow()
    # No fresher than the oldest method that it rests on.
    assert stated(learning, page, idp) == (MFA, signed_in_at)
    # Reached is reached: the next site that asks for it is answered at once, and who asked for less gets what it asked.
    url = intranet.redirect_url(idp.clock(), requested_authn_context=ASKING_MFA)
    assert stated(intranet, browser.get(url), idp)[0] == MFA
    url = intranet.redirect_url(idp.clock(), requested_authn_context=RequestedAuthnContext((PPT,)))
    assert stated(intranet, browser.get(url), idp)[0] == PPT
    assert idp.count(SignInSession) == 2


def test_without_a_session_both_are_asked_for_and_the_class_is_said_only_after_both(
    idp: IdPSite, intranet: FakeSP
) -> None:
    secret, _, _ = set_up(idp, idp.sign_in("alice"))
    idp.clock.advance(minutes=1)
    browser = idp.browser()
    page = browser.get(intranet.redirect_url(idp.clock(), requested_authn_context=ASKING_MFA)).follow()
    page = fill_in(page, "alice").follow().follow()
    assert page.request.path == "/signin/second-factor"
    # Going round the form leads back to it.
    key = form_with(page, "code")["continue"].value
    assert browser.get(f"/saml/continue/{key}").location.endswith(f"/signin/second-factor?continue={key}")
    assert stated(intranet, type_code(page, code_of(idp, secret)).follow(), idp)[0] == MFA


@pytest.mark.conformance("IIP-IDP06", "SDP-IDP07")
def test_force_authn_asks_again_for_all_that_the_request_needs(idp: IdPSite, intranet: FakeSP) -> None:
    browser = idp.sign_in("alice")
    secret, _, _ = set_up(idp, browser)
    idp.clock.advance(minutes=5)
    asked = {"force_authn": True, "requested_authn_context": ASKING_MFA}
    page = browser.get(intranet.redirect_url(idp.clock(), **asked)).follow()
    assert page.request.path == "/signin"
    idp.clock.advance(seconds=40)
    page = fill_in(page, "alice").follow().follow()
    assert page.request.path == "/signin/second-factor"
    page = type_code(page, code_of(idp, secret)).follow()
    assert stated(intranet, page, idp) == (MFA, idp.clock())
    # Where a password is enough, an old second factor is no part of the new proof.
    idp.clock.advance(minutes=5)
    page = browser.get(intranet.redirect_url(idp.clock(), force_authn=True)).follow()
    assert stated(intranet, fill_in(page, "alice").follow(), idp) == (PPT, idp.clock())


@pytest.mark.conformance("IIP-IDP07")
def test_is_passive_never_shows_a_page_and_says_what_a_page_could_have_changed(idp: IdPSite, intranet: FakeSP) -> None:
    asked = {"is_passive": True, "requested_authn_context": ASKING_MFA}
    assert refusal(intranet, idp.browser().get(intranet.redirect_url(**asked)), idp) == "NoPassive"
    browser = idp.sign_in("alice")
    assert refusal(intranet, browser.get(intranet.redirect_url(**asked)), idp) == "NoAuthnContext"
    set_up(idp, idp.sign_in("alice"))
    assert refusal(intranet, browser.get(intranet.redirect_url(**asked)), idp) == "NoPassive"


def test_who_has_no_second_factor_sets_one_up_on_the_way_or_goes_back(idp: IdPSite, intranet: FakeSP) -> None:
    browser = idp.sign_in("alice")
    page = browser.get(intranet.redirect_url(requested_authn_context=ASKING_MFA)).follow()
    assert "Set it up" in page.text
    key = page.request.GET["continue"]
    back = form_with(page, "because").submit("because")
    assert refusal(intranet, back, idp) == "NoAuthnContext"
    _, _, page = set_up(idp, browser, f"?continue={key}")
    assert stated(intranet, page.click("Continue to Intranet"), idp)[0] == MFA


def test_minimum_and_better_step_up_too(idp: IdPSite, intranet: FakeSP) -> None:
    browser = idp.sign_in("alice")
    set_up(idp, browser)
    for comparison, asked, said in (
        ("minimum", AuthnContextClass.NIST_AAL2, AuthnContextClass.NIST_AAL2),
        ("better", PPT, MFA),
        ("maximum", PPT, PPT),
        ("exact", AuthnContextClass.MICROSOFT_MFA, AuthnContextClass.MICROSOFT_MFA),
    ):
        context = RequestedAuthnContext((asked,), comparison)
        page = browser.get(intranet.redirect_url(idp.clock(), requested_authn_context=context))
        assert stated(intranet, page, idp)[0] == said
    context = RequestedAuthnContext((MFA,), "better")
    page = browser.get(intranet.redirect_url(idp.clock(), requested_authn_context=context))
    assert refusal(intranet, page, idp) == "NoAuthnContext"


def test_an_administrator_adds_classes_and_says_what_a_password_proves(idp: IdPSite, intranet: FakeSP) -> None:
    site = restarted(idp, authn_contexts=("multi-factor=urn:example:badge",), password_level="single-factor")
    browser = site.sign_in("alice")
    url = intranet.redirect_url(requested_authn_context=RequestedAuthnContext((AuthnContextClass.REFEDS_SFA,)))
    assert stated(intranet, browser.get(url), site)[0] == AuthnContextClass.REFEDS_SFA
    set_up(site, browser)
    url = intranet.redirect_url(requested_authn_context=RequestedAuthnContext(("urn:example:badge",)))
    assert stated(intranet, browser.get(url), site)[0] == "urn:example:badge"


# Once, not too often, and gone ----------------------------------------------------------------------------------------


def test_a_code_counts_once_and_so_does_a_recovery_code(idp: IdPSite, intranet: FakeSP) -> None:
    secret, codes, _ = set_up(idp, idp.sign_in("alice"))
    url = intranet.redirect_url(requested_authn_context=ASKING_MFA)
    page = idp.sign_in("alice").get(url).follow()
    # The code that confirmed it cannot be used again, although its time is not over.
    assert type_code(page, code_of(idp, secret)).status_int == 403
    idp.clock.advance(seconds=30)
    assert type_code(page, code_of(idp, secret)).status_int == 303
    other = intranet.redirect_url(idp.clock(), requested_authn_context=ASKING_MFA)
    page = idp.sign_in("alice").get(other).follow()
    assert type_code(page, code_of(idp, secret)).status_int == 403
    assert type_code(page, f" {codes[0].upper()} ").status_int == 303
    assert idp.count(RecoveryCode) == 9
    third = intranet.redirect_url(idp.clock(), requested_authn_context=ASKING_MFA)
    page = idp.sign_in("alice").get(third).follow()
    assert type_code(page, codes[0]).status_int == 403
    assert type_code(page, codes[1].replace("-", "")).status_int == 303


def test_codes_of_the_neighbouring_half_minutes_are_accepted_and_no_others(idp: IdPSite) -> None:
    browser = idp.sign_in("alice")
    secret, _, _ = set_up(idp, browser)
    totp = pyotp.TOTP(secret)
    for seconds, accepted in ((90, False), (-60, False), (60, True)):
        idp.clock.advance(minutes=10)
        code = totp.at(idp.clock() + timedelta(seconds=30 if accepted else seconds))
        answer = type_code(browser.get("/account"), code, "renew")
        assert (answer.status_int == 200) is accepted


def test_guessing_is_slowed_down(idp: IdPSite) -> None:
    browser = idp.sign_in("alice")
    secret, _, _ = set_up(idp, browser)
    idp.clock.advance(minutes=1)
    answers = [type_code(browser.get("/account"), "000000", "remove").status_int for _ in range(7)]
    assert answers == [403] * 6 + [429]
    assert type_code(browser.get("/account"), code_of(idp, secret), "remove").status_int == 429
    idp.clock.advance(minutes=6)
    assert type_code(browser.get("/account"), code_of(idp, secret), "remove").status_int == 303


def test_removed_by_the_person_after_a_code_or_by_an_administrator(idp: IdPSite, intranet: FakeSP) -> None:
    browser = idp.sign_in("alice")
    _, codes, _ = set_up(idp, browser)
    url = intranet.redirect_url(requested_authn_context=ASKING_MFA)
    assert stated(intranet, browser.get(url), idp)[0] == MFA
    page = type_code(browser.get("/account"), codes[3], "remove").follow()
    assert "removed" in page.text
    assert idp.count(SecondFactor) == idp.count(RecoveryCode) == 0
    # No session counts as one with a second factor any more.
    again = intranet.redirect_url(requested_authn_context=ASKING_MFA)
    assert browser.get(again).location.partition("?")[0].endswith("/signin/second-factor")
    set_up(idp, browser)
    console = idp.sign_in("admin")
    page = console.get(f"/admin/people/{idp.person('alice').id}")
    form = next(form for form in page.forms.values() if "Remove the second factor" in form.text)
    assert "removed" in form.submit("action").follow().text
    assert idp.count(SecondFactor) == 0
    kinds = [entry.kind for entry in idp.audit()]
    assert kinds.count("second_factor.removed") == 2
    assert kinds.count("second_factor.set_up") == 2


def test_new_recovery_codes_take_the_place_of_all_older_ones(idp: IdPSite) -> None:
    browser = idp.sign_in("alice")
    _, codes, _ = set_up(idp, browser)
    page = type_code(browser.get("/account"), codes[0], "renew")
    fresh = [each.text for each in page.html.find(class_="recovery-codes").find_all("code")]
    assert not set(fresh) & set(codes)
    assert type_code(browser.get("/account"), codes[1], "remove").status_int == 403
    assert type_code(browser.get("/account"), fresh[1], "remove").status_int == 303


def test_another_person_in_the_same_browser_inherits_nothing(idp: IdPSite, intranet: FakeSP) -> None:
    browser = idp.sign_in("alice")
    set_up(idp, browser)
    fill_in(browser.get("/signin?switch=yes"), "carol")
    url = intranet.redirect_url(requested_authn_context=ASKING_MFA)
    assert "Set it up" in browser.get(url).follow().text


# Administrators -------------------------------------------------------------------------------------------------------


def test_a_setting_demands_the_second_factor_of_administrators(idp: IdPSite) -> None:
    site = restarted(idp, second_factor_for_administrators=True)
    browser = site.sign_in("admin")
    page = browser.get("/admin/people").follow()
    assert "Set it up" in page.text
    secret, _, page = set_up(site, browser, "?next=/admin/people")
    assert page.click("Continue").request.path == "/admin/people"
    site.clock.advance(minutes=1)
    browser = site.sign_in("admin")
    page = browser.get("/admin/people").follow()
    assert type_code(page, code_of(site, secret)).follow().request.path == "/admin/people"
    # Nobody becomes an administrator by it.
    alice = site.sign_in("alice")
    assert alice.get("/admin", expect_errors=True).status_int == 403
