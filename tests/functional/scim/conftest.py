"""A service provider's site, and clients of its SCIM endpoint."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scim_factories import ScimClient, scim_client
from tests.sp_factories import Site, make_site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A demo site, on and connected."""
    folder = tmp_path / "site"
    folder.mkdir()
    return make_site(folder)


@pytest.fixture
def scim(site: Site) -> ScimClient:
    """The identity provider's client."""
    return scim_client(site)
