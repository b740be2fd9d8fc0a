"""Named release policies: the sets of attributes that administrators ask for again and again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

UNCONDITIONAL_SUFFIX: Final = ":unconditional"
"""Appended to a preset's name: release although the partner's metadata requests nothing."""


@dataclass(frozen=True, slots=True)
class Preset:
    """A named set of catalogue keys and, in one sentence, whom it suits.

    `by_category` holds sets for those whose metadata has an entity category, as pairs of category and keys.
    """

    name: str
    keys: tuple[str, ...]
    description: str
    by_category: tuple[tuple[str, tuple[str, ...]], ...] = ()


ANONYMOUS: Final = "https://refeds.org/category/anonymous"
PSEUDONYMOUS: Final = "https://refeds.org/category/pseudonymous"
PERSONALIZED: Final = "https://refeds.org/category/personalized"
RESEARCH_AND_SCHOLARSHIP: Final = "http://refeds.org/category/research-and-scholarship"
ACCESS_CATEGORIES: Final = (ANONYMOUS, PSEUDONYMOUS, PERSONALIZED)
"""REFEDS Access Entity Categories 2, from the one that tells the least: never united."""


_PRESETS: Final = (
    Preset("nothing", (), "No attribute at all: the site only learns that somebody who may use it has signed in."),
    Preset("pairwise-only", ("pairwise_id",), "A lasting identifier for this site alone: recognises people, unnamed."),
    Preset("name-only", ("pairwise_id", "display_name"), "Recognises people and greets them by name."),
    Preset(
        "contact",
        ("pairwise_id", "subject_id", "display_name", "given_name", "family_name", "mail"),
        "Recognises people, names them and can write to them.",
    ),
    Preset(
        "directory",
        ("pairwise_id", "subject_id", "display_name", "mail", "department", "groups"),
        "What an internal site needs: name, e-mail address, department and groups.",
    ),
    Preset(
        "account",
        (
            "pairwise_id",
            "subject_id",
            "username",
            "display_name",
            "given_name",
            "family_name",
            "mail",
            "department",
            "groups",
        ),
        "Everything above and the user name: for sites that share our accounts by user name.",
    ),
    Preset(
        "refeds-access",
        (),
        "By entity category, as REFEDS defines them: anonymous, pseudonymous, personalized, research and scholarship.",
        (
            (ANONYMOUS, ("scoped_affiliation", "home_organization")),
            (PSEUDONYMOUS, ("pairwise_id", "scoped_affiliation", "assurance", "home_organization")),
            (
                PERSONALIZED,
                (
                    "subject_id",
                    "display_name",
                    "given_name",
                    "family_name",
                    "mail",
                    "scoped_affiliation",
                    "assurance",
                    "home_organization",
                ),
            ),
            (
                RESEARCH_AND_SCHOLARSHIP,
                ("subject_id", "display_name", "given_name", "family_name", "mail", "scoped_affiliation"),
            ),
        ),
    ),
)

PRESETS: Final[Mapping[str, Preset]] = MappingProxyType({preset.name: preset for preset in _PRESETS})
"""Every preset by name, from the least to the most that is told."""
