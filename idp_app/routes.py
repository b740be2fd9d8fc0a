"""Every address of this site."""

from __future__ import annotations

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request

from federation.console import ROUTES, SMALL
from federation.registry.invitation import EXCHANGE, MAX_BODY, MAX_METADATA, METADATA
from federation.web.routes import Root
from idp_app.services import csv_rows, fetches, switch


class Federation(Root):
    """The context of the SAML addresses. While the federation is off there are none."""

    def __init__(self, request: Request) -> None:
        if not switch.is_on(request.idp.session):
            raise HTTPNotFound


def includeme(config: Configurator) -> None:
    """Add the routes, first what each sign-in asks for. `popup`: a partner may show the page in a window it opened."""
    add = config.add_federation_route
    add("idp.sso", "/saml/sso", factory=Federation, cross_site=True, popup=True, acts=True)
    add("idp.home", "/")
    add("idp.health", "/healthz")
    add("idp.sign_in", "/signin", popup=True)
    add("idp.second_factor", "/signin/second-factor", popup=True)
    add("idp.sign_out", "/signout")
    add("idp.account", "/account")
    add("idp.metadata", "/saml/metadata", factory=Federation)
    add("idp.about", "/saml/about", factory=Federation)
    add("idp.unsolicited", "/saml/sso/unsolicited", factory=Federation, popup=True, acts=True)
    add("idp.slo", "/saml/slo", factory=Federation, cross_site=True, popup=True, acts=True)
    add("idp.artifact", "/saml/artifact", factory=Federation, cross_site=True)
    add("idp.error", "/saml/error", factory=Federation, popup=True)
    add("idp.logout", "/saml/logout/{key}", factory=Federation, popup=True, acts=True)
    add("idp.continue", "/saml/continue/{key}", factory=Federation, popup=True, acts=True)
    add("idp.entities", "/entities", factory=Federation)
    add("idp.entity", "/entities/{identifier:.*}", factory=Federation)
    add("idp.entities_for", fetches.QUERY_PATH + "/{whose}/entities", factory=Federation)
    add("idp.entity_for", fetches.QUERY_PATH + "/{whose}/entities/{identifier:.*}", factory=Federation)
    add("idp.invited", "/connect/{token}", factory=Federation, files=True, body_limit=MAX_METADATA + 65_536)
    add("idp.invited_metadata", "/connect/{token}" + METADATA, factory=Federation)
    add(
        "idp.invited_exchange",
        "/connect/{token}" + EXCHANGE,
        factory=Federation,
        cross_site=True,
        problems="json",
        body_limit=MAX_BODY,
    )
    add("idp.console", "/admin")
    add("idp.people", "/admin/people")
    add("idp.people_import", "/admin/people/import", files=True, body_limit=csv_rows.MAX_OCTETS + 65_536)
    add("idp.person", "/admin/people/{id}")
    add("idp.audiences", "/admin/audiences")
    add("idp.audience", "/admin/audiences/{id}")
    add("idp.refusals", "/admin/refusals")
    add("idp.refusal", "/admin/refusals/{reference}")
    add("idp.connections", "/admin/connections")
    add("idp.connection_new", "/admin/connections/new", **SMALL)
    add("idp.connection", "/admin/connections/{id}")
    add("idp.disconnect", "/admin/connections/{id}/disconnect")
    add("idp.invitations", "/admin/invitations")
    add("idp.invitation", "/admin/invitations/{id}")
    add("idp.keys", "/admin/keys")
    for name, pattern, options in ROUTES:
        add(f"idp.{name}", f"/admin{pattern}", **options)
