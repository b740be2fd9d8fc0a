from __future__ import annotations

import pytest
from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response
from webtest import TestApp

from federation.web import csrf
from tests.web_factories import host, site, view


def form(request: Request) -> Response:
    return Response(csrf.token(request))


def change(request: Request) -> Response:
    return Response("changed")


def sign_in(request: Request) -> Response:
    return Response(csrf.renew(request) + csrf.token(request))


SETUPS = (
    view("form", form, methods="GET"),
    view("change", change, methods=("GET", "POST", "PUT", "DELETE")),
    view("signin", sign_in, methods="POST"),
    view("acs", change, methods="POST", cross_site=True),
)


@pytest.fixture
def app() -> TestApp:
    return site(*SETUPS)


def token_of(app: TestApp, path: str = "/form") -> str:
    return str(app.get(path).text)


def test_a_form_of_ours_comes_through(app: TestApp) -> None:
    assert app.post("/change", {"csrf_token": token_of(app)}).text == "changed"


def test_a_script_of_ours_may_say_it_in_a_header(app: TestApp) -> None:
    assert app.put("/change", headers={"X-CSRF-Token": token_of(app)}).text == "changed"


def test_the_token_stays_while_the_browser_does(app: TestApp) -> None:
    assert token_of(app) == token_of(app)


def test_reading_needs_no_token(app: TestApp) -> None:
    assert app.get("/change").text == "changed"


@pytest.mark.parametrize("supplied", ["", "wrong", "ä", "\ud800"])
def test_a_wrong_token_is_refused(app: TestApp, supplied: str) -> None:
    token_of(app)
    response = app.post("/change", {"csrf_token": supplied.encode("utf-8", "surrogatepass")}, status=400)
    assert "no longer valid" in response or "cannot be read" in response


def test_a_browser_without_the_cookie_is_refused(app: TestApp) -> None:
    token = token_of(app)
    app.reset()
    app.post("/change", {"csrf_token": token}, status=400)


def test_an_empty_cookie_does_not_match_an_empty_field(app: TestApp) -> None:
    app.post("/change", {"csrf_token": ""}, headers={"Cookie": "idp-csrf="}, status=400)


def test_a_file_is_not_a_token(app: TestApp) -> None:
    token_of(app)
    app.post("/change", upload_files=[("csrf_token", "token.txt", b"x")], status=400)


@pytest.mark.parametrize("header", ["Origin", "Referer"])
@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://localhost:81",
        "https://localhost",
        "null",
        "http://localhost.evil.example",
        "http://[",
        "nonsense",
    ],
)
def test_a_form_from_another_origin_is_refused_whatever_it_carries(app: TestApp, header: str, origin: str) -> None:
    response = app.post("/change", {"csrf_token": token_of(app)}, headers={header: origin}, status=400)
    assert "another address" in response


@pytest.mark.parametrize("headers", [{"Origin": "http://localhost"}, {"Referer": "http://localhost/form?x=1"}])
def test_a_form_from_our_own_origin_comes_through(app: TestApp, headers: dict[str, str]) -> None:
    assert app.post("/change", {"csrf_token": token_of(app)}, headers=headers)


def test_the_origin_is_measured_by_the_public_url_and_not_by_the_host_header() -> None:
    app = site(*SETUPS, public_url="https://idp.example.org")
    headers = {"Host": "evil.example", "Origin": "https://evil.example"}
    token = token_of(app)
    response = app.post(
        "/change", {"csrf_token": token}, headers={**headers, "Cookie": f"__Host-idp-csrf={token}"}, status=400
    )
    assert "another address" in response


def test_signing_in_changes_the_token(app: TestApp) -> None:
    before = token_of(app)
    said = app.post("/signin", {"csrf_token": before}).text
    after = said[: len(said) // 2]
    assert said == after * 2
    assert after != before
    app.post("/change", {"csrf_token": before}, status=400)
    app.post("/change", {"csrf_token": after})


def test_a_route_for_other_sites_takes_their_posts(app: TestApp) -> None:
    assert app.post("/acs", headers={"Origin": "https://idp.example.org"}).text == "changed"


def test_as_a_guest_our_own_check_stands_in_for_the_hosts() -> None:
    app = host(*SETUPS)
    assert app.post("/federation/acs", headers={"Origin": "https://idp.example.org"}).text == "changed"
    app.post("/federation/change", status=400)
    app.post("/federation/change", {"csrf_token": token_of(app, "/federation/form")})


def test_the_permission_that_a_site_of_ours_demands_by_default_is_kept() -> None:
    def demand(config: Configurator) -> None:
        config.set_default_permission("administer")
        config.set_security_policy(_Nobody())

    app = site(demand, view("form", form))
    app.get("/form", status=403)


class _Nobody:
    def permits(self, *_: object) -> bool:
        return False

    def authenticated_userid(self, _: object) -> None:
        return None
