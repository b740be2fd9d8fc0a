"""Release policies: which attributes one connection may receive, and what its metadata asks for.

`federation.attributes.release` makes the decision of the two.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from federation.attributes.catalogue import CATALOGUE
from federation.attributes.presets import ACCESS_CATEGORIES, PRESETS, UNCONDITIONAL_SUFFIX
from federation.errors import ConfigurationError
from federation.saml.metadata.entity import Entity, RequestedAttribute
from federation.saml.metadata.selection import ENTITY_CATEGORY
from federation.saml.names import PAIRWISE_ID, SUBJECT_ID, SUBJECT_ID_REQ, NameFormat

SIGNALS: Final[Mapping[str, str]] = {"pairwise-id": PAIRWISE_ID, "any": PAIRWISE_ID, "subject-id": SUBJECT_ID}
"""subject-id:req values and the identifier each asks for; `any` gets the one that says least (SDP-IDP15)."""


_IDENTIFIERS: Final = ("pairwise_id", "subject_id")


@dataclass(frozen=True, slots=True)
class Rule:
    """What the policy says about one attribute.

    `key` is a catalogue key. `unconditional` releases it although the SP's metadata does not ask. `values`, when given,
    are the only values that may leave (IIP-IDP02).
    """

    key: str
    unconditional: bool = False
    values: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class ReleasePolicy:
    """The attributes that one connection may receive; `preset` names the template it came from, for display only.

    `by_category` holds more rules for those whose metadata has an entity category (IIP-IDP03), as pairs of category and
    rules; `for_entity` works them in.
    """

    rules: tuple[Rule, ...] = ()
    preset: str | None = None
    by_category: tuple[tuple[str, tuple[Rule, ...]], ...] = ()

    def __post_init__(self) -> None:
        problems: list[str] = []
        for rules in (self.rules, *(rules for _, rules in self.by_category)):
            problems += [f"no attribute is called {rule.key!r}" for rule in rules if rule.key not in CATALOGUE]
            keys = [rule.key for rule in rules]
            problems += [f"{key!r} is listed twice" for key in sorted(set(keys)) if keys.count(key) > 1]
        if problems:
            raise ConfigurationError(*problems)

    @classmethod
    def from_preset(cls, name: str) -> ReleasePolicy:
        """The policy of a preset, `directory` or `directory:unconditional`. Raises `ConfigurationError`."""
        base, colon, _ = name.partition(":")
        if base not in PRESETS or (colon and name != base + UNCONDITIONAL_SUFFIX):
            choices = ", ".join(PRESETS)
            raise ConfigurationError(
                f"no release preset is called {name!r}; choose from {choices}, each also with {UNCONDITIONAL_SUFFIX}"
            )
        preset = PRESETS[base]
        if preset.by_category and colon:
            raise ConfigurationError(f"{base} releases by category, whatever else a partner's metadata requests")
        by_category = tuple(
            (category, tuple(Rule(key, unconditional=True) for key in keys)) for category, keys in preset.by_category
        )
        return cls(tuple(Rule(key, unconditional=bool(colon)) for key in preset.keys), name, by_category)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ReleasePolicy:
        """Read what `to_json` wrote. Raises `ConfigurationError` for anything else, so that no policy is guessed at."""
        try:
            rules = _rules_from_json(data["attributes"])
            by_category = tuple((uri, _rules_from_json(each)) for uri, each in data.get("categories", {}).items())
            preset = data.get("preset")
        except (KeyError, TypeError, AttributeError):
            raise ConfigurationError("the release policy is not in the form that this version writes") from None
        if set(data) - {"attributes", "preset", "categories"} or not (preset is None or isinstance(preset, str)):
            raise ConfigurationError("the release policy is not in the form that this version writes")
        return cls(rules, preset, by_category)

    def to_json(self) -> dict[str, Any]:
        """A JSON object: `{"preset": name or null, "attributes": {key: {"unconditional": bool, "values": [...]}}}`.

        Rules by category, where there are any, stand under `categories`, in the same form for each.
        """
        written: dict[str, Any] = {"preset": self.preset, "attributes": _rules_to_json(self.rules)}
        if self.by_category:
            written["categories"] = {category: _rules_to_json(rules) for category, rules in self.by_category}
        return written

    def for_entity(self, entity: Entity) -> ReleasePolicy:
        """The policy for one SP: with the rules of its categories, and without the identifiers that it waived.

        The three access categories are never united: who has several gets the one that tells the least (REFEDS). A
        subject-id:req signal strikes the identifiers that it does not name, also where the policy is unconditional.
        Without a signal the subject-id, by which sites could compare notes on a person, must be asked for by name or be
        the only identifier that the policy has (SDP-IDP17 leaves this to us).
        """
        categories = entity.attribute(ENTITY_CATEGORY)
        one = next((category for category in ACCESS_CATEGORIES if category in categories), None)
        having = [
            rules
            for category, rules in self.by_category
            if category in categories and (category not in ACCESS_CATEGORIES or category == one)
        ]
        merged = {rule.key: rule for rules in (*reversed(having), self.rules) for rule in rules}
        wanted = _signalled(entity, frozenset(merged))
        if wanted is None:
            own = {rule.key: rule for rule in self.rules}
            if "pairwise_id" in own and "subject_id" in own:
                merged["subject_id"] = replace(own["subject_id"], unconditional=False)
            return ReleasePolicy(tuple(merged.values()), self.preset)
        rules = (rule for key, rule in merged.items() if key not in _IDENTIFIERS or CATALOGUE[key].name in wanted)
        return ReleasePolicy(tuple(rules), self.preset)

    @property
    def keys(self) -> frozenset[str]:
        """Every key that a rule names."""
        return frozenset(rule.key for rule in self.rules)


def requested_by(
    entity: Entity, index: int | None = None, *, allowed: Collection[str] = ()
) -> tuple[RequestedAttribute, ...]:
    """Everything an SP's metadata requests: one AttributeConsumingService, and the subject identifier signal.

    `index` is the request's AttributeConsumingServiceIndex (SAML Core 3.4.1); without it, or with one that the metadata
    does not have, the default service counts (SAML Metadata 2.4.4). The entity attribute subject-id:req adds its
    identifier as required; `none` and a signal for the other one strike an identifier out (SDP-IDP15). `any` means
    the pairwise-id, unless `allowed`, the keys of the policy, hold the subject-id alone.
    """
    services = entity.sp.attribute_consuming if entity.sp is not None else ()
    requested: tuple[RequestedAttribute, ...] = ()
    if services:
        chosen = next((service for service in services if service.index == index), None)
        chosen = chosen or next((service for service in services if service.is_default), None)
        chosen = chosen or next((service for service in services if service.is_default is None), services[0])
        requested = chosen.requested
    wanted = _signalled(entity, frozenset(allowed))
    if wanted is None:
        return requested
    struck = {SUBJECT_ID, PAIRWISE_ID} - wanted
    requested = tuple(attribute for attribute in requested if attribute.name not in struck)
    missing = wanted - {attribute.name for attribute in requested}
    return (*(RequestedAttribute(name, NameFormat.URI, is_required=True) for name in missing), *requested)


def _signalled(entity: Entity, allowed: frozenset[str]) -> frozenset[str] | None:
    """The identifiers that an SP's signal asks for, or None without a signal (or with one that says nothing clear)."""
    signal = entity.attribute(SUBJECT_ID_REQ)
    if len(signal) != 1 or signal[0] not in (*SIGNALS, "none"):
        return None
    if signal[0] == "any" and "subject_id" in allowed and "pairwise_id" not in allowed:
        return frozenset({SUBJECT_ID})
    return frozenset({SIGNALS[signal[0]]} if signal[0] in SIGNALS else ())


def _rules_from_json(data: Mapping[str, Any]) -> tuple[Rule, ...]:
    return tuple(_rule_from_json(key, options) for key, options in data.items())


def _rules_to_json(rules: Sequence[Rule]) -> dict[str, dict[str, Any]]:
    return {
        rule.key: {"unconditional": rule.unconditional} | ({} if rule.values is None else {"values": list(rule.values)})
        for rule in rules
    }


def _rule_from_json(key: str, options: Mapping[str, Any]) -> Rule:
    values = options.get("values")
    if not (isinstance(options["unconditional"], bool) and (values is None or _is_list_of_texts(values))):
        raise TypeError
    if set(options) - {"unconditional", "values"}:
        raise TypeError
    return Rule(key, options["unconditional"], None if values is None else tuple(values))


def _is_list_of_texts(values: object) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)
