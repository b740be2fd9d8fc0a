"""Single sign-on, from the request to the assertion (SAML Profiles 4.1)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from webtest import TestResponse

from federation.registry.ending import Ending
from federation.saml.messages import NameIDPolicy, RequestedAuthnContext
from federation.saml.names import AuthnContextClass, NameIDFormat
from federation.saml.profiles.refusals import StatusRefused
from federation.saml.profiles.sso_response import AcceptedResponse
from idp_app.models import Participation, ReceivedRequest, SignInSession
from idp_app.services import audiences, connections, disconnecting, people, switch
from tests.factories import signing_key
from tests.idp_factories import FakeSP, IdPSite, fill_in, sent


def attributes(accepted: AcceptedResponse) -> dict[str | None, tuple[str, ...]]:
    return {attribute.friendly_name: attribute.values for attribute in accepted.attributes}


def status(sp: FakeSP, page: TestResponse, idp: IdPSite) -> str | None:
    """The last part of the second-level status of an error that the page sends to the SP."""
    with pytest.raises(StatusRefused) as refused:
        sp.accept(page, idp.entity, idp.clock())
    second = refused.value.status.second_level
    return None if second is None else second.rpartition(":")[2]


# The way there --------------------------------------------------------------------------------------------------------


@pytest.mark.conformance("IIP-SSO01", "IIP-SSO02", "IIP-SSO03", "SDP-IDP01", "SDP-IDP02", "SDP-IDP08", "SDP-IDP12")
def test_a_person_signs_in_once_and_arrives_with_an_assertion(idp: IdPSite, intranet: FakeSP) -> None:
    browser = idp.browser()
    page = browser.get(intranet.redirect_url(relay_state="deep link")).follow()
    assert "Intranet" in page.text
    page = fill_in(page, "alice").follow()
    assert page.forms["message"].action == intranet.acs_url
    assert sent(page).relay_state == "deep link"
    accepted = intranet.accept(page, idp.entity)
    assert accepted.name_id is not None
    assert accepted.name_id.format == NameIDFormat.TRANSIENT
    [statement] = accepted.assertion.authn_statements
    assert statement.authn_instant == idp.clock()
    assert statement.authn_context_class_ref == AuthnContextClass.PASSWORD_PROTECTED_TRANSPORT
    assert accepted.session_not_on_or_after == idp.clock() + idp.installation.settings.session_lifetime


@pytest.mark.conformance("IIP-SSO02")
def test_a_request_by_post_leads_to_the_same_place(idp: IdPSite, intranet: FakeSP) -> None:
    form = intranet.form()
    browser = idp.browser()
    onward = browser.post("/saml/sso", dict(form.fields))
    assert onward.status_int == 303
    page = onward.follow().follow()
    page = fill_in(page, "alice").follow()
    assert attributes(intranet.accept(page, idp.entity))["displayName"] == ("Alice Archer",)


def test_a_request_by_post_finds_the_session_although_the_post_came_without_cookies(
    idp: IdPSite, intranet: FakeSP
) -> None:
    browser = idp.sign_in("alice")
    onward = idp.browser().post("/saml/sso", dict(intranet.form().fields))
    page = browser.get(onward.location)
    assert attributes(intranet.accept(page, idp.entity))["displayName"] == ("Alice Archer",)


def test_who_is_signed_in_goes_straight_through_to_the_second_site(
    idp: IdPSite, intranet: FakeSP, learning: FakeSP
) -> None:
    browser = idp.browser()
    fill_in(browser.get(intranet.redirect_url()).follow(), "carol")
    page = browser.get(learning.redirect_url())
    assert page.status_int == 200
    assert attributes(learning.accept(page, idp.entity))["displayName"] == ("Carol Clark",)


@pytest.mark.conformance("IIP-IDP02", "SDP-IDP13")
def test_two_sites_are_told_different_things_about_one_person(idp: IdPSite, intranet: FakeSP, learning: FakeSP) -> None:
    browser = idp.sign_in("carol")
    at_intranet = attributes(intranet.accept(browser.get(intranet.redirect_url()), idp.entity))
    at_learning = attributes(learning.accept(browser.get(learning.redirect_url()), idp.entity))
    assert set(at_intranet) == {"pairwise-id", "displayName", "mail", "ou", "isMemberOf"}
    assert set(at_learning) == {"pairwise-id", "displayName"}
    assert at_intranet["isMemberOf"] == ("library",)
    assert at_intranet["pairwise-id"] != at_learning["pairwise-id"]
    assert at_intranet["pairwise-id"][0].endswith("@example.org")


def test_an_attribute_that_the_site_does_not_ask_for_stays_here(idp: IdPSite) -> None:
    sp = idp.connect(FakeSP(asks_for=("pairwise_id", "mail")))
    accepted = sp.accept(idp.sign_in("alice").get(sp.redirect_url()), idp.entity)
    assert set(attributes(accepted)) == {"pairwise-id", "mail"}


def test_the_same_person_has_the_same_pairwise_identifier_at_every_sign_in(idp: IdPSite, intranet: FakeSP) -> None:
    first, second = (
        attributes(intranet.accept(idp.sign_in("alice").get(intranet.redirect_url()), idp.entity)) for _ in range(2)
    )
    assert first["pairwise-id"] == second["pairwise-id"]


def test_the_session_remembers_each_site_once_under_the_names_it_used(
    idp: IdPSite, intranet: FakeSP, learning: FakeSP
) -> None:
    browser = idp.sign_in("alice")
    answers = [intranet.accept(browser.get(intranet.redirect_url()), idp.entity) for _ in range(2)]
    learning.accept(browser.get(learning.redirect_url()), idp.entity)
    assert idp.count(Participation) == 2
    assert {(answer.name_id, answer.session_index) for answer in answers} == {
        (answers[0].name_id, answers[0].session_index)
    }


def test_an_assertion_for_a_partner_without_a_key_is_signed_and_readable(idp: IdPSite) -> None:
    sp = idp.connect(FakeSP(encrypts=False))
    page = idp.sign_in("alice").get(sp.redirect_url())
    assert b"EncryptedAssertion" not in sent(page).xml
    assert sp.accept(page, idp.entity).name_id is not None


@pytest.mark.conformance("IIP-SSO04")
def test_a_partner_that_wants_signed_assertions_gets_both_signed(idp: IdPSite) -> None:
    sp = idp.connect(FakeSP(encrypts=False, options={"want_assertions_signed": True}))
    page = idp.sign_in("alice").get(sp.redirect_url())
    assert sent(page).xml.count(b"</ds:Signature>") == 2


# Tabs, reloads and the back button ------------------------------------------------------------------------------------


def test_two_tabs_with_two_sites_both_arrive(idp: IdPSite, intranet: FakeSP, learning: FakeSP) -> None:
    browser = idp.browser()
    first = browser.get(intranet.redirect_url()).follow()
    second = browser.get(learning.redirect_url()).follow()
    arrived = fill_in(first, "carol").follow()
    intranet.accept(arrived, idp.entity)
    # The second tab still shows the form from before: its password is not needed any more.
    again = fill_in(second, "carol", "whatever")
    learning.accept(again.follow().follow(), idp.entity)


def test_a_reload_of_the_answer_answers_the_same_request_again(idp: IdPSite, intranet: FakeSP) -> None:
    browser = idp.browser()
    page = fill_in(browser.get(intranet.redirect_url()).follow(), "alice").follow()
    first = intranet.accept(page, idp.entity)
    second = intranet.accept(browser.get(page.request.path), idp.entity)
    assert first.replay_key != second.replay_key
    assert first.response.in_response_to == second.response.in_response_to


def test_the_back_button_and_a_second_click_on_the_link_still_work(idp: IdPSite, intranet: FakeSP) -> None:
    url = intranet.redirect_url()
    browser = idp.browser()
    sign_in_page = browser.get(url).follow()
    assert browser.get(url).follow().request.url == sign_in_page.request.url
    fill_in(sign_in_page, "alice")
    intranet.accept(browser.get(url), idp.entity)
    # Back on the sign-in page: it goes straight on.
    intranet.accept(browser.get(sign_in_page.request.url).follow(), idp.entity)
    assert idp.count(ReceivedRequest) == 1


def test_the_request_of_one_browser_is_no_use_in_another(idp: IdPSite, intranet: FakeSP) -> None:
    url = intranet.redirect_url()
    idp.browser().get(url)
    page = idp.sign_in("alice").get(url, status=403)
    assert "already used" in page.text
    entry = idp.audit()[-1]
    assert entry.kind == "refused.sso"
    assert entry.reference in page.text
    assert entry.checks[-1]["rule"] == "request.replay"


def test_a_waiting_request_cannot_be_taken_over_by_its_address(idp: IdPSite, intranet: FakeSP) -> None:
    waiting = idp.browser().get(intranet.redirect_url()).follow()
    key = waiting.request.params["continue"]
    page = idp.sign_in("alice").get(f"/saml/continue/{key}", status=403)
    assert "another browser" in page.text


def test_one_identifier_with_another_content_is_a_replay(idp: IdPSite, intranet: FakeSP) -> None:
    browser = idp.browser()
    browser.get(intranet.redirect_url(id="_same"))
    page = browser.get(intranet.redirect_url(id="_same", force_authn=True), status=403)
    assert "already used" in page.text
    assert idp.count(ReceivedRequest) == 1


def test_the_same_identifier_from_two_partners_is_two_requests(
    idp: IdPSite, intranet: FakeSP, learning: FakeSP
) -> None:
    browser = idp.sign_in("carol")
    intranet.accept(browser.get(intranet.redirect_url(id="_same")), idp.entity)
    learning.accept(browser.get(learning.redirect_url(id="_same")), idp.entity)


def test_a_posted_request_belongs_to_the_first_browser_that_goes_on_with_it(idp: IdPSite, intranet: FakeSP) -> None:
    onward = idp.browser().post("/saml/sso", dict(intranet.form().fields)).location
    browser = idp.sign_in("alice")
    intranet.accept(browser.get(onward), idp.entity)
    assert idp.sign_in("bob").get(onward, status=403)


def test_a_page_left_open_overnight_still_works_and_one_left_open_longer_says_so(
    idp: IdPSite, intranet: FakeSP
) -> None:
    browser = idp.browser()
    page = browser.get(intranet.redirect_url()).follow()
    idp.clock.advance(hours=14)
    arrived = fill_in(page, "alice").follow()
    intranet.accept(arrived, idp.entity, idp.clock())
    idp.clock.advance(hours=14)
    assert "has ended" in browser.get(arrived.request.path, status=400).text


# What a request may ask -----------------------------------------------------------------------------------------------


@pytest.mark.conformance("IIP-IDP06", "SDP-IDP07")
def test_force_authn_asks_for_the_password_again_and_states_the_new_instant(idp: IdPSite, intranet: FakeSP) -> None:
    browser = idp.sign_in("alice")
    before = intranet.accept(browser.get(intranet.redirect_url()), idp.entity)
    idp.clock.advance(minutes=5)
    page = browser.get(intranet.redirect_url(idp.clock(), force_authn=True)).follow()
    assert "Confirm that it is you" in page.text
    idp.clock.advance(minutes=1)
    accepted = intranet.accept(fill_in(page, "alice").follow(), idp.entity, idp.clock())
    [statement] = accepted.assertion.authn_statements
    assert statement.authn_instant == idp.clock()
    assert accepted.session_index == before.session_index


@pytest.mark.conformance("IIP-IDP06", "SDP-IDP07")
def test_force_authn_cannot_be_met_by_going_round_the_form(idp: IdPSite, intranet: FakeSP) -> None:
    browser = idp.sign_in("alice")
    idp.clock.advance(seconds=1)
    page = browser.get(intranet.redirect_url(idp.clock(), force_authn=True)).follow()
    key = page.request.params["continue"]
    assert browser.get(f"/saml/continue/{key}").location.endswith(f"/signin?continue={key}")


@pytest.mark.conformance("IIP-IDP07", "IIP-IDP05", "IIP-SSO03")
def test_is_passive_without_a_session_is_answered_no_passive(idp: IdPSite, intranet: FakeSP) -> None:
    page = idp.browser().get(intranet.redirect_url(is_passive=True))
    assert status(intranet, page, idp) == "NoPassive"


@pytest.mark.conformance("IIP-IDP07")
def test_is_passive_with_a_session_is_answered_with_an_assertion(idp: IdPSite, intranet: FakeSP) -> None:
    page = idp.sign_in("alice").get(intranet.redirect_url(is_passive=True))
    assert intranet.accept(page, idp.entity).name_id is not None


def test_is_passive_for_somebody_without_access_is_answered_request_denied(idp: IdPSite, intranet: FakeSP) -> None:
    page = idp.sign_in("dave").get(intranet.redirect_url(is_passive=True))
    assert status(intranet, page, idp) == "RequestDenied"


@pytest.mark.parametrize(
    ("asked", "stated"),
    [
        ((AuthnContextClass.PASSWORD,), AuthnContextClass.PASSWORD),
        ((AuthnContextClass.REFEDS_MFA, AuthnContextClass.PASSWORD), AuthnContextClass.PASSWORD),
    ],
)
@pytest.mark.conformance("IIP-IDP08")
def test_an_authentication_context_that_the_session_has_is_stated_as_asked(
    idp: IdPSite, intranet: FakeSP, asked: tuple[str, ...], stated: str
) -> None:
    page = idp.sign_in("alice").get(intranet.redirect_url(requested_authn_context=RequestedAuthnContext(asked)))
    [statement] = intranet.accept(page, idp.entity).assertion.authn_statements
    assert statement.authn_context_class_ref == stated


@pytest.mark.parametrize(
    "asked",
    [
        RequestedAuthnContext((AuthnContextClass.SMARTCARD_PKI,)),
        RequestedAuthnContext((AuthnContextClass.REFEDS_MFA,), "better"),
        RequestedAuthnContext(("urn:example:unheard-of",)),
        RequestedAuthnContext((), declaration_refs=("urn:example:declaration",)),
    ],
)
@pytest.mark.conformance("IIP-IDP08")
def test_an_authentication_context_that_nobody_can_reach_is_refused_before_anybody_signs_in(
    idp: IdPSite, intranet: FakeSP, asked: RequestedAuthnContext
) -> None:
    page = idp.browser().get(intranet.redirect_url(requested_authn_context=asked))
    assert status(intranet, page, idp) == "NoAuthnContext"


@pytest.mark.conformance("IIP-SSO05", "IIP-IDP10")
def test_a_persistent_name_identifier_is_given_where_asked_for_and_lasts(idp: IdPSite, intranet: FakeSP) -> None:
    policy = NameIDPolicy(NameIDFormat.PERSISTENT, allow_create=True)
    first, second = (
        intranet.accept(idp.sign_in("alice").get(intranet.redirect_url(name_id_policy=policy)), idp.entity).name_id
        for _ in range(2)
    )
    assert first is not None
    assert first.format == NameIDFormat.PERSISTENT
    assert first == second


def test_an_address_is_given_as_name_identifier_only_where_mail_is_released(
    idp: IdPSite, intranet: FakeSP, learning: FakeSP
) -> None:
    policy = NameIDPolicy(NameIDFormat.EMAIL)
    browser = idp.sign_in("carol")
    name_id = intranet.accept(browser.get(intranet.redirect_url(name_id_policy=policy)), idp.entity).name_id
    assert name_id is not None
    assert name_id.value == "carol@example.org"
    page = browser.get(learning.redirect_url(name_id_policy=policy))
    assert status(learning, page, idp) == "InvalidNameIDPolicy"


@pytest.mark.parametrize(
    "policy", [NameIDPolicy("urn:example:format"), NameIDPolicy(NameIDFormat.TRANSIENT, "https://elsewhere.example")]
)
@pytest.mark.conformance("IIP-IDP10")
def test_a_name_identifier_policy_that_cannot_be_met_is_answered_so(
    idp: IdPSite, intranet: FakeSP, policy: NameIDPolicy
) -> None:
    page = idp.sign_in("alice").get(intranet.redirect_url(name_id_policy=policy))
    assert status(intranet, page, idp) == "InvalidNameIDPolicy"


def test_the_metadata_chooses_the_name_identifier_when_the_request_does_not(idp: IdPSite) -> None:
    sp = idp.connect(FakeSP(options={"name_id_formats": (NameIDFormat.PERSISTENT,)}))
    name_id = sp.accept(idp.sign_in("alice").get(sp.redirect_url()), idp.entity).name_id
    assert name_id is not None
    assert name_id.format == NameIDFormat.PERSISTENT


# Who may not ----------------------------------------------------------------------------------------------------------


def test_a_person_outside_the_audience_reads_which_site_and_why_and_can_go_back(idp: IdPSite, intranet: FakeSP) -> None:
    page = idp.sign_in("dave").get(intranet.redirect_url(relay_state="deep link"), status=403)
    assert "You do not have access to Intranet" in page.text
    assert "not in an audience" in page.text
    assert idp.audit()[-1].kind == "sso.denied"
    assert idp.audit()[-1].reference in page.text
    returned = next(form for form in page.forms.values() if "because" in form.fields).submit("because")
    assert sent(returned).relay_state == "deep link"
    assert status(intranet, returned, idp) == "RequestDenied"


def test_a_person_who_was_denied_can_use_another_account(idp: IdPSite, intranet: FakeSP) -> None:
    browser = idp.sign_in("dave")
    page = browser.get(intranet.redirect_url(), status=403).click("Use another account")
    accepted = intranet.accept(fill_in(page, "alice").follow(), idp.entity)
    assert attributes(accepted)["displayName"] == ("Alice Archer",)
    with idp.work() as session:
        assert sum(each.ended is None for each in session.query(SignInSession)) == 1


def test_a_person_can_cancel_the_sign_in_and_the_site_is_told(idp: IdPSite, intranet: FakeSP) -> None:
    page = idp.browser().get(intranet.redirect_url()).follow()
    assert "Cancel and return to Intranet" in page.text
    cancel = next(form for form in page.forms.values() if "because" in form.fields)
    assert status(intranet, cancel.submit("because"), idp) == "AuthnFailed"


def test_a_guest_is_never_federated(idp: IdPSite, intranet: FakeSP) -> None:
    with idp.work() as session:
        people.find(session, "alice").guest = True
    page = idp.sign_in("alice").get(intranet.redirect_url(), status=403)
    assert "Guest accounts cannot be used" in page.text


def test_a_person_taken_out_of_the_audience_gets_no_further_assertion(idp: IdPSite, intranet: FakeSP) -> None:

    browser = idp.sign_in("alice")
    intranet.accept(browser.get(intranet.redirect_url()), idp.entity)
    with idp.work() as session:
        audiences.remove(session, audiences.find(session, "Staff"), [people.find(session, "alice")], idp.act())
    browser.get(intranet.redirect_url(), status=403)


def test_a_suspended_person_is_signed_out_and_gets_nothing(idp: IdPSite, intranet: FakeSP) -> None:

    browser = idp.sign_in("alice")
    with idp.work() as session:
        people.suspend(session, people.find(session, "alice"), idp.act())
    page = browser.get(intranet.redirect_url()).follow()
    assert "suspended" in fill_in(page, "alice").text


# What answers cannot be sent to ---------------------------------------------------------------------------------------


def test_a_site_that_is_not_connected_is_named_as_such(idp: IdPSite) -> None:
    page = idp.browser().get(FakeSP().redirect_url(), status=403)
    assert "not connected" in page.text
    assert idp.audit()[-1].checks[-1]["rule"] == "request.partner"


def test_a_paused_connection_serves_nobody_and_a_resumed_one_does(idp: IdPSite, intranet: FakeSP) -> None:

    browser = idp.sign_in("alice")
    with idp.work() as session:
        connections.pause(session, connections.find(session, "Intranet"), idp.act())
    page = browser.get(intranet.redirect_url(), status=403)
    assert "not active" in page.text
    with idp.work() as session:
        connections.resume(session, connections.find(session, "Intranet"), idp.act())
    intranet.accept(browser.get(intranet.redirect_url()), idp.entity)


def test_a_disconnected_site_is_a_stranger_even_to_a_request_that_waits(idp: IdPSite, intranet: FakeSP) -> None:

    browser = idp.browser()
    page = browser.get(intranet.redirect_url()).follow()
    with idp.work() as session:
        disconnecting.begin(session, connections.find(session, "Intranet"), Ending.KEEP, idp.act())
    assert "has changed" in fill_in(page, "alice").follow(status=403).text
    assert "not connected" in browser.get(intranet.redirect_url(), status=403).text


def test_metadata_past_its_validity_vouches_for_nothing(idp: IdPSite) -> None:
    sp = idp.connect(FakeSP(), validity=timedelta(days=2))
    idp.clock.advance(days=3)
    page = idp.browser().get(sp.redirect_url(idp.clock()), status=403)
    assert "out of date" in page.text


@pytest.mark.conformance("SDP-IDP04")
def test_an_unsigned_request_is_refused_where_the_metadata_promises_signatures(idp: IdPSite, intranet: FakeSP) -> None:
    signed = intranet.redirect_url()
    page = idp.browser().get(signed.partition("&SigAlg")[0], expect_errors=True)
    assert page.status_int in (400, 403)
    assert idp.audit()[-1].reference in page.text


@pytest.mark.conformance("SDP-IDP04")
def test_an_unsigned_request_is_accepted_where_nothing_promises_a_signature(idp: IdPSite) -> None:
    sp = idp.connect(FakeSP(options={"authn_requests_signed": False}))
    url = sp.redirect_url().partition("&SigAlg")[0]
    assert sp.accept(idp.sign_in("alice").get(url), idp.entity).name_id is not None


@pytest.mark.conformance("SDP-IDP05")
def test_a_request_signed_by_another_key_is_refused(idp: IdPSite, intranet: FakeSP) -> None:

    idp.browser().get(intranet.redirect_url(key=signing_key("stranger")), status=403)


def test_a_request_from_a_bookmark_is_too_old_and_says_what_to_do(idp: IdPSite, intranet: FakeSP) -> None:
    url = intranet.redirect_url()
    idp.clock.advance(days=2)
    page = idp.browser().get(url, status=400)
    assert "too old" in page.text
    assert "Bookmark" in page.text


@pytest.mark.conformance("SDP-IDP06", "IIP-IDP12")
def test_an_answer_never_goes_to_an_address_outside_the_metadata(idp: IdPSite, intranet: FakeSP) -> None:
    page = idp.sign_in("alice").get(intranet.redirect_url(acs_url="http://localhost:6666/acs"), expect_errors=True)
    assert page.status_int in (400, 403)
    assert "6666" not in page.text


def test_nothing_answers_below_saml_while_the_federation_is_off(idp: IdPSite, intranet: FakeSP) -> None:

    browser = idp.browser()
    waiting = browser.get(intranet.redirect_url()).location
    with idp.work() as session:
        switch.turn(session, False, idp.act())
    browser.get("/saml/metadata", status=404)
    browser.get(intranet.redirect_url(), status=404)
    browser.post("/saml/sso", dict(intranet.form().fields), status=404)
    browser.get(waiting.replace("/signin?continue=", "/saml/continue/"), status=404)
    assert browser.get("/").status_int == 200
