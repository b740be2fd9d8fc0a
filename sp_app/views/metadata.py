"""Our own metadata, and the page about it."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from federation.attributes.catalogue import entry_named
from federation.web.about import Address, about
from federation.web.documents import metadata_response
from sp_app.provider import Provider
from sp_app.services import fetches

MAX_AGE: Final = 3600
"""For how many seconds a cache may keep our metadata: not longer than cacheDuration, six hours or more."""


@view_config(route_name="sp.metadata", request_method="GET")
def metadata(_context: object, request: Request) -> Response:
    """Our signed metadata (SAML Metadata 4.1; RFC 9110 13.1.2)."""
    provider = request.sp.provider
    whose = request.GET.get(fetches.PARAMETER)
    if whose is not None:
        fetches.note(request.sp.session, provider, whose, request.federation.now)
    name = f"{urlsplit(provider.metadata_url).hostname}.xml"
    return metadata_response(request, provider.document(request.federation.now), max_age=MAX_AGE, file_name=name)


@view_config(route_name="sp.about", request_method="GET")
def about_us(_context: object, request: Request) -> Response:
    """What an administrator of an identity provider needs to know of us."""
    provider = request.sp.provider
    return about(
        request,
        entity=provider.entity,
        metadata_url=provider.metadata_url,
        metadata_signer=provider.keys.metadata_certificate,
        asked_for=_asked_for(provider),
        further=(Address("Provisioning (SCIM 2.0)", provider.scim_url),),
    )


def _asked_for(provider: Provider) -> list[str]:
    """What our metadata asks for, as people call it."""
    sp = provider.entity.sp
    assert sp is not None
    requested = [attribute for service in sp.attribute_consuming for attribute in service.requested]
    labels = ["An identifier that no other site knows (pairwise-id)"]
    for attribute in requested:
        entry = entry_named(attribute.name, attribute.name_format)
        label = entry.label if entry is not None else attribute.name
        labels.append(f"{label} (required)" if attribute.is_required else label)
    return labels
