"""An identity provider that provisions a real service provider, both in this process and over no network.

sites = make_sites(tmp_path)      the identity provider with the demo's people, and Intranet, connected by SCIM
sites.provision()                 one run; sites.accounts() says what Intranet then has
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from federation.http import Answer, Unreachable
from federation.scim.client import Client
from federation.storage.session import unit_of_work
from idp_app.models import Connection
from idp_app.services import audiences, connections, people
from idp_app.services.connections import token_context
from idp_app.services.provisioning import service
from idp_app.services.provisioning.run import BATCH, Report, run
from sp_app.services import connections as sp_connections
from sp_app.services import scim_tokens
from tests.idp_factories import FakeSP, IdPSite, make_idp
from tests.sp_factories import Site, make_site

SCIM_URL = "https://intranet.example.org/scim/v2"
Interference = Callable[[str, str, dict[str, Any] | None], None]


class WsgiSender:
    """Sends requests straight into the application of a site.

    `sent` keeps what went out. `before` and `after` are called with method, path and body around each request; what
    they raise happens on the way to the site, or on the way back.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self.sent: list[tuple[str, str, dict[str, Any] | None]] = []
        self.before: Interference = lambda *_: None
        self.after: Interference = lambda *_: None
        self.answer: Callable[[str, str], Answer | None] = lambda *_: None

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, content: bytes | None = None
    ) -> Answer:
        parts = urlsplit(url)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        body = None if content is None else json.loads(content)
        self.sent.append((method, path.removeprefix("/scim/v2"), body))
        self.before(method, path, body)
        forged = self.answer(method, path)
        if forged is not None:
            return forged
        response = self._site.browser().request(
            path, method=method, headers=dict(headers or {}), body=content or b"", expect_errors=True
        )
        self.after(method, path, body)
        return Answer(
            response.status_int, {name.lower(): value for name, value in response.headers.items()}, response.body
        )


def lost(*_: object) -> None:
    """The connection breaks, and nobody knows what the other side has done."""
    raise Unreachable("https://intranet.example.org", "the connection was lost", sent=True)


class Killed(BaseException):
    """What a power cut is to a process."""


def killed(*_: object) -> None:
    """The process ends, here and now."""
    raise Killed


@dataclass
class Sites:
    """The two sites, and the wire between them."""

    idp: IdPSite
    sp: Site
    wire: WsgiSender
    connection_id: str
    owners: Iterator[str] = field(default_factory=lambda: (f"worker-{number}" for number in range(10**6)))

    @contextmanager
    def connect(self, connection: Connection) -> Iterator[Client]:
        """A client over the wire."""
        assert connection.provisioning_token is not None
        box = self.idp.installation.secret_box
        token = box.decrypt(connection.provisioning_token, context=token_context(connection))
        yield Client(self.wire, base_url=str(connection.provisioning_url), token=token)

    def provision(self, *, should_stop: Callable[[], bool] = lambda: False) -> Report:
        """One run of the worker: the outbox, then whatever is due."""
        service.sweep(self.idp.installation)
        return self.run(should_stop=should_stop)

    def run(self, *, should_stop: Callable[[], bool] = lambda: False) -> Report:
        """One run, without looking at the outbox."""
        return run(
            self.idp.installation,
            self.connection_id,
            connect=self.connect,
            owner=next(self.owners),
            random=lambda: 0.5,
            should_stop=should_stop,
        )

    def change(self, username: str, use_case: Callable[..., Any], *arguments: Any) -> None:
        """An administrator changes a person: `change("alice", people.suspend)`."""
        with self.idp.work() as session:
            use_case(session, people.find(session, username), *arguments, self.idp.act())

    def update(self, username: str, **fields: str) -> None:
        """An administrator changes fields of a person."""
        with self.idp.work() as session:
            person = people.find(session, username)
            for name, value in fields.items():
                setattr(person, name, value)
            people.changed(session, person, self.idp.act(), "person.updated")

    def move(self, username: str, *audience_names: str) -> None:
        """An administrator puts a person into exactly these audiences."""
        with self.idp.work() as session:
            ids = [audiences.find(session, name).id for name in audience_names]
            people.set_audiences(session, people.find(session, username), ids, self.idp.act())

    def regroup(self, username: str, *names: str) -> None:
        """An administrator puts a person into exactly these groups."""
        with self.idp.work() as session:
            person = people.find(session, username)
            people.put_in_groups(session, person, names)
            people.changed(session, person, self.idp.act(), "person.groups")

    def accounts(self) -> dict[str, bool]:
        """The accounts at the service provider by display name, and whether each is active."""
        return {name: bool(active) for name, active in self.sp.rows("select display_name, active from sp_account")}

    def members(self) -> dict[str, set[str]]:
        """The groups at the service provider, and the names of who is in them."""
        groups: dict[str, set[str]] = {
            name: set() for (name,) in self.sp.rows("select display_name from sp_scim_group")
        }
        for name, display in self.sp.rows(
            "select g.display_name, a.display_name from sp_scim_member m join sp_scim_group g on g.id = m.group_id"
            " join sp_account a on a.id = m.user_id"
        ):
            groups[name].add(display)
        return groups

    def advance(self, **span: float) -> None:
        """Let time pass at both sites."""
        self.idp.clock.advance(**span)
        self.sp.clock.advance(**span)


def make_sites(
    folder: Path,
    *,
    release: str = "directory",
    serves: tuple[str, ...] = ("Staff",),
    databases: tuple[str, str] | None = None,
) -> Sites:
    """Both sites, connected; nothing is provisioned yet. `databases` are the addresses of theirs, files unless told."""
    for name in ("idp", "sp"):
        (folder / name).mkdir(parents=True)
    more = ({}, {}) if databases is None else ({"database_url": databases[0]}, {"database_url": databases[1]})
    idp, sp = make_idp(folder / "idp", **more[0]), make_site(folder / "sp", **more[1])
    idp.connect(FakeSP(), release=release, serves=serves)
    with sp.unit_of_work() as session:
        connection = sp_connections.by_entity_id(session, sp.idp.entity_id)
        assert connection is not None
        token = scim_tokens.create(session, connection, name="a test", now=sp.clock())
    with unit_of_work(idp.installation.sessions) as session:
        partner = connections.find(session, "Intranet")
        connections.set_provisioning(
            session,
            partner,
            SCIM_URL,
            token,
            idp.act(),
            box=idp.installation.secret_box,
            settings=idp.installation.settings,
        )
        connection_id = partner.id
    return Sites(idp, sp, WsgiSender(sp), connection_id)


__all__ = ["BATCH", "Killed", "Sites", "WsgiSender", "killed", "lost", "make_sites"]
