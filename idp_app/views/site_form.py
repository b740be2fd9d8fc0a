"""A part that several forms of the console share: whom a site may serve, what it is told, how it is spoken to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyramid.request import Request

from federation.attributes.policy import ReleasePolicy
from federation.errors import ConfigurationError, InvalidInput
from federation.saml.algorithms import DEFAULT
from federation.saml.algorithms import PRESETS as PRESETS_OF_ALGORITHMS
from idp_app.options import AUTO, NO_OPTIONS, Options
from idp_app.services import audiences, metadata
from idp_app.services.offered import Defaults
from idp_app.views.connections import NAMING, SIGNING, release_choices

NOTHING: Mapping[str, Any] = {"audience": (), "release": "name-only", "preset": (), "sign": AUTO, "name_id": AUTO}


def choices(request: Request) -> Mapping[str, Any]:
    """What can be chosen."""
    return {
        "audiences": audiences.every(request.idp.session),
        "release": release_choices(),
        "signing": list(SIGNING.items()),
        "naming": list(NAMING.items()),
        "legacy": list(PRESETS_OF_ALGORITHMS.values()),
    }


def typed(request: Request) -> Mapping[str, Any]:
    """What was typed."""
    post = request.POST
    return {
        "audience": tuple(map(str, post.getall("audience"))),
        "preset": tuple(map(str, post.getall("preset"))),
        **{name: str(post.get(name, NOTHING[name])) for name in ("release", "sign", "name_id")},
    }


def shown(audience_ids: tuple[str, ...], release: Mapping[str, Any], options: Options) -> Mapping[str, Any]:
    """What was chosen before, as the form shows it."""
    return {
        "audience": audience_ids,
        "release": release.get("preset") or NOTHING["release"],
        "preset": options.presets,
        "sign": options.sign,
        "name_id": options.name_id,
    }


def kept(defaults: Mapping[str, Any]) -> Mapping[str, Any]:
    """A source's defaults, as the form shows them."""
    if not defaults:
        return NOTHING
    return shown(
        tuple(defaults["audiences"]), defaults["release"], Options.from_json(defaults.get("options", {}))
    )  # fmt: skip


def chosen(request: Request, form: Mapping[str, Any], options: Options = NO_OPTIONS) -> Defaults:
    """What the form means, with what it does not ask as `options` have it. Raises `InvalidInput` and `NotThere`."""
    found = [audiences.get(request.idp.session, each) for each in form["audience"]]
    if not found:
        raise InvalidInput("audiences", "choose at least one: they say whom a site may serve")
    try:
        policy = ReleasePolicy.from_preset(form["release"])
        spoken = options.changed(form["preset"] or [DEFAULT], [f"sign={form['sign']}", f"name-id={form['name_id']}"])
    except ConfigurationError as error:
        raise InvalidInput("the form", error.message) from None
    return Defaults(found, policy, spoken)


def meant(request: Request, form: Mapping[str, Any], kept_: Mapping[str, Any]) -> Mapping[str, Any]:
    """The defaults of a source. Raises `InvalidInput` and `NotThere`."""
    found = chosen(request, form, Options.from_json(kept_.get("options", {})))
    return metadata.defaults(found.audiences, found.policy, found.options)
