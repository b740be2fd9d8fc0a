"""SCIM 2.0 under /scim/v2: the engine of `federation.scim` over this site's tables and accounts.

profile     what a SCIM User says, for the account store
queries     filters to SQL
users       resources to accounts, through the link table
groups      groups and their members
store       the two as the engine asks for them
repeats     Idempotency-Key
views       the bearer token, and the way in and out of Pyramid
"""

from __future__ import annotations

from pyramid.config import Configurator

from sp_app.scim.views import LIMITS, scim


def includeme(config: Configurator) -> None:
    """One route for everything below the SCIM root; what there is, the engine knows."""
    config.add_federation_route(
        "sp.scim",
        "/scim/v2/{path:.*}",
        factory="sp_app.context.FederationRoot",
        cross_site=True,
        problems="scim",
        body_limit=LIMITS.payload,
    )
    config.add_view(scim, route_name="sp.scim")
