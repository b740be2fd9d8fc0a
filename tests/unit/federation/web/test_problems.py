from __future__ import annotations

import re
from typing import Any

import pytest
from pyramid.config import Configurator
from pyramid.httpexceptions import (
    HTTPConflict,
    HTTPForbidden,
    HTTPNotFound,
    HTTPSeeOther,
    HTTPServiceUnavailable,
    HTTPTooManyRequests,
)
from pyramid.request import Request
from pyramid.response import Response
from webtest import TestApp

from federation.errors import ConfigurationError, FederationError, Malformed, PolicyRefusal, Refused
from federation.saml.checks import Check
from federation.web import problems
from tests.web_factories import host, raising, site, view


def refused(rule: str) -> Refused:
    return Refused([Check(rule=rule, reference="SAML Core 1", expected="<b>this</b>", received="that", ok=False)])


def app_raising(error: Exception, **rules: Any) -> TestApp:
    return site(view("door", raising(error), **rules))


def reference_in(text: str) -> str:
    found = re.search(r"[2-9A-Z]{4}-[2-9A-Z]{4}", text)
    assert found is not None
    return found[0]


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (Malformed("xml.well_formed", "not well formed"), 400, "damaged or incomplete"),
        (Malformed("http.encoding", "not UTF-8"), 400, "cannot read"),
        (refused("response.audience"), 400, "did not pass a security check"),
        (refused("signature.value"), 403, "did not pass a security check"),
        (PolicyRefusal("audience", "dave is in neither"), 403, "settings do not allow"),
        (HTTPForbidden(), 403, "settings do not allow"),
        (HTTPNotFound(), 404, "no page at this address"),
        (HTTPConflict(), 409, "cannot read"),
        (HTTPTooManyRequests(), 429, "too many attempts"),
        (HTTPServiceUnavailable(), 503, "cannot answer"),
        (ConfigurationError("the key file is gone"), 500, "This site made a mistake"),
        (ZeroDivisionError("ours"), 500, "This site made a mistake"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "ours, behind the gate"), 500, "This site made a mistake"),
    ],
)
def test_each_kind_of_problem_has_its_status_and_its_sentence(error: Exception, status: int, sentence: str) -> None:
    response = app_raising(error).get("/door", status=status)
    assert sentence in response
    assert reference_in(response.text)


@pytest.mark.parametrize(
    "error", [refused("response.audience"), PolicyRefusal("audience", "<b>this</b>"), ValueError("<b>this</b>")]
)
def test_a_page_says_nothing_of_what_was_expected_or_received(error: Exception) -> None:
    response = app_raising(error).get("/door", expect_errors=True)
    assert "this&lt;" not in response
    assert "<b>this" not in response
    assert "Traceback" not in response


def test_page_and_log_speak_of_the_same_number(caplog: pytest.LogCaptureFixture) -> None:
    response = app_raising(refused("response.audience")).get("/door", status=400)
    (line,) = caplog.messages
    assert f"reference='{reference_in(response.text)}'" in line
    assert "rule='response.audience'" in line
    assert "received that" in line


def test_our_own_mistake_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    response = app_raising(ZeroDivisionError("ours")).get("/door", status=500)
    (record,) = caplog.records
    assert reference_in(response.text) in record.getMessage()
    assert record.exc_info is not None
    assert "our_mistake" in record.getMessage()


def test_a_page_that_nobody_has_makes_no_noise(caplog: pytest.LogCaptureFixture) -> None:
    site().get("/nothing-here", status=404)
    assert caplog.messages == []


def test_a_redirect_that_is_raised_is_a_redirect() -> None:
    assert app_raising(HTTPSeeOther("/there")).get("/door", status=303).location == "http://localhost/there"


def test_the_wrong_method_is_told_the_right_ones() -> None:
    app = site(view("door", raising(ZeroDivisionError()), methods=("GET", "POST")))
    response = app.delete("/door", status=405)
    assert response.headers["Allow"] == "GET, HEAD, POST"


def test_where_a_get_acts_a_head_does_not() -> None:
    app = site(view("door", raising(ZeroDivisionError()), methods=("GET", "POST"), acts=True))
    response = app.head("/door?message=1", status=405)
    assert response.headers["Allow"] == "GET, POST"


def test_a_view_that_does_not_match_for_another_reason_is_not_found() -> None:
    def setup(config: Configurator) -> None:
        config.add_federation_route("door", "/door")
        config.add_view(raising(ZeroDivisionError()), route_name="door", request_method="GET", request_param="key")

    site(setup).get("/door", status=404)


def test_a_program_gets_json() -> None:
    response = app_raising(PolicyRefusal("x", "y"), problems="json").get("/door", status=403)
    assert response.content_type == "application/problem+json"
    assert response.json["detail"] == "An administrator's settings do not allow this."
    assert reference_in(response.json["reference"])


def test_who_does_not_take_pages_gets_json() -> None:
    app = app_raising(HTTPNotFound())
    assert app.get("/door", headers={"Accept": "application/json"}, status=404).json["status"] == 404
    assert app.get("/door", headers={"Accept": "*/*"}, status=404).content_type == "text/html"
    assert app.get("/door", headers={"Accept": "so;me nonsense,,"}, status=404).content_type == "text/html"


def test_a_scim_client_gets_a_scim_error() -> None:
    response = app_raising(HTTPNotFound(), problems="scim").get("/door", status=404)
    assert response.content_type == "application/scim+json"
    assert response.json["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    assert response.json["status"] == "404"


def test_a_broken_problem_page_does_not_hide_the_problem(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(problems, "TEMPLATE", "federation.web:templates/nothing.jinja2")
    response = app_raising(HTTPForbidden()).get("/door", status=403)
    assert response.content_type == "text/plain"
    assert reference_in(response.text)
    assert any("problem_page_failed" in message for message in caplog.messages)


def test_an_app_may_find_its_own_words() -> None:
    def own(request: Request) -> Response:
        return problems.respond(
            request, problems.Problem(403, "Learning is not open to you", "You are in no audience.", "Ask.")
        )

    assert "You are in no audience." in site(view("door", own)).get("/door", status=403)


class Journal:
    """A data manager that keeps what its transaction committed, like a database."""

    def __init__(self) -> None:
        self.kept: list[str] = []

    def write(self, request: Request, line: str) -> None:
        pending = [line]
        transaction = request.tm.get()
        transaction.addAfterCommitHook(lambda ok: self.kept.extend(pending if ok else ()))


def test_a_refusal_leaves_its_audit_entry_and_nothing_else() -> None:
    journal = Journal()

    def refusing(request: Request) -> Response:
        journal.write(request, "half of a login")
        raise refused("response.audience")

    def recorder(request: Request, error: FederationError) -> None:
        journal.write(request, f"{error.rule} {request.federation.reference}")

    app = site(view("door", refusing), lambda config: config.set_refusal_recorder(recorder))
    response = app.get("/door", status=400)
    assert journal.kept == [f"response.audience {reference_in(response.text)}"]


def test_our_own_mistakes_are_no_refusals() -> None:
    recorded: list[FederationError] = []

    def setup(config: Configurator) -> None:
        config.set_refusal_recorder(lambda request, error: recorded.append(error))

    site(view("door", raising(ConfigurationError("x"))), setup).get("/door", status=500)
    site(view("door", raising(ZeroDivisionError())), setup).get("/door", status=500)
    assert recorded == []


def test_an_audit_that_fails_is_logged_and_the_page_still_shown(caplog: pytest.LogCaptureFixture) -> None:
    def failing(request: Request, error: FederationError) -> None:
        raise OSError("disk full")

    app = site(view("door", raising(PolicyRefusal("a", "b"))), lambda config: config.set_refusal_recorder(failing))
    app.get("/door", status=403)
    assert [record.getMessage().split()[0] for record in caplog.records] == ["refused", "audit_failed"]


def test_as_a_guest_our_problems_look_like_ours_and_the_hosts_like_the_hosts() -> None:
    app = host(view("door", raising(ZeroDivisionError()), methods="GET"), view("no", raising(HTTPForbidden())))
    assert "This site made a mistake" in app.get("/federation/door", status=500)
    assert "settings do not allow" in app.get("/federation/no", status=403)
    assert "not for this kind of request" in app.post("/federation/door", status=405)
    assert app.get("/boom", status=500).text == "host: mistake"
    assert app.get("/nothing-here", status=404).text == "host: not found"
    assert app.get("/federation/nothing-here", status=404).text == "host: not found"
