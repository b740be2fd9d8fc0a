"""A browser without scripts, for machines without Chromium: it keeps cookies, follows redirects and sends forms."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import urljoin

import httpx
from bs4 import BeautifulSoup, Tag

from tests.demo_sites import PASSWORD


@dataclass(frozen=True)
class Form:
    """One form of a page: where it goes and what it holds."""

    action: str
    fields: dict[str, str]


class PlainBrowser:
    """Somebody's cookies and the page that is showing."""

    def __init__(self) -> None:
        self._client = httpx.Client(follow_redirects=True, timeout=30, trust_env=False)
        self.page = httpx.Response(204)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    @property
    def url(self) -> str:
        """The address of the page that is showing."""
        return str(self.page.url)

    @property
    def text(self) -> str:
        """The words of the page that is showing."""
        return BeautifulSoup(self.page.text, "lxml").get_text(" ", strip=True)

    def open(self, url: str) -> httpx.Response:
        """Go to `url`, wherever it leads."""
        self.page = self._client.get(url)
        return self.page

    def form(self) -> Form:
        """The page's form, as a browser would send it: that of its main part, where it has one."""
        soup = BeautifulSoup(self.page.text, "lxml")
        found = soup.select_one("main form") or soup.select_one("form[method=post]")
        assert found is not None, f"no form at {self.url}: {self.text}"
        fields = {str(field["name"]): str(field.get("value", "")) for field in found.select("input[name]")}
        return Form(urljoin(self.url, _attribute(found, "action")), fields)

    def send(self, **changes: str) -> httpx.Response:
        """Send the page's form with some fields filled in."""
        form = self.form()
        self.page = self._client.post(form.action, data=form.fields | changes)
        return self.page

    def sign_in(self, username: str, password: str = PASSWORD) -> httpx.Response:
        """Fill in the sign-in form, then press Continue."""
        self.send(username=username, password=password)
        carries = re.search(r'name="SAML(Response|art)"', self.page.text)
        return self.send() if carries else self.page

    def forget(self) -> None:
        """Lose every cookie."""
        self._client.cookies.clear()

    def forget_names(self, pattern: str) -> None:
        """Lose the cookies whose names match: sites on one host name share a jar, whatever their ports."""
        for cookie in [each for each in self._client.cookies.jar if re.search(pattern, each.name)]:
            self._client.cookies.jar.clear(cookie.domain, cookie.path, cookie.name)


def _attribute(tag: Tag, name: str) -> str:
    value = tag.get(name, "")
    assert isinstance(value, str)
    return value
