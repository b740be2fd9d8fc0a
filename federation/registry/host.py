"""What the registry needs to know of an app, and of the occasion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any, Protocol, Self

from sqlalchemy.orm import Session

from federation.http import Policy
from federation.registry.columns import HolderColumns, SourceColumns, Tables, VersionColumns
from federation.saml.algorithms import Algorithms, allowed


@dataclass(frozen=True, slots=True)
class Occasion:
    """Who does something, when, and under which reference number it is found again."""

    now: datetime
    actor: str
    reference: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What a site's settings say about partners' metadata. `max_validity` is for one partner's own source."""

    own_entity_id: str
    skew: timedelta
    max_validity: timedelta
    allow_http_loopback: bool
    networks: tuple[str, ...] = ()
    banned: tuple[str, ...] = ()

    @property
    def algorithms(self) -> Algorithms:
        """What may have signed a document: no preset of a partner reaches that far (IIP-ALG08)."""
        return allowed(banned=frozenset(self.banned))

    @property
    def policy(self) -> Policy:
        """Which addresses may be connected to."""
        return Policy(allow_loopback=self.allow_http_loopback, networks=tuple(map(ip_network, self.networks)))

    def to_json(self) -> dict[str, Any]:
        """For another process."""
        return {
            "own_entity_id": self.own_entity_id,
            "skew": self.skew.total_seconds(),
            "max_validity": self.max_validity.total_seconds(),
            "allow_http_loopback": self.allow_http_loopback,
            "networks": list(self.networks),
            "banned": list(self.banned),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """What `to_json` wrote."""
        return cls(
            own_entity_id=data["own_entity_id"],
            skew=timedelta(seconds=data["skew"]),
            max_validity=timedelta(seconds=data["max_validity"]),
            allow_http_loopback=data["allow_http_loopback"],
            networks=tuple(data["networks"]),
            banned=tuple(data["banned"]),
        )


class Host(Protocol):
    """An app. `role` is what its partners are to it: idp or sp."""

    @property
    def tables(self) -> Tables:
        """Its tables."""

    @property
    def role(self) -> str:
        """Idp or sp."""

    def holder(self, session: Session, entity_id: str) -> HolderColumns | None:
        """The connection to an entity, unless it was ended."""

    def followers(self, session: Session, source_id: str) -> Sequence[HolderColumns]:
        """The connections whose live metadata came from a source, unless they were ended."""

    def changed(self, session: Session, holder: HolderColumns, live: VersionColumns, occasion: Occasion) -> None:
        """What is live for a connection has changed: caches have to know."""

    def record(self, session: Session, kind: str, occasion: Occasion, /, **detail: Any) -> None:
        """Write the audit trail; an `entity_id` among the details is the partner's."""

    def check_defaults(self, session: Session, source: SourceColumns) -> None:
        """Raise `ConfigurationError` if the defaults of a federation's source make no sense here."""
