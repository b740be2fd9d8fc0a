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
    """A named set of catalogue keys and, in one sentence, whom it suits."""

    name: str
    keys: tuple[str, ...]
    description: str


_PRESETS: Final = (
    Preset("nothing", (), "No attribute at all: the site only learns that somebody who may use it has signed in."),
    Preset("pairwise-only", ("pairwise_id",), "A lasting identifier for this site alone: recognises people, unnamed."),
    Preset("name-only", ("pairwise_id", "display_name"), "Recognises people and greets them by name."),
    Preset(
        "contact",
        ("pairwise_id", "display_name", "given_name", "family_name", "mail"),
        "Recognises people, names them and can write to them.",
    ),
    Preset(
        "directory",
        ("pairwise_id", "display_name", "mail", "department", "groups"),
        "What an internal site needs: name, e-mail address, department and groups.",
    ),
    Preset(
        "account",
        ("pairwise_id", "username", "display_name", "given_name", "family_name", "mail", "department", "groups"),
        "Everything above and the user name: for sites that share our accounts by user name.",
    ),
)

PRESETS: Final[Mapping[str, Preset]] = MappingProxyType({preset.name: preset for preset in _PRESETS})
"""Every preset by name, from the least to the most that is told."""
