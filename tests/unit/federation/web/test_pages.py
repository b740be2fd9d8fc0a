from __future__ import annotations

from pathlib import Path

import jinja2
import pytest
from pyramid.config import Configurator
from pyramid.path import AssetResolver
from pyramid.request import Request
from pyramid.response import Response

from federation.web import page
from federation.web.icons import icon
from tests.web_factories import host, site, view


@pytest.fixture
def template(tmp_path: Path) -> Path:
    return tmp_path / "page.jinja2"


def showing(template: Path, **values: object) -> object:
    def show(request: Request) -> Response:
        return page(request, str(template), values)

    return show


def test_a_page_is_sent_as_it_stands_and_to_a_HEAD_without_its_body(template: Path) -> None:
    template.write_text("Hello")

    def elsewhere(request: Request) -> Response:
        response = page(request, str(template), status=300)
        response.location = "/show"
        return response

    app = site(view("show", showing(template)), view("elsewhere", elsewhere))
    response = app.head("/show")
    assert (response.content_length, response.body) == (len("Hello"), b"")
    assert app.get("/show").text == "Hello"
    assert app.get("/elsewhere").headers["Location"] == "http://localhost/show"


def test_a_page_extends_ours_and_knows_the_site(template: Path) -> None:
    template.write_text(
        '{% extends "federation.web:templates/base.jinja2" %}'
        '{% block main %}<h1>{{ title }}</h1><a href="{{ path("show") }}">{{ site_name }}</a>'
        '{{ icon("check") }}{% endblock %}'
    )
    response = site(view("show", showing(template, title="<Hello>"))).get("/show")
    assert response.content_type == "text/html"
    assert "<h1>&lt;Hello&gt;</h1>" in response
    assert '<a href="/show">Example University</a>' in response
    assert '<svg class="icon"' in response
    assert response.html.find("link", rel="stylesheet")["href"].startswith("/federation-static/federation.css?v=")


def test_a_name_that_a_template_does_not_know_is_an_error(template: Path) -> None:
    template.write_text("{{ nothing }}")
    site(view("show", showing(template))).get("/show", status=500)


def test_a_form_carries_the_browsers_token(template: Path) -> None:
    template.write_text(
        '{% import "federation.web:templates/macros.jinja2" as ui with context %}'
        '{% call ui.form("/show") %}{{ ui.field("name", "Name", value="\\"quoted\\"", error="Wrong") }}{% endcall %}'
    )
    app = site(view("show", showing(template), methods=("GET", "POST")))
    response = app.get("/show")
    assert response.form["name"].value == '"quoted"'
    assert response.html.find("input", id="name")["aria-describedby"] == "name-error"
    assert response.form.submit().status_int == 200


def test_the_stylesheet_may_be_kept_for_a_year_and_its_address_changes_with_it() -> None:
    app = site()
    address = app.get("/nothing-here", status=404).html.find("link", rel="stylesheet")["href"]
    response = app.get(address)
    assert response.content_type == "text/css"
    assert "max-age=31536000" in response.headers["Cache-Control"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "/federation-static/nothing.css",
        "/federation-static/../pages.py",
        "/federation-static/%2e%2e/pages.py",
        "/federation-static/",
    ],
)
def test_nothing_but_static_files_is_served(path: str) -> None:
    site().get(path, status=404)


def test_a_host_may_restyle_our_pages(tmp_path: Path, template: Path) -> None:
    template.write_text('{% extends "federation.web:templates/base.jinja2" %}')
    (tmp_path / "own.css").write_text("body { color: red }")

    def restyle(config: Configurator) -> None:
        config.override_asset("federation.web:static/federation.css", str(tmp_path / "own.css"))

    app = host(restyle, view("show", showing(template)))
    address = app.get("/federation/show").html.find("link", rel="stylesheet")["href"]
    assert address.startswith("/federation/federation-static/federation.css?v=")
    assert app.get(address).text == "body { color: red }"


def test_a_hosts_jinja2_stays_the_hosts() -> None:
    def hosts_own(config: Configurator) -> None:
        config.add_route("host.template", "/template")
        config.add_view(
            lambda request: {},
            route_name="host.template",
            renderer="tests:web_templates/host.jinja2",
            permission="__no_permission_required__",
        )

    assert host(hosts_own, route_prefix=None).get("/template").text == " False"


def test_every_template_of_ours_compiles() -> None:
    folder = Path(AssetResolver().resolve("federation.web:templates").abspath())
    environment = jinja2.Environment(autoescape=True)
    for file in sorted(folder.iterdir()):
        environment.parse(file.read_text())


def test_no_template_marks_anything_safe_or_styles_inline() -> None:
    folder = Path(AssetResolver().resolve("federation.web:templates").abspath())
    for file in sorted(folder.iterdir()):
        text = file.read_text()
        assert "|safe" not in text.replace(" ", "")
        assert "style=" not in text
        assert " on" not in [part[:3] for part in text.split("<")[1:]]


def test_an_icon_says_nothing_to_a_screen_reader() -> None:
    assert 'aria-hidden="true"' in icon("lock")
