"""Pages: our own template environment, and the one function that renders from it.

The environment is named, so a host's `.jinja2` renderer, search path and filters stay as they are, and a template is
rendered by `page(...)`, not by `renderer=`. Templates are asset specifications: a host restyles one of ours by
`config.override_asset`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any, Final

import jinja2
from markupsafe import Markup
from pyramid.config import PHASE3_CONFIG, Configurator
from pyramid.request import Request
from pyramid.response import Response
from pyramid_jinja2 import IJinja2Environment

from federation.web import csrf
from federation.web.icons import icon

RENDERER: Final = ".federation"
STATIC: Final = "federation.web:static"


def page(request: Request, template: str, values: Mapping[str, Any] | None = None, *, status: int = 200) -> Response:
    """Render an asset specification such as `"idp_app:templates/sign_in.jinja2"` to a response.

    Besides `values` a template knows `request`, `federation` (request.federation), `site`, `nonce`, `path(route)`,
    `static(file)`, `csrf_field()` and `icon(name)`. A name it does not know is an error.
    """
    environment = request.registry.getUtility(IJinja2Environment, name=RENDERER)
    html = environment.get_template(template).render({**_known(request), **(values or {})})
    return Response(html, status=status, content_type="text/html", charset="utf-8")


def _known(request: Request) -> dict[str, Any]:
    exchange = request.federation

    def static(file: str) -> str:
        path: str = request.static_path(f"{STATIC}/{file}")
        return path

    def csrf_field() -> Markup:
        return Markup('<input type="hidden" name="{}" value="{}">').format(csrf.FIELD, csrf.token(request))

    known: dict[str, Any] = {
        "request": request,
        "federation": exchange,
        "site": exchange.site,
        "site_name": exchange.site.name,
        "nonce": exchange.nonce,
        "path": request.route_path,
        "static": static,
        "csrf_field": csrf_field,
    }
    return known


class ContentHash:
    """A cache buster: the address of a static file changes with its content, so it may be cached for a year."""

    def __init__(self) -> None:
        self._digests: dict[str, str] = {}

    def __call__(self, _request: Request, subpath: str, options: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        if subpath not in self._digests:
            content = files("federation.web").joinpath("static", subpath).read_bytes()
            self._digests[subpath] = hashlib.sha256(content).hexdigest()[:12]
        return subpath, {**options, "_query": {"v": self._digests[subpath]}}


def includeme(config: Configurator) -> None:
    """Our named environment, and our stylesheet and images under /federation-static."""
    config.include("pyramid_jinja2")
    config.add_jinja2_renderer(RENDERER, settings_prefix="federation.jinja2.")
    config.action("federation.web.pages", _configure(config), order=PHASE3_CONFIG + 1)
    config.add_static_view("federation-static", STATIC, cache_max_age=31_536_000)
    config.add_cache_buster(STATIC, ContentHash())


def _configure(config: Configurator) -> Callable[[], None]:
    def configure() -> None:
        environment = config.get_jinja2_environment(RENDERER)
        environment.undefined = jinja2.StrictUndefined
        environment.trim_blocks = environment.lstrip_blocks = True
        environment.globals["icon"] = icon

    return configure
