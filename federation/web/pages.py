"""Pages: our own template environment, and the one function that renders from it.

The environment is named, so a host's `.jinja2` renderer, search path and filters stay as they are, and a template is
rendered by `page(...)`, not by `renderer=`. Templates are asset specifications: a host restyles one of ours by
`config.override_asset`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import jinja2
from markupsafe import Markup
from pyramid.config import PHASE3_CONFIG, Configurator
from pyramid.path import AssetResolver
from pyramid.request import Request
from pyramid.response import Response
from pyramid.static import static_view
from pyramid_jinja2 import IJinja2Environment

from federation.web import csrf
from federation.web.icons import icon
from federation.web.stencil import Hole, Stencil

RENDERER: Final = ".federation"
STATIC: Final = "federation.web:static"
ROUTE: Final = "federation.static"
_ADDRESSES: Final = "federation.static_addresses"
_ENVIRONMENT: Final = "federation.jinja2_environment"


class Page(Response):
    """A page, sent as it stands. WebOb looks through every response's headers for a Location that is to be made
    absolute, which a page has not.
    """

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """The application that answers with it (PEP 3333)."""
        headers: list[tuple[str, str]] = self.headerlist
        if environ["REQUEST_METHOD"] == "HEAD" or self.conditional_response or "Location" in dict(headers):
            answer: Iterable[bytes] = super().__call__(environ, start_response)
            return answer
        start_response(self.status, headers)
        return self.app_iter


def page(request: Request, template: str, values: Mapping[str, Any] | None = None, *, status: int = 200) -> Response:
    """Render an asset specification such as `"idp_app:templates/sign_in.jinja2"` to a response.

    Besides `values` a template knows `request`, `federation` (request.federation), `site`, `site_name`, `script_name`,
    `nonce`, `path(route)`, `static(file)`, `csrf_field()` and `icon(name)`. A name it does not know is an error.
    """
    return html_response(render(request, template, values or {}).encode(), status=status)


def render(request: Request, template: str, values: Mapping[str, Any]) -> str:
    """The text of a page."""
    return _template(request.registry, template).render({**_known(request), **values})


def html_response(html: bytes, *, status: int = 200, headers: Iterable[tuple[str, str]] = ()) -> Response:
    """A page that is written already. The default status is passed as none at all: WebOb would look it up."""
    about = [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(html))), *headers]
    return Page(status=None if status == 200 else status, headerlist=about, app_iter=[html])


def cut(request: Request, template: str, values: Mapping[str, Any], holes: Sequence[Hole]) -> Stencil:
    """The stencil of a template that knows nothing of one reader: of the names for `page`, only `site`, `site_name`,
    `script_name`, `static(file)` and `icon(name)`. `values` has the holes, wherever the template looks for them.

    For a site that is ours from end to end: what a host makes of a template of ours may differ from reader to reader.
    """
    text = _template(request.registry, template).render({**_same_for_all(request), **values})
    return Stencil(text, holes)


def _template(registry: Any, name: str) -> jinja2.Template:
    if _ENVIRONMENT not in registry:
        registry[_ENVIRONMENT] = registry.getUtility(IJinja2Environment, name=RENDERER)
    template: jinja2.Template = registry[_ENVIRONMENT].get_template(name)
    return template


def _known(request: Request) -> dict[str, Any]:
    exchange = request.federation

    def csrf_field() -> Markup:
        return Markup('<input type="hidden" name="{}" value="{}">').format(csrf.FIELD, csrf.token(request))

    return {
        **_same_for_all(request),
        "request": request,
        "federation": exchange,
        "nonce": exchange.nonce,
        "path": request.route_path,
        "csrf_field": csrf_field,
    }


def _same_for_all(request: Request) -> dict[str, Any]:
    site = request.federation.site
    return {
        "site": site,
        "site_name": site.name,
        "script_name": request.script_name or "",
        "static": partial(static_address, request),
    }


def static_address(request: Request, file: str) -> str:
    """Where a browser fetches one of our static files. The address changes with the content: it may be kept a year."""
    # In the registry, because what is behind the name is an application's own choice (override_asset).
    addresses: dict[tuple[str, str], str] = request.registry.setdefault(_ADDRESSES, {})
    known = (request.script_name, file)
    if known not in addresses:
        path = Path(AssetResolver().resolve(f"{STATIC}/{file}").abspath())
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
        addresses[known] = request.route_path(ROUTE, subpath=file.split("/"), _query={"v": digest})
    return addresses[known]


def includeme(config: Configurator) -> None:
    """Our named environment, and our stylesheet and images under /federation-static."""
    config.include("pyramid_jinja2")
    config.add_jinja2_renderer(RENDERER, settings_prefix="federation.jinja2.")
    config.action("federation.web.pages", _configure(config), order=PHASE3_CONFIG + 1)
    config.add_federation_route(ROUTE, "/federation-static/*subpath")
    config.add_view(
        static_view(STATIC, cache_max_age=31_536_000, use_subpath=True), route_name=ROUTE, request_method="GET"
    )


def _configure(config: Configurator) -> Callable[[], None]:
    def configure() -> None:
        environment = config.get_jinja2_environment(RENDERER)
        environment.undefined = jinja2.StrictUndefined
        environment.trim_blocks = environment.lstrip_blocks = True
        environment.globals["icon"] = icon

    return configure
