"""The home page, our metadata, and whether this process is ready."""

from __future__ import annotations

from typing import Final

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from federation.errors import ConfigurationError
from federation.web import page
from federation.web.about import Address, about
from federation.web.documents import metadata_response
from federation.web.logs import get_logger
from idp_app.composition import BROWSER
from idp_app.services import fetches, publication, reach, switch
from idp_app.services.logout import runs

log = get_logger(__name__)

MAX_AGE: Final = 3600
"""For how many seconds a cache may keep our metadata: not longer than cacheDuration, six hours or more."""


@view_config(route_name="idp.home", request_method="GET")
def home(request: Request) -> Response:
    """The sites that serve whoever is signed in."""
    idp = request.idp
    found = None
    if idp.signed_in is not None:
        found = reach.of(idp.session, idp.installation.partners, idp.signed_in, request.federation.now)
    values = {
        "reach": found,
        "signed_out": "signed-out" in request.GET and found is None,
        "unfinished": _unfinished_logout(request),
    }
    return page(request, "idp_app:templates/home.jinja2", values)


def _unfinished_logout(request: Request) -> str | None:
    """The key of a logout that this browser left half-way, for instance because a site did not answer."""
    idp = request.idp
    if not request.federation.cookies.get(request, BROWSER) or not switch.is_on(idp.session):
        return None
    return runs.unfinished(idp.session, idp.browser_hash, request.federation.now)


@view_config(route_name="idp.metadata", request_method="GET")
def metadata(request: Request) -> Response:
    """Our signed metadata (SAML Metadata 4.1; RFC 9110 13.1.2)."""
    idp = request.idp
    settings = idp.installation.settings
    document = idp.publisher.current(settings, idp.installation.keys, request.federation.now)
    whose = request.GET.get(fetches.PARAMETER)
    if whose is not None:
        fetches.note(idp.session, idp.installation, whose, request.federation.now)
    return metadata_response(request, document, max_age=MAX_AGE, file_name=f"{settings.host}.xml")


@view_config(route_name="idp.about", request_method="GET")
def about_us(request: Request) -> Response:
    """What an administrator of another site needs to know of us."""
    settings, keys = request.idp.installation.settings, request.idp.installation.keys
    further = [Address("All sites of this federation, as metadata", settings.entities_url)]
    return about(
        request,
        entity=publication.entity(settings, keys),
        metadata_url=settings.metadata_url,
        metadata_signer=keys.metadata_certificate,
        further=further if settings.publish_connections else (),
    )


@view_config(route_name="idp.health", request_method="GET")
def health(request: Request) -> Response:
    """200 when keys are readable, and the database is reachable and at this release's revision; else 503."""
    try:
        request.idp.installation.check()
    except ConfigurationError as error:
        log.warning("not_ready", explanation=error.message)
        return Response("not ready\n", status=503, content_type="text/plain")
    return Response("ready\n", content_type="text/plain")
