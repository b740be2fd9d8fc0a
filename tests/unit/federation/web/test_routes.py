from __future__ import annotations

import pytest
from pyramid.config import Configurator
from pyramid.exceptions import ConfigurationConflictError, ConfigurationExecutionError
from pyramid.request import Request
from pyramid.response import Response

from federation.web import Site
from tests.web_factories import NOW, host, site, view


def facts(request: Request) -> Response:
    return Response(
        json_body={
            "now": request.federation.now.isoformat(),
            "url": request.federation.url("facts", _query={"a": "b"}),
            "context": type(request.context).__name__,
            "key": request.federation.site.key,
        }
    )


def test_a_request_is_judged_by_one_instant() -> None:
    assert site(view("facts", facts)).get("/facts").json["now"] == NOW.isoformat()


def test_without_a_clock_of_the_tests_it_is_now_in_utc() -> None:
    assert host(view("facts", facts)).get("/federation/facts").json["now"].endswith("+00:00")


def test_as_a_guest_our_addresses_come_from_the_settings_and_the_hosts_prefix() -> None:
    response = host(view("facts", facts)).get("/federation/facts", headers={"Host": "evil.example"})
    assert response.json["url"] == "http://localhost/mounted/federation/facts?a=b"


def test_as_a_guest_we_run_neither_the_hosts_root_nor_its_permissions() -> None:
    assert host(view("facts", facts)).get("/federation/facts").json["context"] == "Root"


def test_no_header_leads_away_from_where_a_route_of_ours_ends() -> None:
    for app, path in ((host(view("facts", facts)), "/federation/facts"), (site(view("facts", facts)), "/facts")):
        assert app.get(path, headers={"X-Vhm-Root": "/elsewhere"}).json["context"] == "Root"


def test_the_hosts_own_pages_stay_as_they_were() -> None:
    assert host(view("facts", facts)).get("/page").text == "host page"


def test_the_host_may_give_us_no_prefix_at_all() -> None:
    app = host(view("facts", facts), route_prefix=None)
    assert app.get("/facts").json["key"] == "guest"
    assert app.get("/page").text == "host page"


def test_two_sites_in_one_application_conflict() -> None:
    config = Configurator()
    config.include("federation.web")
    config.set_federation_site(Site("a", "A", "https://a.example"))
    config.set_federation_site(Site("b", "B", "https://b.example"))
    with pytest.raises(ConfigurationConflictError):
        config.commit()


def test_an_application_that_says_no_site_does_not_start() -> None:
    config = Configurator()
    config.include("federation.web")
    with pytest.raises(ConfigurationExecutionError, match="set_federation_site"):
        config.make_wsgi_app()


def test_a_site_knows_its_origin() -> None:
    assert Site("a", "A", "https://a.example:443/mounted").origin == "https://a.example"
    assert Site("a", "A", "https://a.example").https
    assert not Site("a", "A", "http://localhost").https
