"""The console's pages that the identity provider has too (`federation.console`), with what they need to know of us."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyramid.config import Configurator
from pyramid.request import Request

from federation.console import Console, OfferedPart
from federation.keys.desk import Desk
from federation.registry.columns import EntityColumns, SourceColumns
from federation.registry.host import Limits
from federation.saml.metadata.entity import Entity
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
            host=metadata.HOST,
            session=lambda request: request.sp.session,
            occasion=occasion,
            limits=_limits,
            defaults=None,
            offered=OfferedPart("sp_app.console:templates/offered.jinja2", _offered, _connect),
            keys=_keys,
            connection=connections.get,
            lately=metadata.signed_in_lately,
            metadata_options={},
            keys_options={},
        )
    )


def _limits(request: Request) -> Limits:
    provider = request.sp.provider
    return metadata.limits_of(provider.settings, provider.entity_id)


def _offered(request: Request, source: SourceColumns, row: EntityColumns, entity: Entity) -> Mapping[str, Any]:
    again = request.method == "POST"
    return {
        "hidden": row.hidden,
        "name": str(request.POST.get("name", "")) if again else row.name,
    }


def _connect(request: Request, source: SourceColumns, row: EntityColumns) -> str:
    sp = request.sp
    return connections.connect_offered(
        sp.session,
        source,
        row,
        _limits(request),
        occasion(request),
        name=str(request.POST.get("name", "")),
        signing_key=sp.provider.keys.signing,
    ).id


def _keys(request: Request) -> Desk:
    sp, act = request.sp, occasion(request)
    return keys.desk(sp.provider, sp.session, act.now, act.reference, act.actor)
