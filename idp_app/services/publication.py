"""Our own metadata, signed (SAML Metadata 2; SDP-IDP33)."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from federation.saml.metadata import outgoing, rolling
from federation.saml.metadata.entity import Endpoint, Entity
from federation.saml.metadata.publishing import idp_entity
from federation.saml.metadata.rolling import Document
from federation.saml.names import ENTITY_CATEGORY_SUPPORT, Binding
from federation.saml.signature import SigningKey
from idp_app.keys import Keys
from idp_app.services import artifacts
from idp_app.services.name_ids import SUPPORTED
from idp_app.settings import IdPSettings

LOGOUT_BINDINGS: Final = (Binding.REDIRECT, Binding.POST, Binding.SOAP)
"""Redirect first: it is what partners are to use (SDP-IDP25)."""


def entity(settings: IdPSettings, keys: Keys) -> Entity:
    """Ourselves, as partners see us."""
    supported = settings.entity_categories_supported
    return idp_entity(
        entity_id=settings.own_entity_id,
        presentation=settings.presentation(settings.about_url),
        entity_attributes={
            **settings.entity_attributes,
            **({ENTITY_CATEGORY_SUPPORT: supported} if supported else {}),
        },
        sso_url=settings.sso_url,
        sso_bindings=(Binding.REDIRECT, Binding.POST, Binding.ARTIFACT),
        signing_certificates=keys.signing_certificates,
        encryption_certificates=keys.encryption_certificates,
        scopes=(settings.scope,),
        error_url=settings.error_url,
        single_logout=tuple(Endpoint(binding, settings.slo_url) for binding in LOGOUT_BINDINGS),
        artifact_resolution=(Endpoint(Binding.SOAP, settings.artifact_url, index=artifacts.INDEX, is_default=True),),
        name_id_formats=SUPPORTED,
        algorithms=settings.algorithms(),
    )


def signing_key(settings: IdPSettings, keys: Keys) -> SigningKey:
    """Our key as it signs metadata, which is for nobody in particular."""
    return outgoing.signing_key(keys.metadata_signing, None, settings.algorithms())


def document(settings: IdPSettings, keys: Keys, now: datetime) -> Document:
    """The signed document of the current period."""
    return _signed(entity(settings, keys), settings, keys, now)


def _signed(ourselves: Entity, settings: IdPSettings, keys: Keys, now: datetime) -> Document:
    return rolling.own(
        ourselves,
        signing_key=signing_key(settings, keys),
        now=now,
        validity=settings.metadata_validity,
    )


class Publisher:
    """Keeps the current document, so that a fetch costs no signature."""

    def __init__(self) -> None:
        self._shelf: rolling.Shelf[Document] = rolling.Shelf()

    def current(self, settings: IdPSettings, keys: Keys, now: datetime) -> Document:
        """The document of the current period."""
        ourselves = entity(settings, keys)
        made_of = (ourselves, keys.metadata_certificate)
        return self._shelf.current("own", made_of, now, lambda: _signed(ourselves, settings, keys, now))
