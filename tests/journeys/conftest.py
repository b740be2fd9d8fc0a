"""The demo federation, started once for all journeys over plain http; no browser is needed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.demo_sites import DemoSites, demo_sites
from tests.journeys.plain_browser import PlainBrowser


@pytest.fixture(scope="session")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoSites]:
    """The running demo."""
    with demo_sites(tmp_path_factory.mktemp("journeys")) as running:
        yield running


@pytest.fixture
def browser() -> Iterator[PlainBrowser]:
    """Somebody who is signed in nowhere."""
    with PlainBrowser() as somebody:
        yield somebody
