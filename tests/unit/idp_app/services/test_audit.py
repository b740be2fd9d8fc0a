"""The audit trail by time: the entries of a period are found by their order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from idp_app.models import AuditEntry
from idp_app.services import audit
from idp_app.services.act import Act
from tests.idp_factories import NOW, IdPSite

HOUR = timedelta(hours=1)


@pytest.fixture
def session(idp: IdPSite) -> Iterator[Session]:
    """A session on a site whose trail has an entry for each hour of a hundred, some of them forgotten."""
    with idp.installation.sessions() as opened:
        opened.execute(delete(AuditEntry))
        for hour in range(100):
            written(opened, hour)
        opened.execute(delete(AuditEntry).where(AuditEntry.kind.in_(["test.3", *(f"test.{n}" for n in range(50, 70))])))
        yield opened


def written(session: Session, hour: float) -> None:
    audit.record(session, f"test.{hour}", Act(NOW + hour * HOUR, "", "7KQ2-M4XD"))


def kinds(session: Session, which: ColumnElement[bool]) -> list[str]:
    return list(session.scalars(select(AuditEntry.kind).where(which).order_by(AuditEntry.id)))


@pytest.mark.parametrize("hour", [-5, 0, 2, 3, 4, 49, 55, 69, 70, 98, 99, 200])
def test_what_was_since_an_instant_and_what_was_up_to_it_is_everything(session: Session, hour: int):
    there = [number for number in range(100) if number != 3 and not 50 <= number < 70]
    instant = NOW + hour * HOUR
    assert kinds(session, audit.since(session, instant)) == [f"test.{each}" for each in there if each > hour]
    assert kinds(session, audit.until(session, instant)) == [f"test.{each}" for each in there if each <= hour]


def test_an_entry_that_was_written_at_the_end_of_a_long_run_counts_when_it_was_made(session: Session):
    written(session, 98.1)
    written(session, 100)
    assert kinds(session, audit.since(session, NOW + 98 * HOUR)) == ["test.99", "test.98.1", "test.100"]
    assert kinds(session, audit.until(session, NOW + 98.5 * HOUR))[-2:] == ["test.98", "test.98.1"]


def test_an_empty_trail_has_nothing_since_or_until(session: Session):
    session.execute(delete(AuditEntry))
    assert kinds(session, audit.since(session, NOW)) == kinds(session, audit.until(session, NOW)) == []
