"""An identity provider, a service provider and a publisher of metadata, on both databases."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import KINDS, POSTGRESQL_URL, database_url
from tests.idp_factories import IdPSite, make_idp
from tests.registry_factories import Server, serving
from tests.sp_factories import Site, make_site


@pytest.fixture(params=KINDS if POSTGRESQL_URL in os.environ else KINDS[:1])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database."""
    with database_url(request.param, tmp_path) as url:
        yield url


@pytest.fixture
def idp(database: str, tmp_path: Path) -> Iterator[IdPSite]:
    """An identity provider with people, and no service provider."""
    site = make_idp(tmp_path / "idp", database_url=database)
    yield site
    site.installation.engine.dispose()


@pytest.fixture
def sp(database: str, tmp_path: Path) -> Iterator[Site]:
    """A service provider, connected to one identity provider."""
    site = make_site(tmp_path / "sp", database_url=database, allow_http_loopback="true")
    yield site
    site.provider.engine.dispose()


@pytest.fixture
def server() -> Iterator[Server]:
    """A publisher on loopback."""
    with serving() as running:
        yield running
