"""The console's pages that the identity provider has too (`federation.console`), with what they need to know of us."""

from __future__ import annotations

from pyramid.config import Configurator
from pyramid.request import Request

from federation.console import Console
from federation.keys.desk import Desk
from sp_app.console.base import occasion
from sp_app.services import connections, keys, metadata


def includeme(config: Configurator) -> None:
    """Sources, reviews, versions and keys."""
    config.include("federation.console")
    config.add_console_pages(
        Console(
            routes="sp.console",
            frame="sp_app.console:templates/frame.jinja2",
            partner="identity provider",
            partners="identity providers",
            add_source="federation sp metadata add-source NAME --url URL --signer CERT",
            host=metadata.HOST,
            session=lambda request: request.sp.session,
            occasion=occasion,
            keys=_keys,
            connection=connections.get,
            lately=metadata.signed_in_lately,
            metadata_options={},
            keys_options={},
        )
    )


def _keys(request: Request) -> Desk:
    sp, act = request.sp, occasion(request)
    return keys.desk(sp.provider, sp.session, act.now, act.reference, act.actor)
