"""What one running process of this site holds: settings, keys, database, clock. Web, worker and commands share it.

This is the one place that puts the parts together; services are handed what they need.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Final

import httpx
from sqlalchemy import Engine, event

from federation.http import BackChannel, Policy
from federation.registry.querying import Querier
from federation.storage import engine as engines
from federation.storage import migrations
from federation.storage.secrets import SecretBox
from federation.storage.session import SessionFactory, factory
from idp_app import keys as key_files
from idp_app.keys import Keys, KeyStore
from idp_app.services import bell, metadata, outbox, second_factor
from idp_app.services.live import Partners
from idp_app.services.methods import Methods
from idp_app.services.passwords import Passwords
from idp_app.services.readiness import Readiness
from idp_app.settings import IdPSettings

SCRIPTS: Final = "idp_app:migrations"
VERSION_TABLE: Final = "idp_alembic_version"

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The present instant."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Installation:
    """The parts. Nothing in it belongs to one request; everything may be shared between threads."""

    settings: IdPSettings
    key_store: KeyStore
    engine: Engine
    sessions: SessionFactory
    clock: Clock = utc_now
    partners: Partners = field(default_factory=Partners)
    transport: httpx.BaseTransport | None = None
    """Replaces the network for what we ask partners (tests)."""

    @classmethod
    def open(cls, settings: IdPSettings, *, clock: Clock = utc_now) -> Installation:
        """Read the keys and check the database. Raises `ConfigurationError`: without them nothing starts."""
        keys = KeyStore(settings.key_files)
        engine = engines.create(settings.database_url)
        migrations.require_current(engine, script_location=SCRIPTS, version_table=VERSION_TABLE)
        sessions = factory(engine)
        querier = Querier(metadata.HOST, sessions, metadata.limits_of(settings), clock=clock)
        partners = Partners(settings.banned_algorithms, querier)
        ring = bell.Ringer(settings)
        outbox.on_commit(sessions, ring)
        event.listen(engine, "engine_disposed", lambda _engine: ring.close())
        return cls(settings, keys, engine, sessions, clock, partners)

    def check(self) -> None:
        """Raise `ConfigurationError` unless keys and database can be used now."""
        key_files.load(self.settings.keys_directory, self.settings.key_secrets)
        migrations.require_current(self.engine, script_location=SCRIPTS, version_table=VERSION_TABLE)

    @property
    def keys(self) -> Keys:
        """Our keys as they are now: a promotion by another process counts from the next look on."""
        return self.key_store.current()

    @cached_property
    def passwords(self) -> Passwords:
        """The hasher; made at first use, because most commands need none."""
        return Passwords(self.settings)

    @cached_property
    def back_channel(self) -> BackChannel:
        """SOAP to partners, by the site's policy on addresses."""
        own = self.settings
        policy = Policy(allow_loopback=own.allow_http_loopback, networks=own.private_networks)
        return BackChannel(policy, transport=self.transport)

    @property
    def ready(self) -> Readiness:
        """What finds out whether a partner can be sent anything."""
        return Readiness(self.keys, frozenset(self.settings.banned_algorithms))

    @cached_property
    def secret_box(self) -> SecretBox:
        """The box for secrets that must be read again."""
        return self.keys.secret_box()

    @cached_property
    def methods(self) -> Methods:
        """The ways of signing in, and what they amount to."""
        return Methods.of(self.settings.levels, self.settings.password_level)

    @cached_property
    def second_factor_secrets(self) -> second_factor.Secrets:
        """What second factors are sealed, hashed and counted with."""
        return second_factor.Secrets(self.secret_box, self.keys.derive("recovery-codes"), self.throttle_secret)

    @cached_property
    def identifier_secret(self) -> bytes:
        """What pairwise identifiers and persistent NameIDs are derived from."""
        return self.keys.derive("identifiers")

    @cached_property
    def throttle_secret(self) -> bytes:
        """What hides the names in the throttle table."""
        return self.keys.derive("throttle")

    @cached_property
    def session_name_secret(self) -> bytes:
        """What a session's transient NameIDs and SessionIndexes are derived from."""
        return self.keys.derive("session-names")


def upgrade(settings: IdPSettings, *, now: datetime) -> tuple[str, ...]:
    """Make missing keys, bring the database to this release, and answer the key files made.

    Raises `ConfigurationError`.
    """
    secrets = settings.key_secrets
    made = key_files.create_missing(settings.keys_directory, common_name=settings.host, now=now, secrets=secrets)
    key_files.load(settings.keys_directory, secrets)
    engine = engines.create(settings.database_url)
    try:
        migrations.upgrade(engine, script_location=SCRIPTS, version_table=VERSION_TABLE)
    finally:
        engine.dispose()
    return made
