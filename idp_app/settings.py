"""The identity provider's settings: read once from the ini file into one frozen object, or the site does not start.

Every key is named `idp.` plus the field name; durations are written with their unit (`10 hours`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator

from federation.errors import ConfigurationError
from federation.keys.files import KeyFiles
from federation.saml import algorithms
from federation.saml.algorithms import Algorithms
from federation.saml.metadata.locations import is_entity_id
from federation.saml.profiles import error_url
from federation.saml.profiles.authn_context import DEFAULT, Table, named_levels
from federation.storage.secrets import read_key
from federation.web import settings as web_settings
from federation.web.presentation import PublishedSettings
from federation.web.settings import Duration, Networks, PublicURL, Words

PREFIX: Final = "idp."
_SCOPE: Final = r"^[A-Za-z0-9][A-Za-z0-9.-]{0,126}$"
_MINUTE: Final = timedelta(minutes=1)
_DAY: Final = timedelta(days=1)


def _within(least: timedelta, most: timedelta) -> AfterValidator:
    def check(value: timedelta) -> timedelta:
        if not least <= value <= most:
            raise ValueError(f"write a duration from {least} to {most}")
        return value

    return AfterValidator(check)


class IdPSettings(PublishedSettings):
    """What an administrator may vary. Nothing here switches a verification off."""

    public_url: PublicURL = Field(
        description="The address that people and partners use for this site. Every address that leaves the site is "
        "made from it, never from the Host header."
    )
    allow_http_loopback: bool = Field(
        default=False,
        description="Accept plain http for this site and its partners, on loopback addresses only (development).",
    )
    entity_id: str = Field(
        default="",
        description="This identity provider's entityID; empty means the address of its metadata. Never change it once "
        "a site is connected: it would be another identity provider.",
    )
    site_name: str = Field(
        default="Identity provider", min_length=1, max_length=100, description="What people see as this site's name."
    )
    scope: str = Field(
        pattern=_SCOPE,
        description="The domain behind the @ of the identifiers that partners receive. Never change it later.",
    )
    database_url: str = Field(description="Where the data is: sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME.")
    keys_directory: Path = Field(
        description="Directory of this site's private keys, for its own user only; `upgrade` makes what is missing."
    )
    entity_categories_supported: Words = Field(
        default=(),
        description="Entity categories (URIs) whose service providers are told here what the category asks for "
        "(`--release refeds-access`). Name one only where that holds.",
    )
    publish_connections: bool = Field(
        default=False,
        description="Publish this site and its active connections as signed metadata below /entities: a Metadata Query "
        "responder and an aggregate. Everybody then sees with whom this site is connected.",
    )
    keys_secret: SecretStr = Field(
        default=SecretStr(""),
        description="Encrypts the private files in that directory: 32 random octets in base64, as `env:NAME` or "
        "`file:PATH`. After a change of it name both, the new one first, and run `keys seal`. Empty: they lie there "
        "in plain.",
    )
    metadata_validity: Annotated[Duration, _within(_DAY, 28 * _DAY)] = Field(
        default=timedelta(days=21), description="For how long a copy of our metadata may be used (validUntil)."
    )
    partner_metadata_validity: Annotated[Duration, _within(_DAY, 3650 * _DAY)] = Field(
        default=timedelta(days=366), description="Partner metadata that claims to be valid for longer is refused."
    )
    clock_skew: Annotated[Duration, _within(timedelta(), 5 * _MINUTE)] = Field(
        default=timedelta(minutes=3), description="How far a partner's clock may differ from ours."
    )
    assertion_lifetime: Annotated[Duration, _within(_MINUTE, 15 * _MINUTE)] = Field(
        default=timedelta(minutes=5), description="How long an assertion may be presented after it was issued."
    )
    session_idle: Annotated[Duration, _within(5 * _MINUTE, _DAY)] = Field(
        default=timedelta(hours=1), description="A session ends when it was not used for this long."
    )
    session_lifetime: Annotated[Duration, _within(5 * _MINUTE, 7 * _DAY)] = Field(
        default=timedelta(hours=10), description="A session ends this long after sign-in, used or not."
    )
    sign_in_window: Annotated[Duration, _within(5 * _MINUTE, 2 * _DAY)] = Field(
        default=timedelta(hours=24),
        description="How long a site's request waits for its person to sign in: people leave the page open overnight.",
    )
    logout_timeout: Annotated[Duration, _within(timedelta(seconds=1), _MINUTE)] = Field(
        default=timedelta(seconds=10),
        description="How long a site may take to say that it has signed a person out; then the next one is told.",
    )
    logout_look: Annotated[Duration, _within(timedelta(), timedelta(seconds=10))] = Field(
        default=timedelta(seconds=2),
        description="How long a site may take to show a sign of life before a logout sends the browser there. "
        "0 seconds sends it there unseen: choose that where this server cannot reach the sites itself.",
    )
    password_memory_kib: int = Field(
        default=65536,
        ge=8,
        description="argon2id: memory in KiB. A stronger value reaches each person at the next sign-in.",
    )
    password_time_cost: int = Field(default=3, ge=1, description="argon2id: number of passes.")
    password_parallelism: int = Field(default=4, ge=1, description="argon2id: number of lanes.")
    password_level: Literal["password", "single-factor"] = Field(
        default="password",
        description="What a password proves here: `password`, or `single-factor` where your rules for passwords meet "
        "REFEDS SFA.",
    )
    authn_contexts: Words = Field(
        default=(),
        description="Further authentication context classes that partners and you agreed on, as LEVEL=URI separated by "
        "spaces. Levels: unspecified, password, single-factor, multi-factor, hardware.",
    )
    second_factor_enrolment: Literal["self", "administrator"] = Field(
        default="self",
        description="Who lets a person set a second factor up: `self`, whoever has the password; or `administrator`, "
        "only with a code that an administrator gave them.",
    )
    second_factor_for_administrators: bool = Field(
        default=False, description="The console opens only to administrators who used a second factor in their session."
    )
    audit_retention: Annotated[Duration, _within(_DAY, 3650 * _DAY)] = Field(
        default=timedelta(days=365), description="Audit entries older than this are purged by the worker."
    )
    banned_algorithms: Words = Field(
        default=(),
        description="Algorithms (URIs) that are never used with anybody, whatever a partner lists or a preset allows. "
        "SHA-1 and MD5 signatures, RSA 1.5 and CBC need not be named: without a legacy preset they are banned anyway.",
    )
    # -- provisioning and its worker
    provisioning_interval: Annotated[Duration, _within(timedelta(seconds=1), _MINUTE)] = Field(
        default=timedelta(seconds=5),
        description="How often the worker looks for changes that no bell announced, and for what is due again.",
    )
    provisioning_threads: int = Field(
        default=4, ge=1, le=64, description="To how many partners the worker sends at the same time."
    )
    private_networks: Networks = Field(
        default=(),
        description="Private networks (10.0.0.0/8, separated by spaces) in which partners' servers may be reached: for "
        "provisioning, for logout, and where artifacts are resolved. Public addresses need no entry.",
    )
    queue_url: str = Field(
        default="",
        description="Where the bell hangs that wakes the worker: sqlite:///PATH, postgresql://… or redis://…. Empty "
        "means beside the database. Nothing is lost with it.",
    )

    @field_validator("keys_secret")
    @classmethod
    def _secrets_of_their_length(cls, value: SecretStr) -> SecretStr:
        try:
            for each in value.get_secret_value().split():
                read_key(each)
        except ConfigurationError as error:
            raise ValueError(error.message) from None
        return value

    @field_validator("authn_contexts")
    @classmethod
    def _known_levels(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        try:
            DEFAULT.extended(named_levels(value))
        except ConfigurationError as error:
            raise ValueError(error.message) from None
        return value

    @field_validator("entity_id")
    @classmethod
    def _absolute(cls, value: str) -> str:
        if value and not is_entity_id(value):
            raise ValueError("write an absolute URI of at most 256 characters, or nothing")
        return value

    @field_validator("banned_algorithms")
    @classmethod
    def _bans_that_leave_something(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        try:
            algorithms.bans(value)
        except ConfigurationError as error:
            raise ValueError(error.message) from None
        return value

    @model_validator(mode="after")
    def _plain_http_only_where_allowed(self) -> IdPSettings:
        if not self.secure and not self.allow_http_loopback:
            raise ValueError("idp.public_url must be https, unless idp.allow_http_loopback = true")
        return self

    @property
    def key_files(self) -> KeyFiles:
        """The directory of our keys, and what its files are sealed with. Raises `ConfigurationError`."""
        return KeyFiles.of(self.keys_directory, self.key_secrets)

    @property
    def key_secrets(self) -> tuple[str, ...]:
        """What private files are sealed with, the present one first."""
        return tuple(self.keys_secret.get_secret_value().split())

    def algorithms(self, presets: tuple[str, ...] = ()) -> Algorithms:
        """What may be used with a partner under these presets, or with nobody in particular (IIP-ALG08)."""
        return algorithms.allowed(presets, frozenset(self.banned_algorithms))

    @property
    def own_entity_id(self) -> str:
        """Our entityID (SAML Metadata 2.3.2; SDP-G04)."""
        return self.entity_id or self.metadata_url

    @property
    def levels(self) -> Table:
        """Authentication context classes by strength, with those of the settings."""
        return DEFAULT.extended(named_levels(self.authn_contexts))

    @property
    def metadata_url(self) -> str:
        """Where our signed metadata is."""
        return f"{self.public_url}/saml/metadata"

    @property
    def about_url(self) -> str:
        """The page about this site, for administrators of others."""
        return f"{self.public_url}/saml/about"

    @property
    def entities_url(self) -> str:
        """Our connections as an aggregate, and the responder's entities below it."""
        return f"{self.public_url}/entities"

    @property
    def sso_url(self) -> str:
        """The SingleSignOnService, the same address for every binding."""
        return f"{self.public_url}/saml/sso"

    @property
    def slo_url(self) -> str:
        """The SingleLogoutService, the same address for every binding."""
        return f"{self.public_url}/saml/slo"

    @property
    def artifact_url(self) -> str:
        """The ArtifactResolutionService."""
        return f"{self.public_url}/saml/artifact"

    @property
    def error_url(self) -> str:
        """The page to which a service provider's problem page may lead, as a template (SDP-MD12; REFEDS errorURL)."""
        return f"{self.public_url}/saml/error?{error_url.TEMPLATE}"

    @property
    def host(self) -> str:
        """The host name of the public address."""
        return str(urlsplit(self.public_url).hostname)

    @property
    def secure(self) -> bool:
        """Whether browsers reach this site by https."""
        return self.public_url.startswith("https:")


def read(raw: Mapping[str, str]) -> IdPSettings:
    """The settings of one `[app:…]` section. Raises `ConfigurationError` that names every mistake at once."""
    return web_settings.read(PREFIX, raw, IdPSettings)
