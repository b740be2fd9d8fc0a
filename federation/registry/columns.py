"""The tables of the registry, as mixins: each app makes them its own, with names of its own.

class MetadataSource(SourceColumns, Base):
    __tablename__ = "metadata_source"
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final

from sqlalchemy import ForeignKey, Index, UniqueConstraint, false
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

FILE: Final = "file"
URL: Final = "url"
MDQ: Final = "mdq"
UPLOAD: Final = "upload"
KINDS: Final = (FILE, URL, MDQ, UPLOAD)

LIVE: Final = "live"
WAITING: Final = "waiting for review"
SCHEDULED: Final = "scheduled"
REJECTED: Final = "rejected"
SUPERSEDED: Final = "superseded"


class _Row:
    """A mixin of the registry: what the app's declarative base makes of it can be made by column names."""

    if TYPE_CHECKING:

        def __init__(self, **columns: Any) -> None: ...


class SourceColumns(_Row):
    """A source of metadata: where it is, why it is believed, and how it does.

    `kind` is file, url, mdq or upload (a document that somebody brought, which lies in `PartColumns`). With `entity_id`
    it is the source of that one partner's connection; without, a federation's: its entities are usable at once, with
    `defaults` (what those are is the app's matter). A smaller `precedence` goes first. `signer_fingerprints` and
    `signer_certificates` (base64 of DER) pin who may sign; `named_host` is the https host that is believed instead, for
    one partner. `selection` holds roles, registrars, categories and entity_ids. `widening` is a name of
    `widening.Rule`. Spans are in seconds.

    `version` grows whenever what is taken from the source may mean something else; `validated` is the digest of the
    document last taken in, and `valid_until` its limit. `claimed_until` keeps two processes from refreshing at once.
    `newest_published` and `newest_until` are the age of the newest document taken in: an older one brings nothing back.
    While one does, `progress` says in words what it is at, and `progress_done` of `progress_total` how far it is.
    """

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    name_key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    location: Mapped[str]
    entity_id: Mapped[str | None]
    enabled: Mapped[bool]
    precedence: Mapped[int]
    signer_fingerprints: Mapped[list[str]]
    signer_certificates: Mapped[list[str]]
    named_host: Mapped[str | None]
    max_validity: Mapped[int]
    exceptions: Mapped[list[str]]
    shortest_interval: Mapped[int]
    longest_interval: Mapped[int]
    selection: Mapped[dict[str, Any]]
    widening: Mapped[str]
    defaults: Mapped[dict[str, Any]]
    created: Mapped[datetime]
    created_by: Mapped[str]

    version: Mapped[int]
    due: Mapped[datetime]
    claimed_until: Mapped[datetime | None]
    progress: Mapped[str | None]
    progress_done: Mapped[int | None]
    progress_total: Mapped[int | None]
    last_try: Mapped[datetime | None]
    last_success: Mapped[datetime | None]
    failures: Mapped[int]
    error: Mapped[str | None]
    etag: Mapped[str | None]
    last_modified: Mapped[str | None]
    validated: Mapped[str | None]
    valid_until: Mapped[datetime | None]
    newest_published: Mapped[datetime | None]
    newest_until: Mapped[datetime | None]
    entities: Mapped[int]


class EntityColumns(_Row):
    """One entity of a federation's source. `document` is canonical and was verified, `digest` its SHA-256.

    `key` stands for the entityID where a short name of bounded size is needed, `sha1` (hexadecimal) where an artifact
    names it (SAML Bindings 3.6.4.2). `found_by` is what a search by people looks through, `hidden` whether the entity
    does not want to be among what they choose from. `valid_until` is its own limit where it
    is earlier than its source's; for a Metadata Query answer, that of the answer, which is asked for again at `due`.
    """

    __sources__: ClassVar[str]

    @declared_attr
    @classmethod
    def source_id(cls) -> Mapped[str]:
        """Where it comes from."""
        return mapped_column(ForeignKey(f"{cls.__sources__}.id", ondelete="CASCADE"), primary_key=True)

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Index, ...]:
        return (Index(None, "source_id"), Index(None, "key"), Index(None, "name_key"), Index(None, "sha1"))

    entity_id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str]
    sha1: Mapped[str] = mapped_column(default="", server_default="")
    digest: Mapped[str]
    document: Mapped[bytes]
    name: Mapped[str]
    name_key: Mapped[str]
    found_by: Mapped[str] = mapped_column(default="", server_default="")
    hidden: Mapped[bool] = mapped_column(default=False, server_default=false())
    is_idp: Mapped[bool]
    is_sp: Mapped[bool]
    registrar: Mapped[str | None]
    warnings: Mapped[int]
    valid_until: Mapped[datetime | None]
    due: Mapped[datetime | None]
    changed: Mapped[datetime]


class AbsenceColumns(_Row):
    """An entity that a Metadata Query responder does not know, or answered badly about: not asked again until then."""

    __sources__: ClassVar[str]

    @declared_attr
    @classmethod
    def source_id(cls) -> Mapped[str]:
        """Who was asked."""
        return mapped_column(ForeignKey(f"{cls.__sources__}.id", ondelete="CASCADE"), primary_key=True)

    key: Mapped[str] = mapped_column(primary_key=True)
    until: Mapped[datetime] = mapped_column(index=True)


class PartColumns(_Row):
    """A piece of the document that somebody brought as a source: in pieces, so that no process has to hold it whole."""

    __sources__: ClassVar[str]

    @declared_attr
    @classmethod
    def source_id(cls) -> Mapped[str]:
        """Which source it is."""
        return mapped_column(ForeignKey(f"{cls.__sources__}.id", ondelete="CASCADE"), primary_key=True)

    number: Mapped[int] = mapped_column(primary_key=True)
    octets: Mapped[bytes]


class VersionColumns(_Row):
    """One document of a partner's metadata, kept for the review and for the way back.

    `trust` says on what ground it may be believed, or that a person has to confirm its `fingerprints` first
    (`versions.UNCONFIRMED`); `origin` where it came from, and `source_id` from which source if it was one; `why` what
    was decided and for which reason. `changes` is the difference to what was live when it came, `misses` what it lacks.
    A renewal that means the same brings `document` and `valid_until` of its version up to date, at `renewed`.
    """

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Any, ...]:
        return (UniqueConstraint("entity_id", "number"), Index(None, "state"))

    id: Mapped[int] = mapped_column(primary_key=True)
    entity_id: Mapped[str]
    number: Mapped[int]
    state: Mapped[str]
    document: Mapped[bytes]
    trust: Mapped[str]
    fingerprints: Mapped[list[str]]
    origin: Mapped[str]
    source_id: Mapped[str | None]
    why: Mapped[str]
    changes: Mapped[list[Any]]
    misses: Mapped[list[Any]]
    valid_until: Mapped[datetime | None]
    added: Mapped[datetime]
    added_by: Mapped[str]
    renewed: Mapped[datetime | None]
    live_since: Mapped[datetime | None]
    decided: Mapped[datetime | None]
    decided_by: Mapped[str | None]
    due: Mapped[datetime | None]


class HolderColumns(_Row):
    """What a connection keeps of its partner's metadata: the live document, and its version.

    `metadata_restriction` is newer metadata that waits for a review, or was rejected: what it takes back is gone at
    once, so only that counts which both say. `valid_until` is the limit that follows. `source_id` is the source that
    the live version came from, if any: a connection that was made from a federation's source goes on following it.
    """

    entity_id: Mapped[str] = mapped_column(unique=True)
    metadata_version: Mapped[int]
    metadata_xml: Mapped[bytes]
    metadata_restriction: Mapped[bytes | None]
    source_id: Mapped[str | None]
    valid_until: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class Tables:
    """An app's tables."""

    source: type[SourceColumns]
    entity: type[EntityColumns]
    absence: type[AbsenceColumns]
    part: type[PartColumns]
    version: type[VersionColumns]
