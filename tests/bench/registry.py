"""Ten thousand entities in the database of a service provider: finding one, and taking in what changed.

What is looked up is one entity by its entityID, as the hot path does it, beside the bare SQL that reads the same row.
"""

from __future__ import annotations

import gc
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Engine, bindparam, func, select
from sqlalchemy.orm import Session

from federation.registry import entities as search
from federation.registry import sources
from federation.registry.host import Limits, Occasion
from federation.registry.lookup import KEEP, Entities
from federation.registry.refreshing import Refresher
from federation.storage import engine as engines
from federation.storage.base import table_of
from federation.storage.session import factory, unit_of_work
from sp_app.services import offers
from sp_app.services.metadata import HOST
from tests.bench import aggregate
from tests.bench.measure import Entry, Operation

LIMITS = Limits("https://ours.example.org/saml", timedelta(minutes=3), timedelta(days=366), allow_http_loopback=False)
OCCASION = Occasion(datetime.now(UTC), "bench", "")
GROWTH = 60_000_000
CHANGED = 100


def make_empty(folder: Path) -> None:
    """Make an empty database of a service provider, to be copied."""
    from sp_app import database  # brings Alembic, which no refresh needs

    engine = engines.create(f"sqlite:///{folder / 'empty.sqlite'}")
    database.upgrade(engine)
    engine.dispose()


def fresh_engine(folder: Path, name: str) -> Engine:
    """A copy of it."""
    for left in folder.glob(f"{name}*"):
        left.unlink()
    shutil.copy(folder / "empty.sqlite", folder / name)
    return engines.create(f"sqlite:///{folder / name}")


@dataclass(frozen=True)
class Filled:
    """A database that holds the aggregate, a session on it, and what refreshes its source."""

    folder: TemporaryDirectory[str]
    session: Session
    refresher: Refresher
    source: str
    made: datetime

    def refresh(self) -> str:
        report = self.refresher.refresh(self.source)
        assert report is not None
        assert report.ok, report.sentence
        return report.sentence


@cache
def _filled() -> Filled:
    folder = TemporaryDirectory()
    path = Path(folder.name)
    now = datetime.now(UTC)
    document, signer = aggregate.write(path, now=now)
    make_empty(path)
    sessions = factory(fresh_engine(path, "registry.sqlite"))
    with unit_of_work(sessions) as session:
        new = sources.NewSource("Bench", "file", str(document), signer_certificates=[signer.read_bytes()])
        source = sources.add(session, HOST, new, LIMITS, OCCASION).id
    refresher = Refresher(HOST, sessions, LIMITS, clock=lambda: datetime.now(UTC), actor="bench", reference="")
    filled = Filled(folder, sessions(), refresher, source, now)
    filled.refresh()
    return filled


def _rewritten() -> int:
    """How many rows a refresh writes in which 100 entities are new."""
    filled, table = _filled(), table_of(HOST.tables.entity)
    aggregate.write(Path(filled.folder.name), now=filled.made, changed=CHANGED)
    before = datetime.now(UTC)
    said = filled.refresh()
    assert said.endswith(f"0 added, {CHANGED} changed, 0 removed"), said
    filled.session.rollback()  # what it saw until now is over
    written = select(func.count()).select_from(table).where(table.c.changed >= before)
    assert (filled.session.scalar(select(func.count()).select_from(table)) or 0) == aggregate.ENTITIES / 2
    return filled.session.scalar(written) or 0


def _one_of(numbers: range) -> Callable[[], str]:
    chance = random.Random(2)
    return lambda: f"https://site{chance.choice(numbers)}.example.org/saml"


def _bare(next_id: Callable[[], str]) -> Operation:
    table = table_of(HOST.tables.entity)
    statement = select(table).where(table.c.entity_id == bindparam("sought"))

    def read() -> None:
        assert _filled().session.execute(statement, {"sought": next_id()}).first() is not None

    return read


def _looking_up(entities: Entities, next_id: Callable[[], str]) -> Operation:
    def look_up() -> None:
        assert entities.by_entity_id(_filled().session, next_id()) is not None

    return look_up


def _bare_search() -> object:
    table = table_of(HOST.tables.entity)
    statement = select(table.c.name, table.c.entity_id).where(table.c.name_key.like("%site77%")).limit(search.AT_MOST)
    return _filled().session.execute(statement).all()


def _chooser() -> object:
    session, now = _filled().session, datetime.now(UTC)
    return offers.count(session, now, "site77"), offers.search(session, now, "site77", offset=0, limit=40)


def _bare_chooser() -> object:
    """As much of it as SQL alone can do: the number, and the rows of a page."""
    table, session = table_of(HOST.tables.entity), _filled().session
    wanted = table.c.found_by.like("%site77%")
    page = select(table.c.name, table.c.document).where(wanted).order_by(table.c.name_key).limit(40)
    return session.execute(select(func.count()).where(wanted)).scalar(), session.execute(page).all()


def _growth() -> int:
    """By how much a fresh process grows that looks up two thousand entities, one after the other."""
    command = [sys.executable, "-m", "tests.bench.registry", _filled().folder.name]
    return int(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def grow(folder: Path) -> int:
    """Look them up, and answer by how many octets this process has grown."""
    session, entities = factory(engines.create(f"sqlite:///{folder / 'registry.sqlite'}"))(), Entities(HOST)
    assert entities.by_entity_id(session, "https://site9999.example.org/saml") is not None
    gc.collect()
    before = _resident()
    for number in range(1, 4001, 2):
        known = entities.by_entity_id(session, f"https://site{number}.example.org/saml")
        assert known is not None
        assert known.entity.idp is not None
    return max(1, _resident() - before)


def _resident() -> int:
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024


def _number(operation: Operation) -> float:
    answer = operation()
    assert isinstance(answer, int)
    return answer


def _megabytes(value: float) -> str:
    return f"{value / 1_000_000:.0f} MB"


def entries() -> Iterator[Entry]:
    """The lines on the registry."""
    some, every = range(1, KEEP, 2), range(1, aggregate.ENTITIES, 2)
    kept, cold = Entities(HOST), Entities(HOST)
    yield Entry("2,000 look-ups: growth", _growth, "allowed", lambda: GROWTH, 1.0, 1, _number, _megabytes)
    yield Entry(
        "look-up of a partner", _looking_up(kept, _one_of(some)), "its row by SQL", _bare(_one_of(some)), 3.0, 400
    )
    yield Entry(
        "look-up of any entity", _looking_up(cold, _one_of(every)), "its row by SQL", _bare(_one_of(every)), 3.0
    )
    yield Entry(
        "search by name",
        lambda: search.search(_filled().session, HOST, "site77"),
        "the same by SQL",
        _bare_search,
        5.0,
        50,
    )
    yield Entry(
        "100 entities are new: rows written",
        _rewritten,
        "as many",
        lambda: CHANGED,
        1.0,
        1,
        _number,
        lambda n: f"{n:.0f}",
    )
    yield Entry("search in the chooser", _chooser, "as much by SQL", _bare_chooser, 5.0, 20)


if __name__ == "__main__":
    print(grow(Path(sys.argv[1])))
