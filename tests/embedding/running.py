"""The library as a running site, and what a test does with it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyramid.interfaces import IRoutesMapper
from pyramid.router import Router
from sqlalchemy import create_engine, select, text
from sqlalchemy.orm import Session
from webtest import TestApp

from sp_app.provider import Provider, provider_of
from tests.embedding.library import Reader
from tests.sp_factories import Clock, FakeIdP, connect, site_settings


@dataclass
class Library:
    """The application, its clock, its identity provider, and a token for SCIM."""

    app: Router
    clock: Clock
    idp: FakeIdP
    token: str
    settings: dict[str, Any]

    @property
    def provider(self) -> Provider:
        return provider_of(self.app.registry)

    def browser(self) -> TestApp:
        """A reader's browser."""
        return TestApp(self.app, extra_environ={"wsgi.url_scheme": "https", "HTTP_HOST": "library.example.org"})

    def at_the_desk(self, **reader: str) -> TestApp:
        """The browser of a reader who signed in as the library always did."""
        engine = create_engine(self.settings["library.database"])
        with Session(engine) as session, session.begin():
            session.add(made := Reader(**reader))
            session.flush()
            number = made.number
        engine.dispose()
        browser = self.browser()
        browser.get("/desk", {"number": str(number)})
        return browser

    def paths(self, prefix: str) -> list[str]:
        """The paths of the routes whose names begin so."""
        mapper = self.app.registry.getUtility(IRoutesMapper)
        return ["/" + route.path.lstrip("/") for route in mapper.get_routes() if route.name.startswith(prefix)]

    def readers(self) -> list[dict[str, Any]]:
        """The library's people, from its own table."""
        engine = create_engine(self.settings["library.database"])
        with Session(engine) as session:
            found = session.scalars(select(Reader).order_by(Reader.number)).all()
            people = [{"number": each.number, "name": each.full_name, "may_enter": each.may_enter} for each in found]
        engine.dispose()
        return people

    def visits(self) -> list[bool]:
        """Which of the library's own sessions are over."""
        engine = create_engine(self.settings["library.database"])
        with engine.connect() as connection:
            found = [bool(over) for (over,) in connection.execute(text("select over from visit"))]
        engine.dispose()
        return found

    def connect(self, idp: FakeIdP) -> None:
        """Make a new version of an identity provider's metadata live."""
        engine = create_engine(self.settings["library.database"])
        with Session(engine) as session, session.begin():
            connect(session, idp, self.provider.entity_id)
        engine.dispose()

    def scim(self, method: str, path: str, body: dict[str, Any] | None = None, status: int | None = None) -> Any:
        """What an identity provider's provisioning sends."""
        return self.browser().request(
            f"/federation/scim/v2{path}",
            method=method,
            POST=b"" if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/scim+json"},
            status=status,
        )

    def sign_in(self, browser: TestApp, path: str = "/shelves/new?sort=title", **changes: Any) -> Any:
        """From a protected page to the identity provider and back."""
        departure = self.idp.read(browser.get(path).follow())
        return browser.post("/federation/saml/acs", self.idp.answer(departure, **changes))


def library_settings(folder: Path) -> dict[str, Any]:
    """Our tables stand beside the library's own, in one database."""
    file = f"sqlite:///{folder / 'library.sqlite'}"
    own = site_settings(
        folder, public_url="https://library.example.org", site_name="Library", database_url=file, default_target="/"
    )
    return {**own, "library.database": file}
