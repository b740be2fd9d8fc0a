"""A fresh site for each test."""

from __future__ import annotations

from pathlib import Path

import pytest
from webtest import TestApp

from tests.sp_factories import Site, make_site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """The demo site Intranet on https, federation on, connected to a fake identity provider."""
    folder = tmp_path / "intranet"
    folder.mkdir()
    return make_site(folder)


@pytest.fixture
def browser(site: Site) -> TestApp:
    """A browser that has not been here before."""
    return site.browser()
