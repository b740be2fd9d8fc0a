"""Authentication contexts: what was asked for, what a session reached, and what may be said (SAML Core 3.3.2.2.1).

Strength is a matter of agreement, so it is a table: levels from weakest to strongest, each with the class URIs that
mean it. A class that the table does not name has no strength and matches only itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from federation.errors import ConfigurationError
from federation.saml.messages import RequestedAuthnContext
from federation.saml.names import AuthnContextClass

NIST: Final = "http://idmanagement.gov/ns/assurance/aal/"
MICROSOFT_MFA: Final = "http://schemas.microsoft.com/claims/multipleauthn"


@dataclass(frozen=True, slots=True)
class Level:
    """One strength of authentication. `classes` all mean it; the first is what is said when nothing was asked for."""

    name: str
    classes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Levels from weakest to strongest. Raises `ConfigurationError` when a class stands in two of them."""

    levels: tuple[Level, ...]

    def __post_init__(self) -> None:
        classes = [uri for level in self.levels for uri in level.classes]
        twice = {uri for uri in classes if classes.count(uri) > 1}
        if twice:
            raise ConfigurationError(f"authentication context classes stand in two levels: {', '.join(sorted(twice))}")

    def strength(self, class_ref: str) -> int | None:
        """The position of the level that a class means, or None for a class that is not in the table."""
        return next((position for position, level in enumerate(self.levels) if class_ref in level.classes), None)

    def position(self, name: str) -> int:
        """The position of a level by its name. Raises `ConfigurationError` for a name that is not in the table."""
        for position, level in enumerate(self.levels):
            if level.name == name:
                return position
        raise ConfigurationError(f"no authentication level is called {name}")

    def extended(self, classes: Sequence[tuple[str, str]]) -> Table:
        """The table with further classes, as pairs of level name and class URI, which an administrator agreed on."""
        levels = self.levels
        for name, uri in classes:
            where = self.position(name)
            levels = tuple(
                Level(level.name, (*level.classes, uri)) if position == where else level
                for position, level in enumerate(levels)
            )
        return Table(levels)


PASSWORD: Final = "password"  # noqa: S105 - the name of a level
SINGLE_FACTOR: Final = "single-factor"
MULTI_FACTOR: Final = "multi-factor"

DEFAULT: Final = Table(
    (
        Level("unspecified", (AuthnContextClass.UNSPECIFIED,)),
        Level(PASSWORD, (AuthnContextClass.PASSWORD_PROTECTED_TRANSPORT, AuthnContextClass.PASSWORD)),
        Level(SINGLE_FACTOR, (AuthnContextClass.REFEDS_SFA, f"{NIST}1")),
        Level(MULTI_FACTOR, (AuthnContextClass.REFEDS_MFA, MICROSOFT_MFA, f"{NIST}2")),
    )
)


def answer(requested: RequestedAuthnContext | None, *, reached: int, table: Table = DEFAULT) -> str | None:
    """The class that an IdP may state for a session that reached this level, or None: NoAuthnContext.

    A session that reached more than was asked for is still answered with the class that was asked for, because a
    requester that compares exactly knows no other (SAML Core 3.3.2.2.1).
    """
    own = table.levels[reached].classes[0]
    if requested is None:
        return own
    known = [(uri, strength) for uri in requested.class_refs if (strength := table.strength(uri)) is not None]
    if not known:
        return None
    if requested.comparison == "better":
        return own if reached > min(strength for _, strength in known) else None
    if requested.comparison == "maximum":
        allowed = min(reached, max(strength for _, strength in known))
        asked = next((uri for uri, strength in known if strength == allowed), None)
        return asked or table.levels[allowed].classes[0]
    return next((uri for uri, strength in known if strength <= reached), None)


def needed(requested: RequestedAuthnContext | None, *, table: Table = DEFAULT) -> int | None:
    """The weakest level with which the request can be answered, or None when no level of the table can.

    An IdP steps up to it when the session has not reached it yet.
    """
    return next(
        (reached for reached in range(len(table.levels)) if answer(requested, reached=reached, table=table)), None
    )


def satisfies(requested: RequestedAuthnContext | None, class_ref: str | None, *, table: Table = DEFAULT) -> bool:
    """Does the class that came back meet what an SP asked for (IIP-SP07)?"""
    if requested is None:
        return True
    if class_ref is None:
        return False
    if requested.comparison == "exact":
        return class_ref in requested.class_refs
    strength = table.strength(class_ref)
    asked = [level for uri in requested.class_refs if (level := table.strength(uri)) is not None]
    if strength is None or not asked:
        return class_ref in requested.class_refs and requested.comparison != "better"
    if requested.comparison == "better":
        return strength > min(asked)
    if requested.comparison == "maximum":
        return strength <= max(asked)
    return strength >= min(asked)
