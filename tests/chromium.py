"""The system's headless Chromium, driven by Playwright: fixtures for the browser and interop tests."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.certificate_authority import CertificateAuthority, make_authority
from tests.demo_sites import HOSTS, PASSWORD
from tests.live import program

QUIET = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""Nothing but the sites under test is to be asked for anything."""


@pytest.fixture(scope="session")
def authority() -> CertificateAuthority:
    """The certificate authority of this run, which the test's Chromium trusts and nothing else does."""
    return make_authority()


@pytest.fixture(scope="session")
def chromium(authority: CertificateAuthority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A Chromium that resolves `HOSTS` to loopback and trusts `authority` through a certificate store of its own."""
    executable, certutil = program("chromium"), program("certutil")
    home = tmp_path_factory.mktemp("chromium")
    trust(authority.certificate, home=home, certutil=certutil)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable,
            args=[*QUIET, "--host-resolver-rules=" + ", ".join(f"MAP {host} 127.0.0.1" for host in HOSTS)],
            # Chromium's sandbox refuses to start as root, which CI containers are.
            chromium_sandbox=os.geteuid() != 0,
            env={**os.environ, "HOME": str(home), "XDG_DATA_HOME": str(home / ".local/share")},
        )
        yield browser
        browser.close()


def trust(certificate: bytes, *, home: Path, certutil: str) -> None:
    """Make an NSS certificate store below `home` in which `certificate` (PEM) is an authority for web sites."""
    authority = home / "authority.crt"
    authority.write_bytes(certificate)
    store = home / ".pki/nssdb"
    store.mkdir(parents=True)
    for arguments in (["-N", "--empty-password"], ["-A", "-n", "test authority", "-t", "C,,", "-i", str(authority)]):
        subprocess.run([certutil, "-d", f"sql:{store}", *arguments], check=True, capture_output=True, timeout=60)


def sign_in(page: Page, username: str, password: str = PASSWORD) -> None:
    """Fill in our IdP's sign-in form, which must be showing, and send it."""
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()
