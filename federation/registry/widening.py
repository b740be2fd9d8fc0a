"""What may happen by itself when a partner's metadata changes. Pure.

What reduces trust always applies at once. What widens it follows the rule of its source.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from federation.saml.metadata.difference import Change, Effect, difference
from federation.saml.metadata.entity import Endpoint, Entity, IdPRole, SPRole


class Rule(StrEnum):
    """What widens trust: at once; at once for keys, algorithms and endpoints on the hosts it has; or by review only."""

    AT_ONCE = "at-once"
    SAME_HOST = "same-host"
    REVIEW = "review"


_VALIDITY: Final = ("validity.renewed", "validity.shortened")


def needs_review(old: Entity, new: Entity, rule: Rule) -> tuple[Change, ...]:
    """The changes that wait for a person; none means that the new metadata becomes live at once."""
    widening = [change for change in difference(old, new) if change.effect is Effect.WIDENS]
    if rule is Rule.AT_ONCE:
        return ()
    if rule is Rule.SAME_HOST:
        at_home = hosts_of(new) <= hosts_of(old)
        widening = [change for change in widening if not _harmless(change, at_home)]
    return tuple(widening)


def reduces(changes: Iterable[Change]) -> bool:
    """Whether something is taken back."""
    return any(change.effect is Effect.REDUCES for change in changes)


def same_meaning(old: Entity, new: Entity) -> bool:
    """Whether nothing differs but until when it holds."""
    return all(change.kind in _VALIDITY for change in difference(old, new))


def hosts_of(entity: Entity) -> frozenset[tuple[str, str]]:
    """Role and host (with its port) of every endpoint."""
    return frozenset(
        (name, urlsplit(url).netloc.lower())
        for name, role in (("idp", entity.idp), ("sp", entity.sp))
        if role is not None
        for endpoint in _endpoints(role)
        for url in (endpoint.location, endpoint.response_location)
        if url is not None
    )


def _harmless(change: Change, at_home: bool) -> bool:
    if change.kind in ("key.added", "algorithm.added"):
        return True
    return at_home and change.kind.startswith(("endpoint.", "extension."))


def _endpoints(role: IdPRole | SPRole) -> Iterator[Endpoint]:
    yield from role.single_logout
    yield from role.artifact_resolution
    yield from (endpoint for _, endpoint in role.extension_endpoints)
    yield from role.single_sign_on if isinstance(role, IdPRole) else role.assertion_consumer
