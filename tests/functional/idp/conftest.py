"""A site of its own for each test, with two connected service providers.

A module that runs on both databases has a `pytestmark` that parametrises `database` over `KINDS`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import database_url
from tests.idp_factories import FakeSP, IdPSite, make_idp


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database: SQLite unless the module asks for both."""
    with database_url(getattr(request, "param", "sqlite"), tmp_path) as url:
        yield url


@pytest.fixture
def idp(tmp_path: Path, database: str) -> Iterator[IdPSite]:
    """The identity provider, federation on."""
    site = make_idp(tmp_path, database_url=database)
    yield site
    site.installation.engine.dispose()


@pytest.fixture
def intranet(idp: IdPSite) -> FakeSP:
    """Serves Staff; is told what a directory needs."""
    return idp.connect(FakeSP("Intranet", "http://localhost:6544"), serves=["Staff"], release="directory")


@pytest.fixture
def learning(idp: IdPSite) -> FakeSP:
    """Serves Staff and Learners; is told a name."""
    sp = FakeSP("Learning", "http://localhost:6545", key_name="other-sp")
    return idp.connect(sp, serves=["Staff", "Learners"], release="name-only")
