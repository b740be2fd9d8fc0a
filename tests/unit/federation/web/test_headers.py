from __future__ import annotations

import re

import pytest
from pyramid.request import Request
from pyramid.response import Response

from federation.web.headers import content_security_policy
from tests.web_factories import host, raising, site, view


def show(request: Request) -> Response:
    return Response(request.federation.nonce)


def document(request: Request) -> Response:
    response = Response("x")
    response.headers["Cache-Control"] = "public, max-age=60"
    response.headers["Content-Security-Policy"] = "default-src *"
    return response


SETUPS = (
    view("show", show),
    view("document", document),
    view("boom", raising(ZeroDivisionError())),
    view("popup", show, popup=True),
    view("acs", show, cross_site=True),
)
app = site(*SETUPS)


def test_a_page_may_load_what_a_page_of_ours_is_made_of_and_nothing_else() -> None:
    response = app.get("/show")
    assert response.headers["Content-Security-Policy"] == (
        f"default-src 'none'; script-src 'nonce-{response.text}'; style-src 'self'; img-src 'self' data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def test_no_two_responses_have_the_same_nonce() -> None:
    assert app.get("/show").text != app.get("/show").text


def test_a_page_may_name_where_else_its_forms_go() -> None:
    assert "form-action 'self' https:;" in content_security_policy("n", ["https:"])


@pytest.mark.parametrize("path", ["/show", "/boom", "/nothing-here"])
def test_every_response_is_protected(path: str) -> None:
    headers = app.get(path, expect_errors=True).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert re.search(r"default-src 'none'", headers["Content-Security-Policy"])


def test_a_view_may_let_a_document_be_cached_but_not_lower_the_policy() -> None:
    headers = app.get("/document").headers
    assert headers["Cache-Control"] == "public, max-age=60"
    assert "default-src 'none'" in headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/popup", "/acs"])
def test_a_window_that_a_partner_opened_keeps_its_opener(path: str) -> None:
    assert "Cross-Origin-Opener-Policy" not in app.get(path).headers


def test_a_site_on_https_says_that_it_stays_there() -> None:
    secure = site(*SETUPS, public_url="https://idp.example.org")
    assert secure.get("/show").headers["Strict-Transport-Security"] == "max-age=31536000"
    assert "Strict-Transport-Security" not in app.get("/show").headers


def test_as_a_guest_we_protect_our_pages_and_leave_the_hosts_alone() -> None:
    guest = host(*SETUPS)
    assert "default-src 'none'" in guest.get("/federation/show").headers["Content-Security-Policy"]
    assert "Content-Security-Policy" not in guest.get("/page").headers
