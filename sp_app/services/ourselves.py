"""Ourselves as a service provider, as every use case sees us: what our messages say, and how long things last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from federation.keys.evidence import Watch
from federation.saml.encryption import DecryptionKey
from federation.saml.messages import NameIDPolicy
from federation.saml.signature import SigningKey


@dataclass(frozen=True, slots=True)
class Self:
    """Ourselves, as a service provider: what requests say and what responses must say."""

    entity_id: str
    acs_url: str
    slo_url: str
    signing_key: SigningKey
    decryption_keys: tuple[DecryptionKey, ...]
    watch: Watch
    name_id_policy: NameIDPolicy | None = None
    required_attributes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """How long things last, and how far clocks may differ."""

    window: timedelta
    session: timedelta
    skew: timedelta
