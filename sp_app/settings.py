"""The service provider's settings: read once from the ini file into one frozen object, or the site does not start.

Every key is named `sp.` plus the field name, in the ini of a site of ours or of the application that embeds us;
durations are written with their unit (`10 hours`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationInfo, field_validator, model_validator

from federation.attributes.catalogue import CATALOGUE
from federation.errors import ConfigurationError
from federation.keys.files import KeyFiles
from federation.saml import algorithms
from federation.saml.algorithms import Algorithms
from federation.saml.metadata.locations import is_entity_id, is_secure, problem_of_location
from federation.storage.secrets import read_key
from federation.web import settings as web_settings
from federation.web.presentation import PublishedSettings
from federation.web.settings import Duration, Networks, PublicURL, Words
from sp_app.targets import is_safe

PREFIX: Final = "sp."
_MINUTE: Final = timedelta(minutes=1)
_DAY: Final = timedelta(days=1)


def _within(least: timedelta, most: timedelta) -> AfterValidator:
    def check(value: timedelta) -> timedelta:
        if not least <= value <= most:
            raise ValueError(f"write a duration from {least} to {most}")
        return value

    return AfterValidator(check)


Files = Annotated[
    tuple[Path, ...], BeforeValidator(lambda value: tuple(value.split()) if isinstance(value, str) else value)
]
"""Paths as the ini file writes them: separated by spaces or lines."""


class SPSettings(PublishedSettings):
    """What an administrator may vary. Nothing here switches a verification off."""

    public_url: PublicURL = Field(
        description="The address that people and partners use for this application. Every address that leaves the site "
        "is made from it, never from the Host header."
    )
    allow_http_loopback: bool = Field(
        default=False,
        description="Accept plain http for this site and its partners, on loopback addresses only (development).",
    )
    entity_id: str = Field(
        default="",
        description="This service provider's entityID; empty means the address of its metadata. Never change it once "
        "an identity provider knows it: it would be another service provider.",
    )
    site_name: str = Field(
        default="Service provider",
        min_length=1,
        max_length=100,
        description="What people see as this site's name, here and at the identity provider.",
    )
    database_url: str = Field(description="Where the data is: sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME.")
    keys_directory: Path = Field(
        description="Directory of this site's private keys, for its own user only; `upgrade` makes what is missing."
    )
    keys_secret: SecretStr = Field(
        default=SecretStr(""),
        description="Encrypts the private files in that directory: 32 random octets in base64, as `env:NAME` or "
        "`file:PATH`. After a change of it name both, the new one first, and run `keys seal`. Empty: they lie there "
        "in plain.",
    )
    required_attributes: Words = Field(
        default=(),
        description="Attributes this site cannot do without (catalogue keys), besides the pairwise identifier, which "
        "links a person to the account and is always asked for.",
    )
    requested_attributes: Words = Field(
        default=("display_name",),
        description="Attributes this site asks for besides (catalogue keys); the identity provider decides.",
    )
    default_target: str = Field(
        default="/", description="The page of this site where people land who asked for none when they signed in."
    )
    logout_target: str = Field(
        default="",
        description="The page of this site where people land after signing out, told by the parameter `signed_out` how "
        "far that went (docs/how-to/embed.md). Empty: our own page, which says it in words.",
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
    sign_in_window: Annotated[Duration, _within(5 * _MINUTE, 2 * _DAY)] = Field(
        default=timedelta(hours=24),
        description="How long a sign-in that began here may take: people leave the page open overnight.",
    )
    name_id_policy: Literal["none", "allow-create"] = Field(
        default="none",
        description="What requests say about the NameID: nothing, or AllowCreate without a format, for identity "
        "providers that make identifiers only when told that they may.",
    )
    discovery_service: str = Field(
        default="",
        description="Where people choose their identity provider when there are several: the address of a discovery "
        "service (IdP Discovery Protocol). Empty means this site's own page.",
    )
    discovery_for: Files = Field(
        default=(),
        description="Metadata files of further service providers whose people may choose on this site's own page. "
        "A file is read again when it has changed.",
    )
    authn_contexts_for: Words = Field(
        default=(),
        description="Pages that ask for more than being signed in, as PATH=URI separated by spaces: under this path "
        "the person must have signed in by this authentication context class. A path given twice takes either class.",
    )
    session_lifetime: Annotated[Duration, _within(5 * _MINUTE, 7 * _DAY)] = Field(
        default=timedelta(hours=10),
        description="A session ends this long after sign-in, or earlier where the identity provider says so.",
    )
    private_networks: Networks = Field(
        default=(),
        description="Private networks (10.0.0.0/8, separated by spaces) in which an identity provider's server may be "
        "reached, where artifacts are resolved. Public addresses need no entry.",
    )
    banned_algorithms: Words = Field(
        default=(),
        description="Algorithms (URIs) that are never used with anybody, whatever a partner lists or a preset allows. "
        "SHA-1 and MD5 signatures, RSA 1.5 and CBC need not be named: without a legacy preset they are banned anyway.",
    )
    audit_retention: Annotated[Duration, _within(_DAY, 3650 * _DAY)] = Field(
        default=timedelta(days=365), description="Audit entries older than this are purged by the worker."
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

    @field_validator("discovery_service")
    @classmethod
    def _address_or_nothing(cls, value: str) -> str:
        problem = problem_of_location(value) if value else None
        if problem is not None:
            raise ValueError(f"it {problem}: write the address of a discovery service, or nothing")
        return value

    @field_validator("required_attributes", "requested_attributes")
    @classmethod
    def _known_attributes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [key for key in value if key not in CATALOGUE]
        if unknown:
            raise ValueError(f"{', '.join(unknown)}: not in the catalogue, which has {', '.join(CATALOGUE)}")
        return value

    @field_validator("authn_contexts_for")
    @classmethod
    def _paths_and_classes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for word in value:
            path, _, class_ref = word.partition("=")
            if not is_safe(path) or not urlsplit(class_ref).scheme:
                raise ValueError("write PATH=URI, such as /payroll=https://refeds.org/profile/mfa")
        return value

    @property
    def demands(self) -> Mapping[str, tuple[str, ...]]:
        """The classes that each path asks for."""
        found: dict[str, tuple[str, ...]] = {}
        for word in self.authn_contexts_for:
            path, _, class_ref = word.partition("=")
            found[path] = (*found.get(path, ()), class_ref)
        return found

    @field_validator("default_target", "logout_target")
    @classmethod
    def _path_of_this_site(cls, value: str, info: ValidationInfo) -> str:
        if not is_safe(value) and (value or info.field_name == "default_target"):
            raise ValueError("write a path of this site such as /private")
        return value

    @model_validator(mode="after")
    def _plain_http_only_where_allowed(self) -> SPSettings:
        if self.public_url.startswith("http:") and not self.allow_http_loopback:
            raise ValueError("sp.public_url must be https, unless sp.allow_http_loopback = true")
        service = self.discovery_service
        if service and not is_secure(service, allow_http_loopback=self.allow_http_loopback):
            raise ValueError("sp.discovery_service must be https")
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


def read(raw: Mapping[str, str]) -> SPSettings:
    """The settings of one `[app:…]` section. Raises `ConfigurationError` that names every mistake at once."""
    return web_settings.read(PREFIX, raw, SPSettings)
