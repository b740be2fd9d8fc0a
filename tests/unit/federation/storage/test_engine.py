from __future__ import annotations

import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Column, Engine, Integer, MetaData, Table, func, insert, select, text, update

from federation.errors import ConfigurationError
from federation.storage import engine as engines

COUNTER = Table("counter", MetaData(), Column("id", Integer, primary_key=True), Column("value", Integer))


@pytest.fixture
def counter(engine: Engine) -> Engine:
    COUNTER.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(insert(COUNTER).values(id=1, value=0))
    return engine


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Engine]:
    engine = engines.create(f"sqlite:///{tmp_path}/site.sqlite")
    yield engine
    engine.dispose()


def run_together(*works: Callable[[], None]) -> list[BaseException]:
    """Run each in a thread of its own; answer what they raised."""
    raised: list[BaseException] = []

    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return raised


def value(engine: Engine) -> int:
    with engine.begin() as connection:
        return int(connection.execute(select(COUNTER.c.value)).scalar_one())


def test_those_who_read_before_they_write_wait_in_line(counter: Engine) -> None:
    """The transaction that reads, then writes: where SQLite by itself fails at once with `database is locked`."""

    def work() -> None:
        for _ in range(25):
            with counter.begin() as connection:
                connection.execute(select(func.count()).select_from(COUNTER)).scalar_one()
                connection.execute(update(COUNTER).values(value=COUNTER.c.value + 1))

    assert run_together(work, work, work, work) == []
    assert value(counter) == 100


def test_reading_for_update_decides_on_what_is_there(counter: Engine) -> None:
    def work() -> None:
        for _ in range(25):
            with counter.begin() as connection:
                seen = connection.execute(select(COUNTER.c.value).with_for_update()).scalar_one()
                connection.execute(update(COUNTER).values(value=seen + 1))

    assert run_together(work, work, work) == []
    assert value(counter) == 75


def test_a_reader_is_not_held_up_by_a_writer(counter: Engine) -> None:
    with counter.begin() as writer:
        writer.execute(update(COUNTER).values(value=7))
        assert value(counter) == 0
    assert value(counter) == 7


def test_what_a_writer_did_is_taken_back_whole(counter: Engine) -> None:
    with counter.connect() as connection:
        connection.execute(select(COUNTER.c.value)).scalar_one()
        connection.execute(update(COUNTER).values(value=5))
        connection.execute(update(COUNTER).values(value=6))
        connection.rollback()
    assert value(counter) == 0


def test_a_savepoint_takes_back_its_own_part_only(counter: Engine) -> None:
    with counter.begin() as connection:
        connection.execute(select(COUNTER.c.value)).scalar_one()
        connection.execute(update(COUNTER).values(value=1))
        with connection.begin_nested() as savepoint:
            connection.execute(update(COUNTER).values(value=2))
            savepoint.rollback()
    assert value(counter) == 1


def test_a_savepoint_survives_the_first_write_inside_it(counter: Engine) -> None:
    with counter.begin() as connection:
        connection.execute(select(COUNTER.c.value)).scalar_one()
        with connection.begin_nested():
            connection.execute(update(COUNTER).values(value=3))
    assert value(counter) == 3


def test_a_database_that_answers_passes_the_check(engine: Engine) -> None:
    engines.check(engine)


def test_sqlite_is_set_up_for_a_web_process_and_a_worker(sqlite: Engine) -> None:
    with sqlite.connect() as connection:
        facts = [
            connection.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "foreign_keys", "synchronous", "wal_autocheckpoint")
        ]
    assert facts == ["wal", 1, 1, 4_000]


def test_a_missing_folder_is_made_and_nobody_else_can_read_the_database(tmp_path: Path) -> None:
    engine = engines.create(f"sqlite:///{tmp_path}/var/new/site.sqlite")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (x)"))
        files = sorted((tmp_path / "var/new").iterdir())
        assert [file.name for file in files] == ["site.sqlite", "site.sqlite-shm", "site.sqlite-wal"]
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_a_statement_in_autocommit_needs_no_transaction(counter: Engine) -> None:
    with counter.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(update(COUNTER).values(value=9))
    assert value(counter) == 9


def test_a_database_in_memory_is_one_database() -> None:
    engine = engines.create("sqlite://")
    COUNTER.metadata.create_all(engine)
    with engine.begin() as connection:
        assert connection.execute(select(COUNTER.c.value)).first() is None
    engine.dispose()


def test_a_file_that_is_no_database_is_said_in_one_sentence(tmp_path: Path) -> None:
    broken = tmp_path / "broken.sqlite"
    broken.write_bytes(b"this is a letter, not a database" * 100)
    with pytest.raises(
        ConfigurationError, match=r"the database sqlite:///.*broken\.sqlite cannot be used: file is not a database"
    ):
        engines.check(engines.create(f"sqlite:///{broken}"))


def test_a_folder_in_place_of_the_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be opened for writing: Is a directory"):
        engines.create(f"sqlite:///{tmp_path}")


def test_a_file_in_place_of_the_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be opened"):
        engines.create(f"sqlite:///{tmp_path}/var/site.sqlite")


def test_a_server_that_is_not_there_is_said_without_the_password() -> None:
    engine = engines.create("postgresql://who:hush@127.0.0.1:1/nothing")
    with pytest.raises(ConfigurationError) as caught:
        engines.check(engine)
    assert "postgresql+psycopg://who:***@127.0.0.1:1/nothing cannot be used" in str(caught.value)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("nonsense", "the database address is not one"),
        ("", "the database address is not one"),
        ("mysql://x/y", "'mysql' is not supported"),
        ("postgresql+asyncpg://x/y", "psycopg 3"),
    ],
)
def test_an_address_that_cannot_be_used_is_said(url: str, sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        engines.create(url)


def test_values_stay_out_of_error_messages(counter: Engine) -> None:
    with pytest.raises(Exception, match="hidden") as caught, counter.begin() as connection:
        connection.execute(text("INSERT INTO counter (id, nothing) VALUES (:id, 1)"), {"id": 424242})
    assert "424242" not in str(caught.value)
