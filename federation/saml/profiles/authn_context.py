"""Authentication contexts: what was asked for, what a session reached, and what may be said (SAML Core 3.3.2.2.1).

Strength is a matter of agreement, so it is a table: levels from weakest to strongest, each with the class URIs that
mean it. A class that the table does not name has no strength and matches only itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from federation.errors import ConfigurationError
from federation.saml.messages import RequestedAuthnContext
from federation.saml.names import AuthnContextClass as Class


@dataclass(frozen=True, slots=True)
class Level:
    """One strength of authentication.

    `classes` are true of every session that reached the level; the first is what is said when nothing was asked for.
    `others` are other ways of signing in, as strong in a comparison, that nothing but the way itself makes true: a
    session with a password and a code is as strong as one with a one-time token, and still no one-time token.
    """

    name: str
    classes: tuple[str, ...]
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """Levels from weakest to strongest. Raises `ConfigurationError` when a class stands in two of them.

    `said` is what is said of a session that reached a level when nothing was asked for: the first class of that level,
    or of the strongest below that has one.
    """

    levels: tuple[Level, ...]
    said: tuple[str | None, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        classes = [uri for level in self.levels for uri in (*level.classes, *level.others)]
        twice = {uri for uri in classes if classes.count(uri) > 1}
        if twice:
            raise ConfigurationError(f"authentication context classes stand in two levels: {', '.join(sorted(twice))}")
        own: str | None = None
        said = [own := next(iter(level.classes), own) for level in self.levels]
        object.__setattr__(self, "said", tuple(said))

    def strength(self, class_ref: str) -> int | None:
        """The position of the level that a class means, or None for a class that is not in the table."""
        return next(
            (
                position
                for position, level in enumerate(self.levels)
                if class_ref in level.classes or class_ref in level.others
            ),
            None,
        )

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
                Level(level.name, (*level.classes, uri), level.others) if position == where else level
                for position, level in enumerate(levels)
            )
        return Table(levels)

    def is_true_of(self, class_ref: str, reached: int) -> bool:
        """Whether a class may be said of a session that reached this level."""
        return any(class_ref in level.classes for level in self.levels[: reached + 1])


PASSWORD: Final = "password"  # noqa: S105 - the name of a level
SINGLE_FACTOR: Final = "single-factor"
MULTI_FACTOR: Final = "multi-factor"
HARDWARE: Final = "hardware"

DEFAULT: Final = Table(
    (
        Level(
            "unspecified",
            (Class.UNSPECIFIED, Class.MICROSOFT_UNSPECIFIED),
            (Class.PREVIOUS_SESSION, Class.INTERNET_PROTOCOL, Class.TELEPHONY, Class.NOMAD_TELEPHONY),
        ),
        Level(
            PASSWORD,
            (Class.PASSWORD_PROTECTED_TRANSPORT, Class.PASSWORD, Class.MICROSOFT_PASSWORD),
            (
                Class.INTERNET_PROTOCOL_PASSWORD,
                Class.SECURE_REMOTE_PASSWORD,
                Class.KERBEROS,
                Class.MICROSOFT_KERBEROS,
                Class.MICROSOFT_WINDOWS,
                Class.FEDERATION_WINDOWS,
                Class.PERSONAL_TELEPHONY,
                Class.AUTHENTICATED_TELEPHONY,
                Class.MOBILE_ONE_FACTOR_UNREGISTERED,
                Class.MOBILE_ONE_FACTOR_CONTRACT,
            ),
        ),
        Level(
            SINGLE_FACTOR,
            (Class.REFEDS_SFA, Class.NIST_AAL1),
            (
                Class.TLS_CLIENT,
                Class.MICROSOFT_TLS_CLIENT,
                Class.X509,
                Class.MICROSOFT_X509,
                Class.PGP,
                Class.SPKI,
                Class.XML_DSIG,
                Class.SOFTWARE_PKI,
                Class.SMARTCARD,
                Class.MICROSOFT_SMARTCARD,
            ),
        ),
        Level(
            MULTI_FACTOR,
            (Class.REFEDS_MFA, Class.MICROSOFT_MFA, Class.NIST_AAL2),
            (Class.MOBILE_TWO_FACTOR_UNREGISTERED, Class.MOBILE_TWO_FACTOR_CONTRACT, Class.TIME_SYNC_TOKEN),
        ),
        Level(HARDWARE, (), (Class.SMARTCARD_PKI, Class.MICROSOFT_SMARTCARD_PKI, Class.NIST_AAL3)),
    )
)
"""The order is an agreement of this toolkit, not of the standard, which leaves strength to the responder."""


def named_levels(words: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Pairs for `Table.extended` from a setting: `multi-factor=https://example.org/mfa`.

    Raises `ConfigurationError`.
    """
    pairs = [tuple(word.split("=", 1)) for word in words]
    if any(len(pair) != 2 or ":" not in pair[1] for pair in pairs):
        raise ConfigurationError(
            f"write LEVEL=URI, with LEVEL one of {', '.join(level.name for level in DEFAULT.levels)}"
        )
    return tuple((name, uri) for name, uri in pairs)


def answer(requested: RequestedAuthnContext | None, *, reached: int, table: Table = DEFAULT) -> str | None:
    """The class that an IdP may state for a session that reached this level, or None: NoAuthnContext.

    A session that reached more than was asked for is still answered with the class that was asked for, because a
    requester that compares exactly knows no other. Declarations are not supported: a request that names nothing else
    has no answer (SAML Core 3.3.2.2.1).
    """
    own = table.said[reached]
    if requested is None:
        return own
    if requested.comparison == "exact":
        return next((uri for uri in requested.class_refs if table.is_true_of(uri, reached)), None)
    known = [(uri, strength) for uri in requested.class_refs if (strength := table.strength(uri)) is not None]
    if not known:
        return None
    if requested.comparison == "better":
        return _at_least(min(strength for _, strength in known) + 1, own, table)
    if requested.comparison == "maximum":
        own = table.said[min(reached, max(strength for _, strength in known))]
        strongest = [uri for uri, strength in known if own and strength == table.strength(own)]
        return next((uri for uri in strongest if table.is_true_of(uri, reached)), own)
    asked = [uri for uri, strength in known if strength <= reached]
    if not asked:
        return None
    weakest = min(strength for _, strength in known)
    return next((uri for uri in asked if table.is_true_of(uri, reached)), _at_least(weakest, own, table))


def _at_least(least: int, class_ref: str | None, table: Table) -> str | None:
    strength = None if class_ref is None else table.strength(class_ref)
    return class_ref if strength is not None and strength >= least else None


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
