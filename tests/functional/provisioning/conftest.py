"""Two sites: an identity provider with the demo's people, and Intranet, connected by SCIM."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.provisioning_factories import Sites, make_sites


@pytest.fixture
def sites(tmp_path: Path) -> Sites:
    """Intranet serves Staff (Alice, Carol, Ada) and is told what the preset `directory` allows."""
    return make_sites(tmp_path)


@pytest.fixture
def provisioned(sites: Sites) -> Sites:
    """The same, after a first load; nothing of it is on the wire's record any more."""
    assert sites.provision().ok
    sites.wire.sent.clear()
    return sites
