"""The federation's tables, empty, in a file of their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from federation.storage import engine as engines
from sp_app.models import Base
from tests.databases import KINDS, database_url


@pytest.fixture(scope="session", params=KINDS)
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Each kind of database, once for the run."""
    with database_url(request.param, tmp_path_factory.mktemp("unit")) as url:
        made = engines.create(url)
        Base.metadata.create_all(made)
        yield made
        made.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """One unit of work, never committed."""
    with Session(engine, expire_on_commit=False) as session:
        yield session
