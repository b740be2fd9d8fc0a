"""Ourselves as a service provider: everything that is read once, when the application starts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from pyramid.config import PHASE3_CONFIG, Configurator
from pyramid.interfaces import IRoutesMapper
from sqlalchemy import Engine

from federation.attributes.catalogue import CATALOGUE
from federation.http import BackChannel, Policy
from federation.keys.evidence import Watch
from federation.keys.ring import Keys, Ring
from federation.registry.querying import Querier
from federation.saml.messages import NameIDPolicy
from federation.saml.metadata import outgoing, publishing, rolling
from federation.saml.metadata.entity import Endpoint, Entity, RequestedAttribute
from federation.saml.metadata.rolling import Document, Shelf
from federation.saml.names import IDPDISC, LOGOUT_BINDING, REQINIT, Binding
from federation.storage import engine as engines
from federation.storage.session import SessionFactory, factory
from federation.web import Site
from federation.web.scope import scope_of
from sp_app import settings
from sp_app.services import artifacts, metadata
from sp_app.services.chooser import Choices
from sp_app.services.ourselves import Limits, Self
from sp_app.services.partners import Partners
from sp_app.services.served import Served
from sp_app.settings import SPSettings

_KEY: Final = "sp_app.provider"
SLO_BINDINGS: Final = (Binding.REDIRECT, Binding.POST, Binding.SOAP)
"""How single logout messages reach us. Redirect comes first: partners take the first that they speak."""


@dataclass(frozen=True)
class Provider:
    """The service provider of one application. Addresses are absolute and come from the settings."""

    settings: SPSettings
    ring: Ring
    engine: Engine
    sessions: SessionFactory
    partners: Partners
    back_channel: BackChannel
    choices: Choices
    served: Served
    metadata_url: str
    login_url: str
    discovery_url: str
    discovered_url: str
    acs_url: str
    artifact_url: str
    logout_url: str
    slo_url: str
    scim_url: str
    token_url: str
    about_url: str
    shelf: Shelf[Document] = field(default_factory=Shelf)

    @property
    def keys(self) -> Keys:
        """Our keys as they are now: a promotion by another process counts from the next look on."""
        return self.ring.current()

    @property
    def entity_id(self) -> str:
        """Our entityID (SAML Metadata 2.3.2; SDP-G04)."""
        return self.settings.entity_id or self.metadata_url

    @property
    def ourselves(self) -> Self:
        """What the login needs to know about us."""
        policy = NameIDPolicy(allow_create=True) if self.settings.name_id_policy == "allow-create" else None
        keys = self.keys
        watch = Watch(self.ring, keys)
        return Self(
            self.entity_id,
            self.acs_url,
            self.slo_url,
            keys.signing,
            watch.decryption,
            watch,
            policy,
            self.settings.required_attributes,
        )

    @property
    def endpoints(self) -> frozenset[str]:
        """The paths of our endpoints, which are no pages to land on."""
        urls = (
            self.login_url,
            self.discovery_url,
            self.discovered_url,
            self.acs_url,
            self.artifact_url,
            self.logout_url,
            self.slo_url,
            self.token_url,
        )
        return frozenset(urlsplit(url).path for url in urls)

    @property
    def limits(self) -> Limits:
        """How long things last."""
        own = self.settings
        return Limits(own.sign_in_window, own.session_lifetime, own.clock_skew)

    @property
    def entity(self) -> Entity:
        """Ourselves, as partners see us (SDP-SP39)."""
        own, keys = self.settings, self.keys
        return publishing.sp_entity(
            entity_id=self.entity_id,
            presentation=own.presentation(self.about_url),
            acs_url=self.acs_url,
            acs_bindings=(Binding.POST, Binding.ARTIFACT),
            artifact_resolution=(Endpoint(Binding.SOAP, self.artifact_url, index=artifacts.INDEX, is_default=True),),
            signing_certificates=keys.signing_certificates,
            encryption_certificates=keys.encryption_certificates,
            requested=_requested(own),
            algorithms=own.algorithms(),
            single_logout=tuple(Endpoint(binding, self.slo_url) for binding in SLO_BINDINGS),
            # An identity provider of ours need not send the browser here to end a session.
            entity_attributes={LOGOUT_BINDING: (Binding.SOAP,), **own.entity_attributes},
            extension_endpoints=(
                ("RequestInitiator", Endpoint(REQINIT, self.login_url)),
                ("DiscoveryResponse", Endpoint(IDPDISC, self.discovered_url, index=1)),
            ),
        )

    def document(self, now: datetime) -> Document:
        """Our signed metadata of the current period."""
        return self.shelf.current("own", (self.entity, self.keys.fingerprint), now, lambda: self._made(now))

    def metadata(self, now: datetime) -> bytes:
        """The octets of our signed metadata."""
        return self.document(now).body

    def _made(self, now: datetime) -> Document:
        return rolling.own(
            self.entity,
            signing_key=outgoing.signing_key(self.keys.metadata_signing, None, self.settings.algorithms()),
            now=now,
            validity=self.settings.metadata_validity,
        )


def includeme(config: Configurator) -> None:
    """Read the settings and load the keys; work out the addresses when every route is known.

    Raises `ConfigurationError` here and now: Pyramid would wrap one that an action raises.
    """
    own = settings.read(config.registry.settings)
    ring = Ring(own.key_files)
    ring.current()
    served = Served(own.discovery_for)
    engine = engines.create(own.database_url)
    config.set_federation_site(Site(key=site_key(own), name=own.site_name, public_url=own.public_url))

    def install() -> None:
        config.registry[_KEY] = _provider(config.registry, own, ring, engine, served)

    config.action("sp_app.provider", install, order=PHASE3_CONFIG + 1)  # routes are connected in phase 3


def _provider(registry: Any, own: SPSettings, ring: Ring, engine: Engine, served: Served) -> Provider:
    mapper = registry.getUtility(IRoutesMapper)

    def url(route_name: str) -> str:
        return str(own.public_url + mapper.get_route(route_name).generate({}))

    metadata_url = url("sp.metadata")
    sessions = factory(engine)
    limits = metadata.limits_of(own, own.entity_id or metadata_url)
    querier = Querier(metadata.HOST, sessions, limits, clock=lambda: scope_of(registry).clock())
    return Provider(
        settings=own,
        ring=ring,
        engine=engine,
        sessions=sessions,
        partners=Partners(own.banned_algorithms, querier),
        back_channel=BackChannel(Policy(allow_loopback=own.allow_http_loopback, networks=own.private_networks)),
        choices=Choices(),
        served=served,
        metadata_url=metadata_url,
        about_url=url("sp.about"),
        login_url=url("sp.login"),
        discovery_url=url("sp.discovery"),
        discovered_url=url("sp.discovered"),
        acs_url=url("sp.acs"),
        artifact_url=url("sp.artifact"),
        logout_url=url("sp.logout"),
        slo_url=url("sp.slo"),
        scim_url=metadata_url.removesuffix("/saml/metadata") + "/scim/v2",
        token_url=url("sp.token"),
    )


def provider_of(registry: Any) -> Provider:
    """The application's service provider."""
    provider: Provider = registry[_KEY]
    return provider


def site_key(own: SPSettings) -> str:
    """The short name that tells this site's cookies from those of other sites on the same host name."""
    return re.sub(r"[^a-z0-9]+", "-", own.site_name.lower()).strip("-") or "sp"


def _requested(own: SPSettings) -> tuple[RequestedAttribute, ...]:
    wanted = dict.fromkeys(own.requested_attributes, False) | dict.fromkeys(own.required_attributes, True)
    # The pairwise-id is asked for by an entity attribute, subject-id:req, and by nothing else (SDP-SP15).
    wanted.pop("pairwise_id", None)
    return tuple(
        RequestedAttribute(entry.name, entry.name_format, entry.friendly_name, is_required=wanted[key])
        for key, entry in CATALOGUE.items()
        if key in wanted
    )
