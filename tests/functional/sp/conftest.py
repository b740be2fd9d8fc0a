"""One site for the run, as new for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from webtest import TestApp

from tests.databases import KINDS, database_url
from tests.sp_factories import Site, make_site


@pytest.fixture(scope="session", params=KINDS)
def running_site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The demo site Intranet on https, connected to a fake identity provider, once on each kind of database."""
    folder = tmp_path_factory.mktemp("intranet")
    with database_url(request.param, folder) as url:
        site = make_site(folder, database_url=url)
        yield site
        site.provider.engine.dispose()


@pytest.fixture
def site(running_site: Site) -> Site:
    """The same, as new."""
    running_site.reset()
    return running_site


@pytest.fixture
def browser(site: Site) -> TestApp:
    """A browser that has not been here before."""
    return site.browser()
