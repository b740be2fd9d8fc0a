"""Sites that are told of a logout by SOAP, sites that are dead, and logouts that no browser carries."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session
from webtest import TestApp

from federation.saml.bindings import soap
from federation.saml.messages import LogoutRequest, Status
from federation.saml.metadata.entity import Endpoint
from federation.saml.names import LOGOUT_BINDING, Binding, StatusCode
from federation.saml.profiles import logout
from federation.saml.signature import SigningKey
from idp_app.models import LogoutRun
from idp_app.options import Options
from idp_app.services import connections, people, switch
from idp_app.services.logout import ending
from idp_app.services.people_csv import import_people
from idp_app.worker import work_once
from tests.factories import signing_key
from tests.idp_factories import FakeSP, IdPSite, make_idp
from tests.logout_factories import (
    ENDPOINTS,
    address,
    answer_in,
    answering,
    arrive_at,
    ask,
    by_soap,
    follow,
    is_signed_in,
    judge,
    name_of,
    reply,
    request_in,
    soap_site,
)


@pytest.fixture
def idp(tmp_path: Path, database: str) -> Iterator[IdPSite]:
    """A site without patience: what hangs is given up after a second."""
    second = timedelta(seconds=1)
    site = make_idp(tmp_path, database_url=database, logout_look=second, logout_timeout=second)
    yield site
    site.installation.engine.dispose()


@pytest.fixture
def intranet(idp: IdPSite) -> FakeSP:
    """The site where the logout begins."""
    return idp.connect(FakeSP(options={"single_logout": ENDPOINTS}))


@pytest.fixture
def browser(idp: IdPSite) -> TestApp:
    return idp.sign_in("alice")


def told_by(idp: IdPSite, session: Session, name: str, way: str) -> None:
    """Choose how a site is told."""
    connection = connections.find(session, name)
    chosen = Options.from_json(connection.options).changed([], [f"logout={way}"])
    connections.set_options(session, connection, chosen, idp.act(), idp.installation.ready)


@contextmanager
def learning(idp: IdPSite, answer: Any = None, *, way: str = "soap") -> Iterator[tuple[FakeSP, list[LogoutRequest]]]:
    """A connected site that takes logouts by SOAP."""
    with soap_site("Learning", "other-sp", lambda: idp, answer=answer or answering(lambda: idp)) as (sp, taken):
        connected = idp.connect(sp)
        with idp.work() as session:
            told_by(idp, session, "Learning", way)
        yield connected, taken


@contextmanager
def port_that(*, listens: bool) -> Iterator[int]:
    """A port on which nobody listens, or one that takes connections and says nothing."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
        if not listens:
            server.close()
        yield port


def sign_out_of_intranet(browser: TestApp, idp: IdPSite, intranet: FakeSP) -> str:
    """What Intranet is told when nothing needs the browser but the answer."""
    arrival = arrive_at(intranet, browser, idp)
    asked = ask(intranet, idp, name_of(arrival), arrival.session_index)
    page = follow(browser.get(address(asked, intranet.key)), browser, idp)
    return str(judge(answer_in(page), intranet, idp, asked).outcome)


def test_a_site_is_told_by_soap_where_its_connection_says_so(idp: IdPSite, intranet: FakeSP, browser: TestApp) -> None:
    with learning(idp) as (sp, taken):
        arrival = arrive_at(sp, browser, idp)
        assert sign_out_of_intranet(browser, idp, intranet) == "ended"
        assert [each.name_id for each in taken] == [arrival.name_id]
        assert taken[0].session_indexes == (arrival.session_index,)


def test_left_to_itself_a_site_is_told_by_soap_only_if_its_metadata_prefers_that(
    idp: IdPSite, intranet: FakeSP, browser: TestApp
) -> None:
    with learning(idp, way="auto") as (sp, taken):
        arrive_at(sp, browser, idp)
        arrival = arrive_at(intranet, browser, idp)
        page = follow(browser.get(address(ask(intranet, idp, name_of(arrival)), intranet.key)), browser, idp)
        request_in(page, sp, idp)
        assert taken == []
        sp.options["entity_attributes"] = {LOGOUT_BINDING: (Binding.SOAP,)}
        idp.connect(sp)
        browser = idp.sign_in("alice")
        arrive_at(sp, browser, idp)
        assert sign_out_of_intranet(browser, idp, intranet) == "ended"
        assert len(taken) == 1


def failing(case: str, idp: IdPSite) -> Any:
    """How a site answers by SOAP in a way that does not count."""

    def signed_by(key: SigningKey) -> Any:
        return lambda sp, request: logout.envelope(reply(sp, idp, request, destination=None), key=key)

    return {
        "hangs": lambda _sp, _request: None,
        "denies": answering(lambda: idp, Status(StatusCode.RESPONDER, StatusCode.REQUEST_DENIED)),
        "wrong key": signed_by(signing_key("sp")),
        "answers another request": answering(lambda: idp, in_response_to="_another"),
        "fault": lambda _sp, _request: soap.fault("Server", "out of order"),
        "rubbish": lambda _sp, _request: b"<html>",
    }[case]


@pytest.mark.conformance("SDP-IDP31")
@pytest.mark.parametrize(
    ("case", "state"),
    [
        ("hangs", "unanswered"),
        ("denies", "failed"),
        ("wrong key", "refused"),
        ("answers another request", "refused"),
        ("fault", "refused"),
        ("rubbish", "refused"),
    ],
)
def test_whatever_one_site_does_the_one_that_asked_gets_its_answer(
    idp: IdPSite, intranet: FakeSP, browser: TestApp, case: str, state: str
) -> None:
    with learning(idp, failing(case, idp)) as (sp, taken):
        arrive_at(sp, browser, idp)
        begun = time.monotonic()
        assert sign_out_of_intranet(browser, idp, intranet) == "partial"
        assert time.monotonic() - begun < 8
        assert len(taken) == 1
    assert idp.audit()[-1].detail["sites"] == {"Learning": state}


@pytest.mark.parametrize("listens", [False, True])
def test_the_browser_is_not_sent_to_a_dead_site(
    idp: IdPSite, intranet: FakeSP, browser: TestApp, listens: bool
) -> None:
    with port_that(listens=listens) as port, learning(idp, way="browser") as (sp, _):
        origin = f"http://localhost:{port}"
        endpoint = Endpoint(Binding.REDIRECT, f"{origin}/slo")
        dead = idp.connect(FakeSP("Dead", origin, key_name="mallory", options={"single_logout": [endpoint]}))
        arrive_at(dead, browser, idp)
        arrive_at(sp, browser, idp)
        arrival = arrive_at(intranet, browser, idp)
        asked = ask(intranet, idp, name_of(arrival))
        page = follow(browser.get(address(asked, intranet.key)), browser, idp)
        request = request_in(page, sp, idp)
        page = follow(browser.get(address(reply(sp, idp, request), sp.key)), browser, idp)
        assert judge(answer_in(page), intranet, idp, asked).outcome == "partial"
    assert idp.audit()[-1].detail["sites"] == {"Dead": "unreachable", "Learning": "ended"}


@pytest.mark.parametrize("there", [True, False])
def test_a_site_whose_soap_address_nobody_answers_is_told_by_the_browser_if_it_is_there(
    idp: IdPSite, intranet: FakeSP, browser: TestApp, there: bool
) -> None:
    with port_that(listens=False) as closed, learning(idp) as (sp, taken):
        front = sp.origin if there else f"http://localhost:{closed}"
        sp.options["single_logout"] = [
            Endpoint(Binding.SOAP, f"http://localhost:{closed}/slo"),
            Endpoint(Binding.REDIRECT, f"{front}/saml/slo"),
        ]
        idp.connect(sp)
        arrive_at(sp, browser, idp)
        asked = ask(intranet, idp, name_of(arrive_at(intranet, browser, idp)))
        page = follow(browser.get(address(asked, intranet.key)), browser, idp)
        if there:
            request = request_in(page, sp, idp)
            page = follow(browser.get(address(reply(sp, idp, request), sp.key)), browser, idp)
        assert judge(answer_in(page), intranet, idp, asked).outcome == ("ended" if there else "partial")
        assert taken == []
    assert idp.audit()[-1].detail["sites"] == {"Learning": "ended" if there else "unreachable"}


def test_what_our_own_network_policy_forbids_is_left_to_the_browser(tmp_path: Path) -> None:
    site = make_idp(tmp_path, public_url="https://idp.example.org", allow_http_loopback=False)
    sp = site.connect(
        FakeSP(
            "Inside",
            "https://127.0.0.1:9",
            options={
                "single_logout": [
                    Endpoint(Binding.SOAP, "https://127.0.0.1:9/slo"),
                    Endpoint(Binding.REDIRECT, "https://127.0.0.1:9/slo"),
                ]
            },
        )
    )
    with site.work() as session:
        told_by(site, session, "Inside", "soap")
    browser = site.sign_in("alice")
    browser.get(sp.redirect_url(site.clock()))
    page = browser.get("/signout").forms[0].submit("scope", value="everywhere")
    page = browser.get(page.location)
    assert page.location.startswith("https://127.0.0.1:9/slo?SAMLRequest=")
    site.installation.engine.dispose()


def test_a_logout_that_came_by_soap_goes_on_by_soap(idp: IdPSite, intranet: FakeSP, browser: TestApp) -> None:
    with learning(idp, way="browser") as (sp, taken):
        arrive_at(sp, browser, idp)
        request = ask(intranet, idp, name_of(arrive_at(intranet, browser, idp)))
        received = soap.decode(by_soap(idp, request, intranet.key).body)
        assert judge(received, intranet, idp, request).outcome == "ended"
        assert len(taken) == 1
        assert not is_signed_in(browser)


@pytest.mark.conformance("IIP-IDP17")
def test_by_soap_an_asynchronous_request_is_answered_as_the_binding_demands(
    idp: IdPSite, intranet: FakeSP, browser: TestApp
) -> None:
    request = ask(intranet, idp, name_of(arrive_at(intranet, browser, idp)), asynchronous=True)
    received = soap.decode(by_soap(idp, request, intranet.key).body)
    assert judge(received, intranet, idp, request).outcome == "ended"
    assert not is_signed_in(browser)


def test_by_soap_a_site_that_only_a_browser_can_tell_makes_it_partial(
    idp: IdPSite, intranet: FakeSP, browser: TestApp
) -> None:
    wiki = idp.connect(FakeSP("Wiki", "http://localhost:6546", options={"single_logout": ENDPOINTS}))
    arrive_at(wiki, browser, idp)
    request = ask(intranet, idp, name_of(arrive_at(intranet, browser, idp)))
    received = soap.decode(by_soap(idp, request, intranet.key).body)
    assert judge(received, intranet, idp, request).outcome == "partial"


@pytest.mark.parametrize("change", ["suspended", "password", "imported"])
def test_sites_are_told_by_the_worker_when_sessions_end_without_a_browser(
    idp: IdPSite, browser: TestApp, change: str
) -> None:
    with learning(idp, way="auto") as (sp, taken):
        arrive_at(sp, browser, idp)
        with idp.work() as session:
            alice = people.find(session, "alice")
            match change:
                case "suspended":
                    people.suspend(session, alice, idp.act())
                case "password":
                    people.set_password(session, alice, "another one", idp.installation.passwords, idp.act())
                case "imported":
                    document = b"username,suspended\nalice,yes\n"
                    import_people(session, document, idp.act(), passwords=idp.installation.passwords)
        assert not is_signed_in(browser)
        assert taken == []
        work_once(idp.installation)
        work_once(idp.installation)
        assert len(taken) == 1
    [finished] = [entry for entry in idp.audit() if entry.kind == "logout.finished"]
    assert finished.detail["sites"] == {"Learning": "ended"}


def test_nothing_is_sent_while_the_federation_is_off(idp: IdPSite, browser: TestApp) -> None:
    with learning(idp) as (sp, taken):
        arrive_at(sp, browser, idp)
        with idp.work() as session:
            switch.turn(session, False, idp.act())
            people.suspend(session, people.find(session, "alice"), idp.act())
        work_once(idp.installation)
        assert taken == []
        assert idp.count(LogoutRun) == 0


def test_an_administrator_ends_a_session_from_the_console(idp: IdPSite, browser: TestApp) -> None:
    with learning(idp) as (sp, taken):
        arrive_at(sp, browser, idp)
        admin = idp.sign_in("admin")
        address = f"/admin/people/{idp.person('alice').id}"
        page = admin.get(address)
        assert "<td>Learning</td>" in page.text
        form = next(form for form in page.forms.values() if "session" in form.fields)
        done = form.submit("action", value="end-session").follow()
        assert "The session is ended" in done.text
        assert "Not signed in anywhere" in done.text
        assert not is_signed_in(browser)
        assert is_signed_in(admin)
        work_once(idp.installation)
        assert len(taken) == 1
        idp.sign_in("alice")
        form = next(form for form in admin.get(address).forms.values() if "End all" in form.text)
        form.submit("action", value="end-sessions")
        assert "Not signed in anywhere" in admin.get(address).text


def test_an_administrator_cannot_end_somebody_elses_session_by_a_persons_form(idp: IdPSite, browser: TestApp) -> None:
    admin = idp.sign_in("admin")
    with idp.work() as session:
        settings = idp.installation.settings
        [alices] = ending.open_sessions(session, idp.person("alice").id, now=idp.clock(), settings=settings)
    page = admin.get(f"/admin/people/{idp.person('admin').id}")
    form = next(form for form in page.forms.values() if "session" in form.fields)
    form["session"] = alices.id
    form.submit("action", value="end-session")
    assert is_signed_in(browser)
    assert is_signed_in(admin)
