"""A prepared statement does what the same statement does through the session, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, Executable, UniqueConstraint, bindparam, insert, literal, select, union_all
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from federation.storage.base import TYPES, make_metadata
from federation.storage.prepared import Prepared
from federation.storage.session import SessionFactory, unit_of_work
from federation.storage.written import WrittenJSON

NOW = datetime(2026, 3, 1, 14, 30, 0, 5, tzinfo=UTC)


class Base(DeclarativeBase):
    metadata = make_metadata()
    type_annotation_map = TYPES


class Event(Base):
    __tablename__ = "event"
    __table_args__ = (UniqueConstraint("name"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    at: Mapped[datetime]
    gone: Mapped[datetime | None]
    seen: Mapped[bool]
    octets: Mapped[bytes]
    facts: Mapped[dict[str, Any]]
    checks: Mapped[list[Any]] = mapped_column(WrittenJSON(("rule", "ok")))


TABLE: Any = Event.__table__
ROW = {
    "name": "a",
    "at": NOW,
    "gone": None,
    "seen": True,
    "octets": b"\0\xff",
    "facts": {"a": [1, None]},
    "checks": [("signature.value", True)],
}
INSERT = Prepared(insert(TABLE), fills=ROW)


@pytest.fixture(autouse=True)
def _tables(engine: Engine) -> None:
    Base.metadata.create_all(engine)


def test_values_go_in_and_come_out_as_their_types_have_them(sessions: SessionFactory) -> None:
    found = Prepared(select(*(TABLE.c[name] for name in ROW)).where(TABLE.c.name == bindparam("sought")))
    with unit_of_work(sessions) as session:
        assert found.rows(session, {"sought": "a"}) == []
        INSERT.write(session, ROW)
    with unit_of_work(sessions) as session:
        [(name, at, gone, seen, octets, facts, checks)] = found.rows(session, {"sought": "a"})
        event = session.scalars(select(Event)).one()
    assert (name, at, at.tzinfo, gone, facts) == ("a", NOW, UTC, None, {"a": [1, None]})
    assert seen is True
    assert bytes(octets) == b"\0\xff"
    assert checks == [{"rule": "signature.value", "ok": True}]
    assert (event.name, event.at, event.gone, event.seen, event.facts) == (name, at, gone, seen, facts)
    assert (bytes(event.octets), event.checks) == (bytes(octets), checks)


def test_values_that_the_statement_holds_itself_are_sent(sessions: SessionFactory) -> None:
    both = union_all(select(literal("x").label("kind"), TABLE.c.name), select(literal("y"), TABLE.c.name))
    with unit_of_work(sessions) as session:
        INSERT.write(session, ROW)
        assert sorted(Prepared(both).rows(session, {})) == [("x", "a"), ("y", "a")]


def test_a_statement_may_be_spelled_for_each_database_and_answers_how_much_it_wrote(sessions: SessionFactory) -> None:
    def once(dialect: str) -> Executable:
        made = postgresql.insert(TABLE) if dialect == "postgresql" else sqlite.insert(TABLE)
        return made.on_conflict_do_nothing()

    statement = Prepared(once, fills=ROW)
    with unit_of_work(sessions) as session:
        assert statement.write(session, ROW) == 1
        assert statement.write(session, ROW) == 0


def test_it_belongs_to_the_transaction_of_the_session(sessions: SessionFactory) -> None:
    count = Prepared(select(TABLE.c.name))
    with sessions() as session:
        assert count.rows(session, {}) == []  # a reader, which becomes a writer
        INSERT.write(session, ROW)
        session.rollback()
    with sessions() as session:
        assert count.rows(session, {}) == []


def test_a_refusal_of_the_database_is_the_error_that_the_session_raises(sessions: SessionFactory) -> None:
    with sessions() as session:
        INSERT.write(session, ROW)
        with pytest.raises(IntegrityError) as caught:
            INSERT.write(session, ROW)
        assert "signature.value" not in str(caught.value)  # no value in a log
        session.rollback()
    with sessions() as session:
        Base.metadata.drop_all(session.connection())
        with pytest.raises(DBAPIError):
            INSERT.write(session, ROW)
