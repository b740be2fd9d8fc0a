"""The resources of one connection, as the SCIM engine asks for them (`federation.scim.store.Store`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, func, select, true
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from federation.scim.catalogue import USER
from federation.scim.codec import Document
from federation.scim.errors import ScimError, uniqueness
from federation.scim.filters import evaluate
from federation.scim.patch import MemberChange
from federation.scim.schema import ResourceType
from federation.scim.store import Page, Query, Record
from sp_app.accounts import AccountStore
from sp_app.models import IdPConnection
from sp_app.models.scim import ScimGroup, ScimUser
from sp_app.scim.groups import Groups
from sp_app.scim.queries import Condition, condition_of
from sp_app.scim.users import Audit, Users
from sp_app.services.linking import Linking

MAX_CANDIDATES: Final = 5000
"""How many resources are looked at one by one for a filter that no index answers."""


class SqlStore:
    """Users and groups of one connection, in the transaction of the session. Every statement names the connection."""

    def __init__(
        self,
        session: Session,
        accounts: AccountStore,
        linking: Linking,
        connection: IdPConnection,
        *,
        now: datetime,
        audit: Audit,
    ) -> None:
        self._session = session
        self._connection_id = connection.id
        self._users = Users(session, accounts, linking, connection_id=connection.id, now=now, audit=audit)
        self._groups = Groups(session, connection_id=connection.id, now=now)

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """See `Store.atomic`: a savepoint. What a concurrent request has just taken shows as a conflict."""
        try:
            with self._session.begin_nested():
                yield
                self._session.flush()
        except IntegrityError:
            raise uniqueness("another resource has been written with the same value meanwhile") from None

    def get(
        self, kind: ResourceType, resource_id: str, *, edges: frozenset[str] = frozenset(), for_update: bool = False
    ) -> Record | None:
        """See `Store.get`."""
        row = self._row(kind, resource_id, for_update=for_update)
        if row is None or (isinstance(row, ScimUser) and not self._users.is_alive(row)):
            return None
        return self._records(kind, [row], edges)[0]

    def search(self, kind: ResourceType, query: Query) -> Page:
        """See `Store.search`. Raises `tooMany` for a filter that would have to look at too many resources."""
        half = self._half(kind)
        where = Condition(true(), exact=True) if query.filter is None else condition_of(query.filter, half.columns)
        found = select(half.model).where(half.model.connection_id == self._connection_id, where.sql)
        if not where.exact:
            return self._search_one_by_one(kind, query, found)
        total = self._session.scalar(select(func.count()).select_from(found.subquery())) or 0
        if query.count == 0 or query.start > total:
            return Page(total, ())
        page = found.order_by(half.model.id).offset(query.start - 1).limit(query.count)
        return Page(total, self._records(kind, self._session.scalars(page).all(), query.edges))

    def create(self, kind: ResourceType, document: Document) -> Record:
        """See `Store.create`."""
        row = self._half(kind).create(document)
        return self._records(kind, [row], frozenset())[0]

    def replace(self, kind: ResourceType, record: Record, document: Document) -> Record:
        """See `Store.replace`."""
        row = self._existing(kind, record)
        if isinstance(row, ScimUser):
            self._users.replace(row, document)
        else:
            self._groups.replace(row, document)
        return self._records(kind, [row], frozenset())[0]

    def touch(self, kind: ResourceType, record: Record) -> Record:
        """See `Store.touch`."""
        row = self._existing(kind, record)
        row.version += 1
        self._session.flush()
        return self._records(kind, [row], frozenset())[0]

    def delete(self, kind: ResourceType, record: Record) -> None:
        """See `Store.delete`."""
        row = self._existing(kind, record)
        if isinstance(row, ScimUser):
            self._users.delete(row)
        else:
            self._groups.delete(row)

    def change_members(self, record: Record, changes: Sequence[MemberChange]) -> Record:
        """See `Store.change_members`."""
        group = self._session.get_one(ScimGroup, record.id)
        self._groups.change_members(group, changes)
        return self._groups.record(group, {})

    def _search_one_by_one(self, kind: ResourceType, query: Query, found: Select[Any]) -> Page:
        half = self._half(kind)
        rows = self._session.scalars(found.order_by(half.model.id).limit(MAX_CANDIDATES + 1)).all()
        if len(rows) > MAX_CANDIDATES:
            raise ScimError(400, "the filter would have to look at too many resources", "tooMany")
        assert query.filter is not None
        everything = frozenset(attribute.name for attribute in kind.edges)
        records = [
            record
            for record in self._records(kind, rows, everything)
            if evaluate(query.filter, _comparable(record, kind))
        ]
        return Page(len(records), records[query.start - 1 : query.start - 1 + query.count])

    def _records(self, kind: ResourceType, rows: Sequence[Any], edges: frozenset[str]) -> list[Record]:
        half = self._half(kind)
        ids = [row.id for row in rows]
        loaded: dict[str, Mapping[str, Sequence[Mapping[str, Any]]]] = {
            edge: half.rows(edge, ids) for edge in edges if ids
        }
        return [half.record(row, {edge: loaded[edge].get(row.id, ()) for edge in loaded}) for row in rows]

    def _existing(self, kind: ResourceType, record: Record) -> ScimUser | ScimGroup:
        row = self._row(kind, record.id, for_update=True)
        assert row is not None, "the engine has just read it in this transaction"
        return row

    def _row(self, kind: ResourceType, resource_id: str, *, for_update: bool) -> Any:
        model = self._half(kind).model
        found = select(model).where(model.connection_id == self._connection_id, model.id == resource_id)
        if for_update:
            # Another transaction may have committed since this session read the row.
            found = found.with_for_update().execution_options(populate_existing=True)
        return self._session.scalars(found).one_or_none()

    def _half(self, kind: ResourceType) -> Any:
        return self._users if kind is USER else self._groups


def _comparable(record: Record, kind: ResourceType) -> Mapping[str, Any]:
    """The resource as `evaluate` compares it: times as instants."""
    meta = {"resourceType": kind.name, "created": record.created, "lastModified": record.modified}
    return {**record.document, **record.edges, "id": record.id, "meta": meta}
