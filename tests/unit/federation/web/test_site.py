from __future__ import annotations

import gc
import weakref

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response

from tests.web_factories import site, site_config, view


def addresses(request: Request) -> Response:
    return Response(
        " ".join((request.host_url, request.route_url("show"), request.federation.url("show"), request.host))
    )


def relative(request: Request) -> Response:
    return HTTPSeeOther(location="/show")


SETUPS = (view("show", addresses), view("away", relative))
HOSTILE = {
    "Host": "evil.example",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "gopher",
    "Forwarded": "host=evil.example",
}


def test_the_public_url_is_in_every_address_and_the_host_header_in_none() -> None:
    app = site(*SETUPS, public_url="https://idp.example.org")
    assert app.get("/show", headers=HOSTILE).text == (
        "https://idp.example.org https://idp.example.org/show https://idp.example.org/show idp.example.org"
    )
    assert app.get("/away", headers=HOSTILE).location == "https://idp.example.org/show"


def test_an_unusual_port_is_part_of_it() -> None:
    app = site(*SETUPS, public_url="http://localhost:6543")
    assert app.get("/show", headers=HOSTILE).text.startswith("http://localhost:6543 http://localhost:6543/show")


def test_the_client_is_who_connected_and_not_who_a_header_names() -> None:
    app = site(view("who", lambda request: Response(request.federation.client_address)))
    response = app.get(
        "/who", headers={"X-Forwarded-For": "203.0.113.9"}, extra_environ={"REMOTE_ADDR": "198.51.100.7"}
    )
    assert response.text == "198.51.100.7"


def test_an_address_that_cannot_be_decoded_is_a_bad_request() -> None:
    assert "cannot be read" in site().get("/%ff", status=400)


def test_a_plain_route_of_a_whole_site_is_ours_too() -> None:
    def setup(config: Configurator) -> None:
        config.add_route("plain", "/plain")
        config.add_view(lambda request: Response("x"), route_name="plain", request_method="GET")

    app = site(setup)
    assert "Content-Security-Policy" in app.get("/plain").headers
    app.post("/plain", status=405)


def test_a_browser_finds_the_icon_where_it_looks_by_itself() -> None:
    response = site().get("/favicon.ico", status=302).follow()
    assert response.content_type == "image/svg+xml"


def test_a_request_goes_with_its_response_and_waits_for_no_garbage_collection() -> None:
    kept: list[weakref.ref[object]] = []

    def keeping(request: Request) -> Response:
        kept.append(weakref.ref(request.federation))
        kept.append(weakref.ref(request))
        return Response("x")

    app = site(view("kept", keeping))
    gc.disable()
    try:
        app.get("/kept")
        assert [each() for each in kept] == [None, None]
    finally:
        gc.enable()


def test_two_sites_in_one_process_do_not_mix() -> None:
    first, second = site(*SETUPS, public_url="https://a.example"), site(*SETUPS, public_url="https://b.example")
    assert first.get("/show").text.startswith("https://a.example ")
    assert second.get("/show").text.startswith("https://b.example ")


def test_the_guest_may_be_included_in_a_whole_site() -> None:
    config = site_config()
    config.include("federation.web")
    config.commit()
