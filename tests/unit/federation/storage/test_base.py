from __future__ import annotations

import enum
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import Engine, ForeignKey, UniqueConstraint, select, text
from sqlalchemy.exc import IntegrityError, StatementError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from federation.storage.base import TYPES, make_metadata
from federation.storage.secrets import Sealed
from federation.storage.session import SessionFactory, unit_of_work


class State(enum.Enum):
    ACTIVE = "active"
    PAUSED = "paused"


class Base(DeclarativeBase):
    metadata = make_metadata()
    type_annotation_map = TYPES


class Connection(Base):
    __tablename__ = "connection"
    __table_args__ = (UniqueConstraint("name", "state"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    state: Mapped[State] = mapped_column(default=State.ACTIVE)
    at: Mapped[datetime | None]
    token: Mapped[Sealed | None]
    facts: Mapped[dict[str, Any] | None]
    names: Mapped[list[str] | None]


class Audience(Base):
    __tablename__ = "audience"
    id: Mapped[int] = mapped_column(primary_key=True)
    connection_id: Mapped[int] = mapped_column(ForeignKey("connection.id"), index=True)


@pytest.fixture(autouse=True)
def _tables(engine: Engine) -> None:
    Base.metadata.create_all(engine)


def test_an_instant_comes_back_aware_and_in_utc(sessions: SessionFactory) -> None:
    eastern = datetime(2026, 3, 1, 14, 30, 0, 5, tzinfo=timezone(timedelta(hours=2)))
    with unit_of_work(sessions) as session:
        session.add(Connection(name="a", at=eastern))
    with unit_of_work(sessions) as session:
        read = session.scalars(select(Connection.at)).one()
    assert read == eastern
    assert read is not None
    assert read.tzinfo is UTC


def test_instants_are_compared_as_instants(sessions: SessionFactory) -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    with unit_of_work(sessions) as session:
        session.add_all(
            [Connection(name="early", at=noon), Connection(name="late", at=noon + timedelta(microseconds=1))]
        )
    later_elsewhere = noon.astimezone(timezone(timedelta(hours=9)))
    with unit_of_work(sessions) as session:
        assert session.scalars(select(Connection.name).where(Connection.at > later_elsewhere)).all() == ["late"]


def test_a_naive_instant_is_refused(sessions: SessionFactory) -> None:
    with pytest.raises(StatementError, match="naive"), unit_of_work(sessions) as session:
        session.add(Connection(name="a", at=datetime(2026, 3, 1)))  # noqa: DTZ001 — the mistake under test


def test_an_enum_is_stored_by_value(sessions: SessionFactory) -> None:
    with unit_of_work(sessions) as session:
        session.add(Connection(name="a", state=State.PAUSED))
    with unit_of_work(sessions) as session:
        assert session.execute(text("SELECT state FROM connection")).scalar_one() == "paused"
        assert session.scalars(select(Connection.state)).one() is State.PAUSED


def test_a_value_that_the_enum_does_not_have_is_refused(sessions: SessionFactory) -> None:
    with pytest.raises(StatementError), unit_of_work(sessions) as session:
        session.add(Connection(name="a", state="asleep"))


def test_an_encrypted_column_refuses_a_plain_string(sessions: SessionFactory) -> None:
    with pytest.raises(StatementError, match="plain"), unit_of_work(sessions) as session:
        session.add(Connection(name="a", token="in the clear"))


def test_an_encrypted_column_keeps_what_was_sealed(sessions: SessionFactory) -> None:
    with unit_of_work(sessions) as session:
        session.add(Connection(name="a", token=Sealed("1.k.c")))
    with unit_of_work(sessions) as session:
        assert session.scalars(select(Connection.token)).one() == Sealed("1.k.c")


def test_json_comes_back_as_it_was_and_none_is_null(sessions: SessionFactory) -> None:
    with unit_of_work(sessions) as session:
        session.add(Connection(name="a", facts={"expected": ["ä", 1, None]}, names=["x"]))
        session.add(Connection(name="b"))
    with unit_of_work(sessions) as session:
        first, second = session.scalars(select(Connection).order_by(Connection.name))
        assert (first.facts, first.names) == ({"expected": ["ä", 1, None]}, ["x"])
        assert second.facts is None
        assert session.scalar(text("SELECT count(*) FROM connection WHERE facts IS NULL")) == 1


def test_foreign_keys_are_enforced(sessions: SessionFactory) -> None:
    with pytest.raises(IntegrityError), unit_of_work(sessions) as session:
        session.add(Audience(connection_id=99))


def test_every_constraint_has_a_name() -> None:
    named = {str(each.name) for table in Base.metadata.tables.values() for each in table.constraints}
    assert named == {
        "pk_connection",
        "uq_connection_name_state",
        "pk_audience",
        "fk_audience_connection_id_connection",
    }
    assert [index.name for index in Base.metadata.tables["audience"].indexes] == ["ix_audience_connection_id"]
