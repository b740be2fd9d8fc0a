from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, event, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from transaction import TransactionManager

from federation.storage.base import table_of
from federation.storage.prepared import Prepared
from federation.storage.session import SessionFactory, driver_of, factory, for_transaction_manager, unit_of_work
from federation.web.transactions import Manager


class Base(DeclarativeBase):
    pass


class Note(Base):
    __tablename__ = "note"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]


NOTE = table_of(Note)


@pytest.fixture(autouse=True)
def _tables(engine: Engine) -> None:
    NOTE.metadata.create_all(engine)


@pytest.fixture(params=[lambda: TransactionManager(explicit=True), Manager], ids=["host", "own"])
def tm(request: pytest.FixtureRequest) -> Any:
    """A host's transaction manager, and that of a site of ours."""
    return request.param()


def notes(sessions: SessionFactory) -> list[str]:
    with unit_of_work(sessions) as session:
        return list(session.scalars(select(NOTE.c.text)))


def test_a_unit_of_work_commits_at_its_end(sessions: SessionFactory) -> None:
    with unit_of_work(sessions) as session:
        session.execute(insert(NOTE).values(text="kept"))
    assert notes(sessions) == ["kept"]


def test_a_unit_of_work_that_fails_leaves_nothing(sessions: SessionFactory) -> None:
    with pytest.raises(IntegrityError), unit_of_work(sessions) as session:
        session.execute(insert(NOTE), [{"id": 1, "text": "lost"}, {"id": 1, "text": "twice"}])
    assert notes(sessions) == []


def test_the_transaction_manager_commits_what_a_core_statement_wrote(tm: Any, sessions: SessionFactory) -> None:
    tm.begin()
    for_transaction_manager(sessions, tm).execute(NOTE.insert().values(text="kept"))
    tm.commit()
    assert notes(sessions) == ["kept"]


def test_the_transaction_manager_takes_back_what_it_aborts(tm: Any, sessions: SessionFactory) -> None:
    tm.begin()
    for_transaction_manager(sessions, tm).execute(insert(NOTE).values(text="lost"))
    tm.abort()
    assert notes(sessions) == []


def test_one_session_serves_the_next_transaction_too(tm: Any, sessions: SessionFactory) -> None:
    """As a request does whose refusal is recorded in place of what it wrote."""
    tm.begin()
    session = for_transaction_manager(sessions, tm)
    session.execute(insert(NOTE).values(text="lost"))
    tm.abort()
    tm.begin()
    session.execute(insert(NOTE).values(text="kept"))
    tm.commit()
    assert notes(sessions) == ["kept"]


ALL = Prepared(select(NOTE.c.text))
PREPARED = Prepared(insert(NOTE), fills=["text"])


def test_objects_and_statements_for_the_driver_share_the_transaction(tm: Any, sessions: SessionFactory) -> None:
    for ends, kept in ((tm.abort, []), (tm.commit, ["core", "driver", "object"])):
        tm.begin()
        session = for_transaction_manager(sessions, tm)
        PREPARED.write(session, {"text": "driver"})
        session.add(Note(text="object"))
        assert ("object",) in ALL.rows(session, {}), "what was only added counts"
        session.execute(insert(NOTE).values(text="core"))
        assert sorted(note.text for note in session.scalars(select(Note))) == ["core", "driver", "object"]
        ends()
        assert sorted(notes(sessions)) == kept


def test_what_was_noted_is_heard_of_when_statements_for_the_driver_alone_are_committed(
    tm: Any, sessions: SessionFactory, engine: Engine
) -> None:
    heard = []
    event.listen(sessions, "after_commit", lambda _session: heard.append(notes(factory(engine))))
    session = for_transaction_manager(sessions, tm)
    for ends in (tm.commit, tm.abort, tm.commit):
        tm.begin()
        PREPARED.write(session, {"text": "again"})
        session.info["noted"] = True
        ends()
    assert heard == [["again"], ["again", "again"]]


def test_what_a_session_never_has_is_missing_before_and_after_it_is_asked_for_objects(
    tm: Any, sessions: SessionFactory
) -> None:
    session = for_transaction_manager(sessions, tm)
    for _ in range(2):
        with pytest.raises(AttributeError, match="nonsense"):
            getattr(session, "nonsense")  # noqa: B009 (the type has it neither)
        assert session.get_transaction() is None
    assert not session.expire_on_commit, "the factory's options count"


def test_statements_for_the_driver_find_the_transaction_again_whatever_was_asked_of_the_orm_between(
    tm: Any, sessions: SessionFactory
) -> None:
    for between in (Session.get_bind, Session.rollback, Session.expunge_all, Session.close, Session.connection):
        tm.begin()
        session = for_transaction_manager(sessions, tm)
        before = driver_of(session)
        between(session)
        assert driver_of(session) is before
        PREPARED.write(session, {"text": between.__name__})
        tm.commit()
    assert notes(sessions) == ["get_bind", "rollback", "expunge_all", "close", "connection"]


def test_an_object_that_was_only_added_is_written(tm: Any, sessions: SessionFactory) -> None:
    tm.begin()
    for_transaction_manager(sessions, tm).add(Note(text="added"))
    tm.commit()
    assert notes(sessions) == ["added"]


def test_what_went_to_the_driver_is_kept_although_an_object_was_added_and_taken_out_again(
    tm: Any,
    sessions: SessionFactory,
) -> None:
    tm.begin()
    session = for_transaction_manager(sessions, tm)
    PREPARED.write(session, {"text": "kept"})
    note = Note(text="never")
    session.add(note)
    session.expunge(note)
    tm.commit()
    assert notes(sessions) == ["kept"]


def test_a_savepoint_of_the_manager_takes_back_its_own_part_only(sessions: SessionFactory) -> None:
    tm = TransactionManager(explicit=True)
    tm.begin()
    session = for_transaction_manager(sessions, tm)
    PREPARED.write(session, {"text": "kept"})
    savepoint = tm.savepoint()
    PREPARED.write(session, {"text": "lost"})
    savepoint.rollback()
    tm.commit()
    assert notes(sessions) == ["kept"]


class Objector:
    """Somebody else who takes part in the transaction and refuses at the last moment."""

    transaction_manager = None

    def sortKey(self) -> str:
        return "somebody"

    def tpc_vote(self, _transaction: object) -> None:
        raise ValueError("no")

    def tpc_begin(self, _transaction: object) -> None:
        pass

    commit = tpc_finish = tpc_abort = abort = tpc_begin


def test_nothing_is_kept_when_somebody_else_refuses_to_commit(sessions: SessionFactory) -> None:
    tm = TransactionManager(explicit=True)
    tm.begin()
    session = for_transaction_manager(sessions, tm)
    PREPARED.write(session, {"text": "lost"})
    tm.get().join(Objector())
    with pytest.raises(ValueError, match="no"):
        tm.commit()
    tm.abort()
    tm.begin()
    PREPARED.write(session, {"text": "kept"})
    tm.commit()
    assert notes(sessions) == ["kept"]


def test_a_transaction_goes_on_after_the_session_rolled_back_by_itself(tm: Any, sessions: SessionFactory) -> None:
    tm.begin()
    session = for_transaction_manager(sessions, tm)
    session.add(Note(text="lost"))
    session.flush()
    session.rollback()
    PREPARED.write(session, {"text": "lost too"})
    tm.abort()
    assert notes(sessions) == []


def test_what_was_taken_back_leaves_no_connection_behind(tm: Any, sessions: SessionFactory, engine: Engine) -> None:
    tm.begin()
    PREPARED.write(for_transaction_manager(sessions, tm), {"text": "x"})
    assert out_of_the_pool(engine) == 1
    tm.abort()
    assert out_of_the_pool(engine) == 0


def test_few_connections_wait_outside_of_the_pool_and_none_when_the_engine_is_done(
    sessions: SessionFactory, engine: Engine
) -> None:
    managers = [Manager() for _ in range(4)]
    for manager in managers:
        manager.begin()
        assert ALL.rows(for_transaction_manager(sessions, manager), {}) == []
    assert out_of_the_pool(engine) == 4
    for manager in managers:
        manager.commit()
    assert out_of_the_pool(engine) == (2 if engine.dialect.name == "sqlite" else 0)
    engine.dispose()
    assert out_of_the_pool(engine) == 0
    manager.begin()
    assert ALL.rows(for_transaction_manager(sessions, manager), {}) == []
    manager.abort()


def out_of_the_pool(engine: Engine) -> int:
    return int(engine.pool.checkedout())  # type: ignore[attr-defined]
