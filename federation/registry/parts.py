"""Documents that somebody brought as a source: kept in the database, in pieces, for whichever process reads them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Final

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from federation.errors import Malformed
from federation.registry.columns import SourceColumns
from federation.registry.fetching import Unavailable, size_limit
from federation.registry.host import Host
from federation.storage.base import table_of

PIECE: Final = 1_048_576
"""Octets of a piece: what a web worker holds of a document at once."""


def keep(session: Session, host: Host, source: SourceColumns, file: IO[bytes]) -> None:
    """Keep a document in the place of the one before. Raises `Malformed` for one that is empty or too large."""
    table = table_of(host.tables.part)
    session.flush()
    session.execute(delete(table).where(table.c.source_id == source.id))
    size = 0
    for number, piece in enumerate(_pieces(file)):
        size += len(piece)
        if size > size_limit(source):
            raise Malformed("metadata.size", f"the document has more than {size_limit(source)} bytes")
        session.execute(insert(table), {"source_id": source.id, "number": number, "octets": piece})
    if not size:
        raise Malformed("metadata.size", "the document is empty")


def read(session: Session, host: Host, source: SourceColumns) -> bytes:
    """The whole document. Raises `Unavailable` when there is none."""
    table = table_of(host.tables.part)
    rows = session.execute(select(table.c.octets).where(table.c.source_id == source.id).order_by(table.c.number))
    document = b"".join(bytes(octets) for octets in rows.scalars())
    if not document:
        raise Unavailable(source.name, "no document was brought")
    return document


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(PIECE):
        yield piece
