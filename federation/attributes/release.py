"""Release: what one connection is told about one person. Deny by default; one rule for assertion and provisioning.

An attribute leaves the house only if the connection's policy names it, AND either the SP's metadata requests it or the
policy marks it unconditional. A request can only narrow: to fewer attributes, or to fewer values of one.

Nearly all of that depends on the partner alone. It is worked out once for each partner, and all that is left to find
out about a person is which values they have.

Partners whose metadata requests nothing (much stock software) receive nothing under a plain preset; the administrator
who means it says so with the `:unconditional` form of the preset, for instance `directory:unconditional`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

from federation.attributes.catalogue import CATALOGUE, CatalogueEntry, entry_named
from federation.attributes.policy import ReleasePolicy, Rule
from federation.saml.messages import Attribute
from federation.saml.metadata.entity import RequestedAttribute

Person = Mapping[str, Sequence[str]]
"""Somebody's values under the catalogue's keys."""

_NAME: Final = attrgetter("name")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What release decided about one attribute that the policy allows or the SP requests.

    `key` is None for a requested attribute that we do not know. `required` is the SP's isRequired. `values` are what is
    released, `reason` says in words why it is that. `outcome` is one of released, not_allowed, not_requested,
    no_value, value_not_wanted, unknown.
    """

    key: str | None
    name: str
    outcome: str
    values: tuple[str, ...]
    required: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Leaving:
    """An attribute that leaves for whoever has a value. `only` are the only values that may, None for any."""

    entry: CatalogueEntry
    only: frozenset[str] | None
    requested: bool
    required: bool

    def values(self, person: Person) -> tuple[str, ...]:
        """What leaves about a person."""
        values = filter(None, person.get(self.entry.key, ()))
        return tuple(values if self.only is None else filter(self.only.__contains__, values))

    def verdict(self, person: Person) -> Verdict:
        """The same with the reason."""
        values = self.values(person)
        if values:
            outcome, reason = "released", "requested and allowed" if self.requested else "allowed unconditionally"
        elif any(person.get(self.entry.key, ())):
            outcome, reason = "value_not_wanted", "allowed, but not with any value that the person has"
        else:
            outcome, reason = "no_value", "allowed, but the person has no value"
        return Verdict(self.entry.key, self.entry.name, outcome, values, self.required, reason)


@dataclass(frozen=True, slots=True)
class Release:
    """What one partner is told about anybody. Everything that shows, sends or provisions attributes goes through here.

    `lines` are in catalogue order, then what was requested and is not known here; a verdict is one that holds for
    everybody. `keys` are those whose values are needed: nothing else about a person has any effect. `required` is what
    the SP's metadata says that it cannot do without, as pairs of Name and what people call it.
    """

    lines: tuple[Verdict | Leaving, ...]
    leaving: tuple[Leaving, ...]
    keys: tuple[str, ...]
    required: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, policy: ReleasePolicy, requested: Sequence[RequestedAttribute]) -> Release:
        """By a partner's policy and what it asks for."""
        wishes, unknown = _wishes(requested)
        rules = {rule.key: rule for rule in policy.rules}
        lines = [
            _line(entry, rules.get(key), wishes.get(key))
            for key, entry in CATALOGUE.items()
            if key in rules or key in wishes
        ]
        reason = "requested, but this site knows no such attribute"
        lines += [Verdict(None, wish.name, "unknown", (), wish.is_required, reason) for wish in unknown]
        leaving = tuple(line for line in lines if isinstance(line, Leaving))
        required = tuple((wish.name, wish.friendly_name or wish.name) for wish in requested if wish.is_required)
        return cls(tuple(lines), leaving, tuple(line.entry.key for line in leaving), required)

    def verdicts(self, person: Person) -> tuple[Verdict, ...]:
        """Attribute by attribute, what happens to it and why."""
        return tuple(line if isinstance(line, Verdict) else line.verdict(person) for line in self.lines)

    def attributes(self, person: Person) -> tuple[Attribute, ...]:
        """The attributes for an assertion: NameFormat uri, several values as several values (SDP-IDP18 to 20)."""
        return tuple(
            [
                Attribute(line.entry.name, values, line.entry.name_format, line.entry.friendly_name)
                for line in self.leaving
                if (values := line.values(person))
            ]
        )

    def values(self, person: Person) -> dict[str, tuple[str, ...]]:
        """The same under our own keys, for provisioning. An attribute without a value to release is absent."""
        return {line.entry.key: values for line in self.leaving if (values := line.values(person))}

    def missing(self, told: Iterable[Attribute]) -> list[str]:
        """What the SP cannot do without and these attributes do not hold: it may turn the person away."""
        names = set(map(_NAME, told))
        return [called for name, called in self.required if name not in names]


def _line(entry: CatalogueEntry, rule: Rule | None, wish: RequestedAttribute | None) -> Verdict | Leaving:
    required = wish is not None and wish.is_required
    if rule is None:
        reason = "requested, but the release policy does not allow it"
        return Verdict(entry.key, entry.name, "not_allowed", (), required, reason)
    if wish is None and not rule.unconditional:
        reason = "allowed, but the partner's metadata does not request it"
        return Verdict(entry.key, entry.name, "not_requested", (), required, reason)
    only = None if rule.values is None else frozenset(rule.values)
    # An unconditional rule says: send it whatever the partner asks, so a narrower request does not narrow it.
    if wish is not None and wish.values and not rule.unconditional:
        only = frozenset(wish.values) if only is None else only & frozenset(wish.values)
    return Leaving(entry, only, wish is not None, required)


def _wishes(
    requested: Sequence[RequestedAttribute],
) -> tuple[dict[str, RequestedAttribute], list[RequestedAttribute]]:
    """Requests by our key, and those for attributes unknown here. Two for one attribute: the wider one counts."""
    wishes: dict[str, RequestedAttribute] = {}
    unknown = []
    for wish in requested:
        entry = entry_named(wish.name, wish.name_format)
        if entry is None:
            unknown.append(wish)
            continue
        earlier = wishes.get(entry.key)
        if earlier is None:
            wishes[entry.key] = wish
            continue
        values = earlier.values + wish.values if earlier.values and wish.values else ()
        wishes[entry.key] = RequestedAttribute(
            wish.name, wish.name_format, is_required=earlier.is_required or wish.is_required, values=values
        )
    return wishes, unknown
