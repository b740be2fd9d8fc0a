"""The identity providers that a person may choose from: found by what people call them, shown in their language.

A choice is made once from a version of the metadata and kept for as long as that version is live, so hundreds of them
cost a page nothing but looking through a list.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from federation.registry.effective import effective_entity
from federation.registry.search_text import fold, found_by, is_hidden
from federation.saml.metadata import languages
from federation.saml.metadata.entity import Entity, Logo
from federation.saml.metadata.languages import Pairs
from sp_app.models import IdPConnection
from sp_app.services.connections import ACTIVE

MAX_LOGO: Final = 40_000
"""Characters of an inline picture that a page of many takes along."""
MAX_DESCRIPTION: Final = 240
LAST_PLACE: Final = 9999
_LOGO_SIZE: Final = 64
_AT_ONCE: Final = 400  # SQLite takes fewer than a thousand parameters in a statement


@dataclass(frozen=True, slots=True)
class Choice:
    """One identity provider. `key` stands for it in a cookie; `name` is our record's, where an administrator gave one.

    `names`, `descriptions` and `logos` are from its metadata: hostile text until a page escapes it, and pictures that
    are inline, because a page of ours fetches nothing from elsewhere. `found_by` is what a search looks through,
    `place` what an administrator gave it.
    """

    key: str
    entity_id: str
    name: str | None
    names: Pairs
    descriptions: Pairs
    logos: tuple[Logo, ...]
    found_by: str = field(repr=False)
    place: int | None = None


class Shown(NamedTuple):
    """A choice as one reader sees it. Languages are those of the texts, for the page to say."""

    choice: Choice
    name: str
    name_language: str
    description: str
    description_language: str
    logo: str | None


class _Key(NamedTuple):
    """What a choice is made from: another revision, name or place makes another choice."""

    id: str
    revision: int
    name: str
    place: int | None


class Choices:
    """What can be chosen, for one process."""

    def __init__(self) -> None:
        self._known: dict[_Key, Choice | None] = {}

    def listed(self, session: Session, now: datetime) -> tuple[Choice, ...]:
        """The active ones whose metadata is valid and that do not want to be hidden (REFEDS Hide From Discovery)."""
        rows = session.execute(
            select(IdPConnection.id, IdPConnection.revision, IdPConnection.name, IdPConnection.place).where(
                IdPConnection.state == ACTIVE,
                or_(IdPConnection.valid_until.is_(None), IdPConnection.valid_until > now),
            )
        )
        live = [_Key(*row) for row in rows]
        known = self._known
        missing = [key for key in live if key not in known]
        if missing:
            # A new dictionary, so that no other thread sees one half filled; what is no longer live is forgotten.
            made = dict(_made(session, missing))
            known = {key: made.get(key, known.get(key)) for key in live}
            self._known = known
        return tuple(choice for key in live if (choice := known[key]) is not None)


def _made(session: Session, keys: Sequence[_Key]) -> Iterable[tuple[_Key, Choice | None]]:
    for start in range(0, len(keys), _AT_ONCE):
        wanted = {(key.id, key.revision): key for key in keys[start : start + _AT_ONCE]}
        found = session.scalars(
            select(IdPConnection).where(IdPConnection.id.in_([connection_id for connection_id, _ in wanted]))
        )
        for connection in found:
            key = wanted.get((connection.id, connection.revision))
            if key is not None:
                yield key, choice_of(effective_entity(connection), key.name, key.place)


def set_places(session: Session, places: Mapping[str, int | None], now: datetime) -> bool:
    """Give connections their places by their ids, None for none; False when nothing changed."""
    changed = False
    for connection in session.scalars(select(IdPConnection)):
        if connection.id in places and connection.place != places[connection.id]:
            connection.place, connection.modified_at, changed = places[connection.id], now, True
    return changed


def choice_of(entity: Entity, name: str, place: int | None = None) -> Choice | None:
    """The choice that an identity provider is, by its metadata and the name of our record; None for a hidden one."""
    if is_hidden(entity) or entity.idp is None:
        return None
    info = entity.idp.ui_info
    organization = entity.organization.display_names if entity.organization is not None else ()
    names = info.display_names or organization
    return Choice(
        key=key_of(entity.entity_id),
        entity_id=entity.entity_id,
        name=None if name == entity.display_name() else name,
        names=names,
        descriptions=info.descriptions,
        logos=tuple(logo for logo in info.logos if logo.url.startswith("data:") and len(logo.url) <= MAX_LOGO),
        found_by=found_by(entity, name),
        place=place,
    )


def key_of(entity_id: str) -> str:
    """What stands for an entityID where it has to be short: 80 bits of its SHA-256."""
    return hashlib.sha256(entity_id.encode("utf-8", "surrogatepass")).hexdigest()[:20]


def search(choices: Sequence[Choice], words: str) -> tuple[Choice, ...]:
    """The choices in which every word occurs; those first of which a name begins with them. Their order stays else."""
    terms = fold(words).split()
    found = [choice for choice in choices if all(term in choice.found_by for term in terms)]
    start = "\n" + " ".join(terms)
    return tuple(sorted(found, key=lambda choice: start not in f"\n{choice.found_by}"))


def in_order(shown: Iterable[Shown]) -> list[Shown]:
    """Those with a place first, then by what the reader calls them."""
    last = LAST_PLACE + 1
    return sorted(shown, key=lambda each: (each.choice.place or last, fold(each.name)))


def show(choice: Choice, readers: Sequence[str]) -> Shown:
    """The choice in the reader's language, as far as its metadata speaks it."""
    language, name = languages.choose(choice.names, readers) or ("", choice.entity_id)
    if choice.name is not None:
        language, name = "", choice.name
    described_in, description = languages.choose(choice.descriptions, readers) or ("", "")
    if len(description) > MAX_DESCRIPTION:
        description = description[:MAX_DESCRIPTION].rstrip() + "…"
    return Shown(choice, name, language, description, described_in, _logo(choice.logos, language, readers))


def _logo(logos: Sequence[Logo], language: str, readers: Sequence[str]) -> str | None:
    """The picture that suits a small square best, in the reader's language or none."""
    spoken = {"", language.partition("-")[0], *(tag.partition("-")[0].lower() for tag in readers)}
    ours = [logo for logo in logos if (logo.language or "").partition("-")[0].lower() in spoken] or logos

    def unfit(logo: Logo) -> tuple[int, int]:
        return (abs(logo.width - logo.height), abs(logo.height - _LOGO_SIZE))

    return min(ours, key=unfit).url if ours else None
