"""The console's pages that the service provider has too (`federation.console`), with what they need to know of us."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyramid.config import Configurator
from pyramid.request import Request

from federation.console import Console, OfferedPart
from federation.console.source_form import DefaultsForm
from federation.keys.desk import Desk
from federation.registry.columns import EntityColumns, SourceColumns
from federation.registry.host import Occasion
from federation.saml.metadata.entity import Entity
from idp_app.security import Permission
from idp_app.services import connections, keys, metadata, offered
from idp_app.views import site_form


def includeme(config: Configurator) -> None:
    """Sources, reviews, versions and keys."""
    config.include("federation.console")
    config.add_console_pages(
        Console(
            routes="idp",
            frame="idp_app:templates/console.jinja2",
            partner="site",
            partners="service providers",
            host=metadata.HOST,
            session=lambda request: request.idp.session,
            occasion=_occasion,
            limits=lambda request: metadata.limits_of(request.idp.installation.settings),
            defaults=DefaultsForm(
                "idp_app:templates/source_defaults.jinja2",
                site_form.choices,
                site_form.typed,
                site_form.kept,
                site_form.meant,
            ),
            offered=OfferedPart("idp_app:templates/offered.jinja2", _offered, _connect),
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


def _offered(request: Request, source: SourceColumns, row: EntityColumns, entity: Entity) -> Mapping[str, Any]:
    idp = request.idp
    defaults = offered.defaults_of(idp.session, source.defaults)
    options = defaults.options
    again = request.method == "POST"
    typed = site_form.typed(request) if again else site_form.kept(source.defaults)
    return {
        "obstacle": offered.obstacle(idp.installation, entity, options),
        "audiences": [each.name for each in defaults.audiences],
        "release": defaults.policy.preset or "own rules",
        "options": options.in_words(),
        "weaknesses": options.weaknesses,
        "choices": site_form.choices(request),
        "typed": {**typed, "name": str(request.POST.get("name", "")) if again else row.name},
    }


def _connect(request: Request, source: SourceColumns, row: EntityColumns) -> str:
    idp = request.idp
    kept = offered.defaults_of(idp.session, source.defaults)
    chosen = site_form.chosen(request, site_form.typed(request), kept.options)
    made = offered.connect(
        idp.session,
        idp.installation,
        source,
        row,
        idp.act,
        name=str(request.POST.get("name", "")),
        audiences=chosen.audiences,
        policy=chosen.policy,
        options=chosen.options,
    )
    return made.id


def _keys(request: Request) -> Desk:
    idp = request.idp
    return keys.desk(idp.installation, idp.session, idp.act)
