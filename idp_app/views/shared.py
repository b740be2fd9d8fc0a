"""The console's pages that the service provider has too (`federation.console`), with what they need to know of us."""

from __future__ import annotations

from pyramid.config import Configurator
from pyramid.request import Request

from federation.console import Console
from federation.keys.desk import Desk
from federation.registry.host import Occasion
from idp_app.security import Permission
from idp_app.services import connections, keys, metadata


def includeme(config: Configurator) -> None:
    """Sources, reviews, versions and keys."""
    config.include("federation.console")
    config.add_console_pages(
        Console(
            routes="idp",
            frame="idp_app:templates/console.jinja2",
            partner="site",
            partners="service providers",
            add_source="federation idp metadata add-source NAME --url URL --signer CERT --audience AUDIENCE "
            "--release PRESET",
            host=metadata.HOST,
            session=lambda request: request.idp.session,
            occasion=_occasion,
            keys=_keys,
            connection=connections.get,
            lately=metadata.signed_in_lately,
            metadata_options={"permission": Permission.MANAGE_CONNECTIONS},
            keys_options={"permission": Permission.MANAGE_FEDERATION},
        )
    )


def _occasion(request: Request) -> Occasion:
    act = request.idp.act
    return Occasion(act.now, act.actor, act.reference)


def _keys(request: Request) -> Desk:
    idp = request.idp
    return keys.desk(idp.installation, idp.session, idp.act)
