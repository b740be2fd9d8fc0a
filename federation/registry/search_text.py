"""What people find an entity by, and whether it wants to be found at all. Pure."""

from __future__ import annotations

import unicodedata
from typing import Final
from urllib.parse import urlsplit

from federation.saml.metadata.entity import Entity, IdPRole
from federation.saml.metadata.selection import ENTITY_CATEGORY

HIDE_FROM_DISCOVERY: Final = "http://refeds.org/category/hide-from-discovery"
_LONGEST: Final = 4000


def is_hidden(entity: Entity) -> bool:
    """Whether it does not want to be among what people choose from (REFEDS Hide From Discovery)."""
    return HIDE_FROM_DISCOVERY in entity.attribute(ENTITY_CATEGORY)


def found_by(entity: Entity, name: str) -> str:
    """A line for each text that an entity is found by, as a search compares it: names, keywords, domains."""
    pairs = [entity.organization.display_names if entity.organization is not None else ()]
    scopes: tuple[str, ...] = ()
    for role in (entity.idp, entity.sp):
        if role is not None:
            pairs = [role.ui_info.display_names, role.ui_info.keywords, *pairs]
        if isinstance(role, IdPRole):
            scopes = role.scopes
    texts = [name, *(text for each in pairs for _, text in each), *scopes]
    host = urlsplit(entity.entity_id).hostname or entity.entity_id
    return "\n".join(fold(text) for text in dict.fromkeys(" ".join(text.split()) for text in (*texts, host)))[:_LONGEST]


def fold(text: str) -> str:
    """Text as a search compares it: without accents and letter case ("Zürich" is found by "zurich")."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(each for each in decomposed if not unicodedata.combining(each)).casefold()
