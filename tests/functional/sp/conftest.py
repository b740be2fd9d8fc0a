"""One site for the run, as new for each test."""

from __future__ import annotations

import pytest
from webtest import TestApp

from tests.sp_factories import Site, make_site


@pytest.fixture(scope="session")
def running_site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The demo site Intranet on https, connected to a fake identity provider."""
    return make_site(tmp_path_factory.mktemp("intranet"))


@pytest.fixture
def site(running_site: Site) -> Site:
    """The same, as new."""
    running_site.reset()
    return running_site


@pytest.fixture
def browser(site: Site) -> TestApp:
    """A browser that has not been here before."""
    return site.browser()
