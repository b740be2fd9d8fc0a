from __future__ import annotations

import pytest
from sqlalchemy import Column, Engine, Integer, MetaData, String, Table, insert, select
from sqlalchemy.exc import IntegrityError
from transaction import TransactionManager

from federation.storage.session import SessionFactory, for_transaction_manager, unit_of_work

NOTE = Table("note", MetaData(), Column("id", Integer, primary_key=True), Column("text", String))


@pytest.fixture(autouse=True)
def _tables(engine: Engine) -> None:
    NOTE.metadata.create_all(engine)


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


def test_the_transaction_manager_commits_what_a_core_statement_wrote(sessions: SessionFactory) -> None:
    """zope.sqlalchemy would call such a session unchanged, and roll it back."""
    tm = TransactionManager(explicit=True)
    tm.begin()
    for_transaction_manager(sessions, tm).execute(NOTE.insert().values(text="kept"))
    tm.commit()
    assert notes(sessions) == ["kept"]


def test_the_transaction_manager_takes_back_what_it_aborts(sessions: SessionFactory) -> None:
    tm = TransactionManager(explicit=True)
    tm.begin()
    for_transaction_manager(sessions, tm).execute(insert(NOTE).values(text="lost"))
    tm.abort()
    assert notes(sessions) == []


def test_one_session_serves_the_next_transaction_too(sessions: SessionFactory) -> None:
    """As a request does whose refusal is recorded in place of what it wrote."""
    tm = TransactionManager(explicit=True)
    tm.begin()
    session = for_transaction_manager(sessions, tm)
    session.execute(insert(NOTE).values(text="lost"))
    tm.abort()
    tm.begin()
    session.execute(insert(NOTE).values(text="kept"))
    tm.commit()
    assert notes(sessions) == ["kept"]
