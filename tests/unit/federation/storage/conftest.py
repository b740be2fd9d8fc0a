"""Each test of storage runs on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from federation.storage import engine as engines
from federation.storage.session import SessionFactory, factory
from tests.databases import KINDS, database_url


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with database_url(request.param, tmp_path) as address:
        yield address


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    made = engines.create(url)
    yield made
    made.dispose()


@pytest.fixture
def sessions(engine: Engine) -> SessionFactory:
    return factory(engine)
