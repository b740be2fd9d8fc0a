"""The federation's tables, empty, in a file of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from federation.storage import engine as engines
from sp_app.models import Base


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """SQLite as the sites use it."""
    made = engines.create(f"sqlite:///{tmp_path / 'unit.sqlite'}")
    Base.metadata.create_all(made)
    yield made
    made.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """One unit of work, never committed."""
    with Session(engine, expire_on_commit=False) as session:
        yield session
