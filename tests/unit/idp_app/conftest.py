"""A database of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from idp_app.installation import Installation
from idp_app.services.act import Act
from tests.idp_factories import NOW, IdPSite, make_idp, make_installation


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """Keys and an empty database."""
    made = make_installation(tmp_path)
    yield made
    made.engine.dispose()


@pytest.fixture
def session(installation: Installation) -> Iterator[Session]:
    """One open session; what a test writes is gone with it."""
    with installation.sessions() as opened:
        yield opened


@pytest.fixture
def act() -> Act:
    """An occasion."""
    return Act(NOW, "test", "TEST-0001")


@pytest.fixture
def idp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IdPSite]:
    """A site with the demo's people."""
    site = make_idp(tmp_path_factory.mktemp("idp"))
    yield site
    site.installation.engine.dispose()
