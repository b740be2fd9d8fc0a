"""A site of its own for each test, with two connected service providers.

The modules in `ON_BOTH` run on SQLite and, where a server is given, on PostgreSQL too. Where none is, the test of the
migrations says so once, and not every test here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import KINDS, POSTGRESQL_URL, database_url
from tests.idp_factories import FakeSP, IdPSite, make_idp

ON_BOTH = ("test_single_sign_on", "test_sign_in", "test_console", "test_artifact")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests of some modules once for each database."""
    if "idp" in metafunc.fixturenames and metafunc.module.__name__.rpartition(".")[2] in ON_BOTH:
        metafunc.parametrize("database", KINDS if POSTGRESQL_URL in os.environ else KINDS[:1], indirect=True)


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database."""
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
