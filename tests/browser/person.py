"""Somebody at a browser: what a person does and sees, in the words of the tests."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Response, expect

from tests.chromium import sign_in
from tests.demo_sites import PASSWORD, DemoSites

PATIENCE = 10_000
"""Milliseconds to wait for a page or an element: generous, a busy machine is no failure."""


class Person:
    """One browser profile (cookies of its own) with one page open. Leaving asserts that the browser had no complaint.

    A complaint is anything a developer would find in the console: a blocked script, a refused form target, a missing
    file, an exception.
    """

    def __init__(self, chromium: Browser, sites: DemoSites, *, scripts: bool = True, **options: Any) -> None:
        self.sites = sites
        self.scripts = scripts
        self.context = chromium.new_context(java_script_enabled=scripts, **options)
        self.context.set_default_timeout(PATIENCE)
        self.complaints: list[str] = []
        self._visited: set[str] = set()
        self.context.on("console", self._hear)
        self.context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        self.context.on("response", self._note)
        self.page = self.new_tab()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.context.close()
        if kind is None and self.complaints:
            pytest.fail("the browser complained:\n" + "\n".join(self.complaints), pytrace=False)

    def _hear(self, message: ConsoleMessage) -> None:
        # A page that answers 403 is reported like a missing file; the tests look at such pages themselves. /whoami is
        # JSON and names no icon, so a browser guesses at /favicon.ico.
        url = message.location["url"]
        if message.type == "error" and url not in self._visited and not url.endswith("/favicon.ico"):
            self.complaints.append(f"{message.text} ({url})")

    def _note(self, response: Response) -> None:
        if response.request.is_navigation_request():
            self._visited.add(response.url)

    def new_tab(self) -> Page:
        """Open another page that shares the cookies."""
        return self.context.new_page()

    def sign_in(self, username: str, password: str = PASSWORD, *, page: Page | None = None) -> None:
        """Fill in the IdP's sign-in form, which must be showing, and send it."""
        sign_in(page or self.page, username, password)

    def arrives(self, url: str | re.Pattern[str], *, page: Page | None = None) -> None:
        """Wait until the page is exactly at `url`, or at one that it matches."""
        expect(page or self.page).to_have_url(url)

    def arrives_at_idp(self, *, page: Page | None = None) -> None:
        """Wait until the page is some page of the IdP."""
        expect(page or self.page).to_have_url(re.compile("^" + re.escape(self.sites.idp + "/")))

    def whoami(self, site: str) -> dict[str, Any] | None:
        """What the SP at `site` says about this browser, or None when it is signed out there."""
        tab = self.new_tab()
        try:
            answer = tab.goto(f"{site}/whoami")
            assert answer is not None
            if answer.status == 401:
                return None
            assert answer.status == 200
            told: dict[str, Any] = answer.json()
            return told
        finally:
            tab.close()

    def statement(self, site: str) -> dict[str, list[str]]:
        """The attributes that arrived at `site`, by their friendly names; somebody must be signed in there."""
        told = self.whoami(site)
        assert told is not None
        return {told["friendly_names"][name]: values for name, values in told["attributes"].items()}

    def waits_until(self, condition: Callable[[], bool], what: str, seconds: float = 15) -> None:
        """Try again until `condition()`; fails after `seconds`."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"after {seconds:g} s still not: {what}"
            time.sleep(0.5)

    def forget(self, site: str) -> None:
        """Lose the cookies of one site ("intranet"): each site's are named after it, for ports share one cookie jar."""
        self.context.clear_cookies(name=re.compile(f"^(__Host-)?{site}-"))
