"""Publishers of metadata for tests: a real HTTP server, and a federation that signs what it lists.

with serving() as server:
    federation = Federation([intranet.metadata(NOW)])
    server.put("/aggregate.xml", federation.document(NOW))
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote

from sqlalchemy import select

from federation.registry import sources
from federation.registry.fetching import Fetched
from federation.registry.host import Limits, Occasion
from federation.registry.querying import Querier
from federation.registry.refreshing import Refresher, Report
from federation.saml import xml
from federation.saml.names import DS
from federation.saml.times import format_instant
from federation.storage import engine as engines
from federation.storage.session import SessionFactory, factory, unit_of_work
from sp_app.models import AuditEntry, Base, MetadataEntity, MetadataSource
from sp_app.services.metadata import HOST
from tests.metadata_factories import certificate_of, fingerprint_of, group_xml, signed

FEDERATION = "federation"
"""The name of the key that signs for a federation."""
OURS = "https://ours.example.org/saml"


@dataclass
class Served:
    """What one address answers."""

    content: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False


@dataclass
class Server:
    """A server on loopback. `asked` are the paths asked for, with the status that each was answered with."""

    port: int
    served: dict[str, Served] = field(default_factory=dict)
    asked: list[tuple[str, int]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def put(self, path: str, content: bytes, *, cut: bool = False) -> str:
        """Serve a document, with an entity tag; answers its address. `cut` breaks off in the middle."""
        tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        self.served[path] = Served(content, headers={"ETag": tag}, cut=cut)
        return f"{self.url}{path}"

    def redirect(self, path: str, target: str, status: int = 302) -> str:
        """Lead elsewhere."""
        self.served[path] = Served(status=status, headers={"Location": target})
        return f"{self.url}{path}"

    def fail(self, path: str, status: int = 503) -> str:
        """Answer an error."""
        self.served[path] = Served(b"no", status)
        return f"{self.url}{path}"


@contextmanager
def serving() -> Iterator[Server]:
    """A server for the length of a test."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = unquote(self.path)
            found = server.served.get(path, Served(b"nothing here", 404))
            tag = found.headers.get("ETag")
            status = 304 if tag is not None and self.headers.get("If-None-Match") == tag else found.status
            server.asked.append((path, status))
            self.send_response(status)
            for name, value in found.headers.items():
                self.send_header(name, value)
            body = b"" if status == 304 else found.content
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if found.cut else body)

        def log_message(self, *_arguments: object) -> None:
            """Keep the tests' output clean."""

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server = Server(listener.server_address[1])
    thread = threading.Thread(target=listener.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join(5)


def plain(document: bytes) -> str:
    """An entity's published metadata without signature, validity and declaration, to put into a group."""
    root = xml.parse(document)
    own = root.find(f"{{{DS}}}Signature")
    if own is not None:
        root.remove(own)
    for name in ("ID", "validUntil", "cacheDuration"):
        root.attrib.pop(name, None)
    return (
        xml.serialise(root).decode().partition("?>")[2].strip()
        if b"<?xml" in xml.serialise(root)
        else (xml.serialise(root).decode())
    )


def aggregate(
    documents: Sequence[bytes], now: datetime, *, key: str = FEDERATION, days: float = 10, attributes: str = ""
) -> bytes:
    """A federation's signed document of entities."""
    until = format_instant(now + timedelta(days=days))
    inside = [plain(each) for each in documents]
    return signed(group_xml(*inside, attributes=f'validUntil="{until}" {attributes}'), key)


def answer(document: bytes, now: datetime, *, key: str = FEDERATION, days: float = 5) -> bytes:
    """A responder's signed answer about one entity."""
    root = xml.parse(plain(document).encode())
    root.set("validUntil", format_instant(now + timedelta(days=days)))
    return signed(xml.serialise(root), key)


def query_path(entity_id: str) -> str:
    """Where a responder answers for an entity, percent-decoded."""
    return f"/mdq/entities/{entity_id}"


def only(reports: Sequence[Report]) -> Report:
    """The one report there is."""
    (report,) = reports
    return report


def refresh(refresher: Refresher, source_id: str) -> Report:
    """Refresh a source that nobody else is at."""
    report = refresher.refresh(source_id)
    assert report is not None
    return report


@dataclass
class Registry:
    """The registry of a service provider, alone: the tables of one, and nobody around it. `now` is its time."""

    sessions: SessionFactory
    now: datetime

    @classmethod
    def make(cls, folder: Path, now: datetime) -> Self:
        """An empty one in a folder."""
        engine = engines.create(f"sqlite:///{folder / 'registry.sqlite'}")
        Base.metadata.create_all(engine)
        return cls(factory(engine), now)

    limits = Limits(OURS, timedelta(minutes=3), timedelta(days=366), allow_http_loopback=True)

    def add(self, kind: str, location: str, **more: Any) -> str:
        """Add a source that the federation's key signs for, unless `more` says otherwise; answers its id."""
        with unit_of_work(self.sessions) as session:
            name = f"Source {len(sources.every(session, HOST)) + 1}"
            new = sources.NewSource(name, kind, location, **({"signer_fingerprints": [PIN]} | more))
            return sources.add(session, HOST, new, self.limits, Occasion(self.now, "a test", "")).id

    def source(self, source_id: str) -> MetadataSource:
        """A source as it is now."""
        with unit_of_work(self.sessions) as session:
            return session.get_one(MetadataSource, source_id)

    @property
    def refresher(self) -> Refresher:
        """What refreshes its sources."""
        return Refresher(
            HOST, self.sessions, self.limits, clock=lambda: self.now, actor="a test", reference="", random=lambda: 0.0
        )

    @property
    def querier(self) -> Querier:
        """What asks its Metadata Query responders."""
        return Querier(HOST, self.sessions, self.limits, clock=lambda: self.now)

    def take_in(self, source_id: str, document: bytes) -> str:
        """Take in a document as if the source had said it. Raises what the refresh reports."""
        return self.refresher._take_in(self.source(source_id), Fetched(document))

    def entities(self) -> dict[str, str]:
        """The entityIDs that are usable, with what is usable of them (its digest)."""
        with unit_of_work(self.sessions) as session:
            return {each.entity_id: each.digest for each in session.scalars(select(MetadataEntity))}

    def refusals(self) -> list[AuditEntry]:
        """What the audit trail says of failed refreshes."""
        with unit_of_work(self.sessions) as session:
            failed = select(AuditEntry).where(AuditEntry.rule == "metadata.source.failed").order_by(AuditEntry.id)
            return list(session.scalars(failed))


PIN = fingerprint_of(FEDERATION)
CERTIFICATE = certificate_of(FEDERATION)
