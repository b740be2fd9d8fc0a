"""The demo federation and a Chromium for all browser tests: once over plain http, once over https on three sites."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.person import Person
from tests.certificate_authority import CertificateAuthority
from tests.demo_sites import DemoSites, demo_sites

HTTP = "http-one-host"
HTTPS = "https-three-sites"


@pytest.fixture(scope="session", params=[HTTP, HTTPS])
def sites(
    request: pytest.FixtureRequest,
    chromium: Browser,
    authority: CertificateAuthority,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[DemoSites]:
    """The running demo. Over plain http the sites share a host, so a cookie jar; over https SameSite bites."""
    directory = tmp_path_factory.mktemp(request.param)
    with demo_sites(directory, authority=authority if request.param == HTTPS else None) as running:
        yield running


@pytest.fixture
def person(chromium: Browser, sites: DemoSites) -> Iterator[Person]:
    """Somebody at a browser of their own, signed in nowhere."""
    with Person(chromium, sites) as somebody:
        yield somebody


@pytest.fixture
def person_without_scripts(chromium: Browser, sites: DemoSites) -> Iterator[Person]:
    """Somebody whose browser runs no scripts."""
    with Person(chromium, sites, scripts=False) as somebody:
        yield somebody
