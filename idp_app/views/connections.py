"""The console's pages about connections."""

from __future__ import annotations

from typing import Final

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from federation.attributes.catalogue import CATALOGUE
from federation.attributes.policy import ReleasePolicy
from federation.attributes.presets import PRESETS, UNCONDITIONAL_SUFFIX
from federation.errors import ConfigurationError, PolicyRefusal
from federation.registry import health
from federation.saml.algorithms import DEFAULT, in_words
from federation.saml.algorithms import PRESETS as PRESETS_OF_ALGORITHMS
from idp_app.errors import InvalidInput, NotThere
from idp_app.models import MetadataSource
from idp_app.options import Options
from idp_app.security import Permission
from idp_app.services import answers, audiences, audit, connections, metadata, people, preview
from idp_app.services.live import LiveConnection
from idp_app.services.provisioning import service
from idp_app.views.console import back, show

SIGNING: Final = {
    "auto": "the response; the assertion too where its metadata wants that",
    "response": "the response alone",
    "assertion": "the assertion alone",
    "both": "response and assertion",
}
NAMING: Final = {
    "auto": "what its metadata lists first, else a transient name",
    "transient": "a name for one session (transient)",
    "persistent": "a lasting name for this site alone (persistent)",
    "emailAddress": "the e-mail address",
    "unspecified": "the user name (unspecified)",
    "none": "nothing: no NameID at all",
}
_TELLING: Final = {
    "auto": "as its metadata prefers, else through the browser",
    "browser": "through the browser",
    "soap": "directly, by SOAP",
}
_ENCRYPTING: Final = {"assertion": "the assertion", "name-id": "the NameID by itself", "attributes": "each attribute"}


@view_config(route_name="idp.connections", request_method="GET", permission=Permission.MANAGE_CONNECTIONS)
def every(request: Request) -> Response:
    """The list with how each does, and those that are over."""
    session, now = request.idp.session, request.federation.now
    found = connections.every(session)
    values = {
        "found": found,
        "metadata": health.of_connections(session, metadata.HOST, found, now),
        "provisioning": {each.connection: each for each in service.health(session)},
        "lately": metadata.signed_in_lately(session, [each.entity_id for each in found], now),
        "ended": connections.ended(session),
    }
    return show(request, "console_connections.jinja2", values)


@view_config(route_name="idp.connection", request_method="GET", permission=Permission.MANAGE_CONNECTIONS)
def one(request: Request) -> Response:
    """One connection: its trust, what it misses, whom it serves, what it is told, and that for a chosen person."""
    idp = request.idp
    connection = connections.get(idp.session, request.matchdict["id"])
    partner = idp.installation.partners.by_id(idp.session, connection.id)
    values = {
        "connection": connection,
        "partner": partner,
        "expired": not partner.usable(request.federation.now),
        "audiences": audiences.every(idp.session),
        "serves": {audience.id for audience in connection.audiences},
        "presets": list(PRESETS.values()),
        "choices": release_choices(),
        "misses": connections.misses(connection),
        "options": partner.options,
        "legacy": list(PRESETS_OF_ALGORITHMS.values()),
        "signing": list(SIGNING.items()),
        "naming": list(NAMING.items()),
        "telling": list(_TELLING.items()),
        "encrypting": list(_ENCRYPTING.items()),
        "attribute_names": [(CATALOGUE[key].label, name.name, "code") for key, name in partner.options.attribute_names],
        "algorithms": _algorithms(request, partner),
        "missing": audit.newest(idp.session, answers.MISSING, entity_id=connection.entity_id),
        "source": idp.session.get(MetadataSource, connection.source_id) if connection.source_id else None,
        "preview": None,
        "username": str(request.GET.get("person", "")),
        "error": None,
    }
    if values["username"]:
        try:
            person = people.find(idp.session, values["username"])
            values["preview"] = preview.of_person(idp.session, idp.installation, partner, person)
        except NotThere:
            values["error"] = "Nobody has this user name."
    values["release"] = values["preview"] or preview.of_nobody(partner)
    return show(request, "console_connection.jinja2", values)


@view_config(route_name="idp.connection", request_method="POST", permission=Permission.MANAGE_CONNECTIONS)
def change(request: Request) -> Response:
    """Choose audiences or release policy, pause, resume."""
    session, act = request.idp.session, request.idp.act
    connection = connections.get(session, request.matchdict["id"])
    match request.POST.get("action"):
        case "audiences":
            chosen = [audiences.get(session, each) for each in request.POST.getall("audience")]
            connections.set_audiences(session, connection, chosen, act)
            done = "audiences"
        case "release":
            connections.set_policy(session, connection, _policy(str(request.POST.get("release", ""))), act)
            done = "release"
        case "options":
            chosen_options = _options(request, Options.from_json(connection.options))
            connections.set_options(session, connection, chosen_options, act, request.idp.installation.ready)
            done = "options"
        case "pause":
            connections.pause(session, connection, act)
            done = "paused"
        case "resume":
            connections.resume(session, connection, act)
            done = "resumed"
        case _:
            raise InvalidInput("action", "is not one that this page has")
    return back(request, done, "idp.connection", id=connection.id)


def _policy(preset: str) -> ReleasePolicy:
    try:
        return ReleasePolicy.from_preset(preset)
    except ConfigurationError as error:
        raise InvalidInput("release", error.message) from None


def _options(request: Request, kept: Options) -> Options:
    """The form; the names of attributes stay as they are."""
    encrypted = request.POST.getall("encrypt")
    settings = [
        f"sign={request.POST.get('sign', '')}",
        f"name-id={request.POST.get('name_id', '')}",
        f"logout={request.POST.get('logout', '')}",
    ]
    if not encrypted:
        raise InvalidInput("options", "choose what is encrypted, or the preset plain")
    try:
        return kept.changed(request.POST.getall("preset") or [DEFAULT], [*settings, f"encrypt={','.join(encrypted)}"])
    except ConfigurationError as error:
        raise InvalidInput("options", error.message) from None


def _algorithms(request: Request, partner: LiveConnection) -> str:
    """What messages to it are signed with, or why nothing can be."""
    try:
        key = partner.signing_key(request.idp.installation.keys)
    except PolicyRefusal as refusal:
        return refusal.reason
    return in_words(frozenset({key.algorithm, *((key.digest,) if key.digest else ())}))


def release_choices() -> list[tuple[str, str]]:
    """Pairs of value and text: each preset plain, and unconditional."""
    return [
        (f"{preset.name}{suffix}", f"{preset.name}{text}")
        for preset in PRESETS.values()
        for suffix, text in (("", ""), (UNCONDITIONAL_SUFFIX, ", whatever its metadata requests"))
        if preset.keys or not suffix
    ]
