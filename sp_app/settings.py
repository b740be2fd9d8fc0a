"""The service provider's settings: read once from the ini file into one frozen object, or the site does not start.

Every key is named `sp.` plus the field name, in the ini of a site of ours or of the application that embeds us. Units
are part of the names. Secrets are given as `env:NAME` or `file:PATH`, never in the ini itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from federation.attributes.catalogue import CATALOGUE
from federation.web import settings as web_settings
from sp_app.targets import is_safe

PREFIX = "sp."
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

Words = Annotated[
    tuple[str, ...], BeforeValidator(lambda value: tuple(value.split()) if isinstance(value, str) else value)
]
"""A list as the ini file writes it: separated by spaces or lines."""


class SPSettings(BaseModel):
    """What an administrator may vary. Nothing here switches a verification off."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    public_url: str = Field(
        description="The address people and partners use for this application, without a trailing slash. Every address "
        "that leaves the site is made from it, never from the Host header. https, except on loopback.",
    )
    allow_http_loopback: bool = Field(
        default=False,
        description="Accept plain http for this site and its partners on loopback addresses (development).",
    )
    entity_id: str = Field(
        default="",
        description="This service provider's entityID. Empty means the address of its metadata. "
        "Never change it once an identity provider knows it: it would be another service provider.",
    )
    site_name: str = Field(
        default="Service provider",
        min_length=1,
        max_length=100,
        description="What people see as the name of this site, here and at the identity provider.",
    )
    support_email: str = Field(
        default="",
        description="Where people write for help: shown on pages that refuse, published as technical contact.",
    )
    database_url: str = Field(description="SQLAlchemy address of the database: sqlite:///… or postgresql+psycopg://…")
    keys_directory: Path = Field(
        description="Directory of this site's private keys, readable by its own user only; `upgrade` makes what is "
        "missing."
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
        default="/", description="The page of this site where people land when they asked for none."
    )
    logout_target: str = Field(default="/", description="The page of this site where people land after signing out.")
    metadata_validity_days: int = Field(
        default=28, ge=1, le=365, description="For how many days a copy of our metadata may be used (validUntil)."
    )
    partner_metadata_max_days: int = Field(
        default=366, ge=1, description="Partner metadata that claims to be valid for longer than this is refused."
    )
    clock_skew_seconds: int = Field(
        default=180, ge=0, le=300, description="How far a partner's clock may differ from ours."
    )
    sign_in_window_minutes: int = Field(
        default=1440,
        ge=5,
        le=2880,
        description="How long a sign-in that began here may take; people leave the page open overnight.",
    )
    session_lifetime_hours: int = Field(
        default=10,
        ge=1,
        le=168,
        description="A session ends this long after sign-in, or earlier where the identity provider says so.",
    )
    audit_days: int = Field(default=365, ge=1, description="Audit entries older than this are purged.")

    @field_validator("public_url")
    @classmethod
    def _bare_origin_or_prefix(cls, value: str) -> str:
        parts = urlsplit(value)
        if (
            parts.scheme not in ("http", "https")
            or not parts.hostname
            or parts.query
            or parts.fragment
            or "@" in parts.netloc
        ):
            raise ValueError("must be an http or https address such as https://intranet.example.org")
        return value.rstrip("/")

    @field_validator("support_email")
    @classmethod
    def _mail_or_nothing(cls, value: str) -> str:
        local, at, domain = value.partition("@")
        if value and (not at or not local or not domain or any(c.isspace() for c in value)):
            raise ValueError("must be an e-mail address")
        return value

    @field_validator("required_attributes", "requested_attributes")
    @classmethod
    def _known_attributes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [key for key in value if key not in CATALOGUE]
        if unknown:
            raise ValueError(f"{', '.join(unknown)}: not in the catalogue, which has {', '.join(CATALOGUE)}")
        return value

    @field_validator("default_target", "logout_target")
    @classmethod
    def _path_of_this_site(cls, value: str) -> str:
        if not is_safe(value):
            raise ValueError("must be a path of this site such as /private")
        return value

    @model_validator(mode="after")
    def _plain_http_only_on_loopback(self) -> SPSettings:
        parts = urlsplit(self.public_url)
        if parts.scheme == "http" and not (self.allow_http_loopback and parts.hostname in _LOOPBACK):
            raise ValueError(
                "public_url must be https (plain http is possible on loopback only, with allow_http_loopback = true)"
            )
        if self.entity_id and (len(self.entity_id) > 256 or not urlsplit(self.entity_id).scheme):
            raise ValueError("entity_id must be an absolute URI of at most 256 characters")
        return self

    @property
    def secure(self) -> bool:
        """Whether browsers reach this site over https."""
        return self.public_url.startswith("https:")

    @property
    def clock_skew(self) -> timedelta:
        """How far a partner's clock may differ."""
        return timedelta(seconds=self.clock_skew_seconds)

    @property
    def sign_in_window(self) -> timedelta:
        """How long a sign-in may take from start to finish."""
        return timedelta(minutes=self.sign_in_window_minutes)

    @property
    def metadata_validity(self) -> timedelta:
        """How long a copy of our metadata may be used."""
        return timedelta(days=self.metadata_validity_days)

    @property
    def partner_metadata_max(self) -> timedelta:
        """The longest validity that a partner's metadata may claim."""
        return timedelta(days=self.partner_metadata_max_days)

    @property
    def session_lifetime(self) -> timedelta:
        """How long a session lasts at most."""
        return timedelta(hours=self.session_lifetime_hours)


def read(raw: Mapping[str, str]) -> SPSettings:
    """The settings of one `[app:…]` section. Raises `ConfigurationError` that names every mistake at once."""
    return web_settings.read(PREFIX, raw, SPSettings)
