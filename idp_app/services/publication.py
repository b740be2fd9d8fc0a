"""Our own metadata, signed (SAML Metadata 2; SDP-IDP33)."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from federation.saml.metadata import outgoing
from federation.saml.metadata.entity import Contact, Endpoint, Entity
from federation.saml.metadata.publishing import Presentation, idp_entity, publish
from federation.saml.names import Binding
from idp_app.keys import Keys
from idp_app.services import artifacts
from idp_app.services.name_ids import SUPPORTED
from idp_app.settings import IdPSettings

PERIOD: Final = timedelta(hours=1)
"""A document is made once for each period: every process makes the same octets, so caches and ETags agree."""


LOGOUT_BINDINGS: Final = (Binding.REDIRECT, Binding.POST, Binding.SOAP)
"""Redirect first: it is what partners are to use (SDP-IDP25)."""


class Document(NamedTuple):
    """A published document: its octets, a strong validator, and when the next one is made."""

    xml: bytes
    etag: str
    until: datetime


def entity(settings: IdPSettings, keys: Keys) -> Entity:
    """Ourselves, as partners see us."""
    contact = Contact("technical", company=settings.site_name, emails=(settings.support_email,))
    return idp_entity(
        entity_id=settings.own_entity_id,
        presentation=Presentation(
            display_name=settings.site_name, contacts=(contact,) if settings.support_email else ()
        ),
        sso_url=settings.sso_url,
        sso_bindings=(Binding.REDIRECT, Binding.POST, Binding.ARTIFACT),
        signing_certificates=(keys.certificate,),
        encryption_certificates=keys.encryption_certificates,
        scopes=(settings.scope,),
        error_url=settings.error_url,
        single_logout=tuple(Endpoint(binding, settings.slo_url) for binding in LOGOUT_BINDINGS),
        artifact_resolution=(Endpoint(Binding.SOAP, settings.artifact_url, index=artifacts.INDEX, is_default=True),),
        name_id_formats=SUPPORTED,
        algorithms=settings.algorithms(),
    )


def document(settings: IdPSettings, keys: Keys, now: datetime) -> Document:
    """The signed document of the current period."""
    begun = now - (now - datetime(2000, 1, 1, tzinfo=now.tzinfo)) % PERIOD
    name = hmac.digest(keys.derive("metadata-id"), begun.isoformat().encode(), hashlib.sha256).hex()[:32]
    xml = publish(
        entity(settings, keys),
        signing_key=outgoing.signing_key(keys.signing, None, settings.algorithms()),
        document_id=f"_{name}",
        now=begun,
        validity=settings.metadata_validity,
        cache_duration=min(timedelta(hours=6), settings.metadata_validity / 4),
    )
    return Document(xml, hashlib.sha256(xml).hexdigest()[:32], begun + PERIOD)


class Publisher:
    """Keeps the current document, so that a fetch costs no signature."""

    def __init__(self) -> None:
        self._document: Document | None = None

    def current(self, settings: IdPSettings, keys: Keys, now: datetime) -> Document:
        """The document of the current period."""
        if self._document is None or not self._document.until - PERIOD <= now < self._document.until:
            self._document = document(settings, keys, now)
        return self._document
