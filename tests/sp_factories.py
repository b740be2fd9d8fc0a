"""A service provider's site for tests, and an identity provider beside it that signs with real keys.

site = make_site(tmp_path)        a demo site with its own database and keys, federation on, connected to `site.idp`
browser = site.browser()          a WebTest application with a cookie jar of its own
departure = site.idp.read(browser.get("/private").follow())
browser.post("/saml/acs", site.idp.answer(departure))
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pyramid.router import Router
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session
from webtest import TestApp, TestResponse

from federation.attributes.catalogue import CATALOGUE
from federation.keys.index import USES
from federation.saml.bindings import post, redirect
from federation.saml.identifiers import new_id
from federation.saml.messages import Attribute, AuthnRequest, NameID, Received, Status
from federation.saml.metadata import publishing
from federation.saml.metadata.entity import Contact, Endpoint, Entity, UIInfo
from federation.saml.metadata.reading import read_document
from federation.saml.names import Binding, NameIDFormat
from federation.saml.profiles import sso_request, sso_response
from federation.storage import engine as engines
from federation.storage.session import unit_of_work
from federation.web.scope import scope_of
from sp_app import database, demo
from sp_app.models import Base, IdPConnection
from sp_app.provider import Provider, provider_of
from sp_app.services import connections, switch
from tests.factories import key_pair, signing_key
from tests.live import serving
from tests.metadata_factories import entity_xml, idp_role_xml, key_xml, sso_xml

NOW = datetime(2026, 3, 4, 10, 0, 0, tzinfo=UTC)
ALICE = "qmvjz4xxb3rp7rlnw2xshqfg2e4t5yuw6ciodxnjs7kbz3ah2fga@example.org"
BOB = "zzcjz4xxb3rp7rlnw2xshqfg2e4t5yuw6ciodxnjs7kbz3ah2fgb@example.org"
TARGET = "/private/reports?year=2026&x=%C3%A9"


class Clock:
    """The sites' clock: it stands still until a test moves it."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **span: float) -> None:
        """Let time pass."""
        self.now += timedelta(**span)


@dataclass(frozen=True)
class Departure:
    """What the browser carries to the identity provider."""

    request: AuthnRequest
    relay_state: str | None
    binding: str


def attribute(key: str, *values: str) -> Attribute:
    """An attribute of the catalogue."""
    entry = CATALOGUE[key]
    return Attribute(entry.name, values, entry.name_format, entry.friendly_name)


def attributes(identifier: str | None = ALICE, **more: str | Sequence[str]) -> tuple[Attribute, ...]:
    """What the identity provider tells: a pairwise-id and whatever else, by catalogue key."""
    told = {"pairwise_id": identifier} if identifier is not None else {}
    return tuple(
        attribute(key, *([values] if isinstance(values, str) else values)) for key, values in (told | more).items()
    )


@dataclass
class FakeIdP:
    """An identity provider with real keys and no pages. `partner` is the service provider as its metadata has it."""

    clock: Clock
    entity_id: str = "https://idp.example.org/saml/metadata"
    sso_url: str = "https://idp.example.org/saml/sso"
    name: str = "Example University"
    scopes: tuple[str, ...] = ("example.org",)
    key: str = "idp"
    partner: Entity | None = None
    bindings: tuple[str, ...] = (Binding.REDIRECT, Binding.POST)
    single_logout: tuple[Endpoint, ...] = ()
    ui_info: UIInfo | None = None
    contacts: tuple[Contact, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)

    def metadata(self) -> bytes:
        """Its signed metadata."""
        key = signing_key(self.key)
        assert key.certificate is not None
        entity = publishing.idp_entity(
            entity_id=self.entity_id,
            presentation=publishing.Presentation(self.name, contacts=self.contacts),
            sso_url=self.sso_url,
            scopes=self.scopes,
            sso_bindings=self.bindings,
            single_logout=self.single_logout,
            want_authn_requests_signed=True,
            **{"signing_certificates": [key.certificate], **self.options},
        )
        if self.ui_info is not None:
            assert entity.idp is not None
            entity = replace(entity, idp=replace(entity.idp, ui_info=self.ui_info))
        return publishing.publish(entity, signing_key=key, document_id=new_id(), now=self.clock())

    @property
    def fingerprint(self) -> str:
        """What a person confirms."""
        from federation.saml.certificates import fingerprint

        certificate = signing_key(self.key).certificate
        assert certificate is not None
        return fingerprint(certificate)

    def receive(self, response: TestResponse) -> Received:
        """The message with which a response of the site sends the browser away: a redirect or a form."""
        if response.status_int == 303:
            return redirect.decode(urlsplit(response.location).query.encode())
        form = response.forms["message"]
        assert form.action == self.sso_url
        return post.decode(form.submit_fields())

    def read(self, response: TestResponse) -> Departure:
        """Accept the site's AuthnRequest, as an identity provider would."""
        received = self.receive(response)
        assert self.partner is not None
        accepted = sso_request.accept(
            received,
            expected_destination=self.sso_url,
            idp_entity_id=self.entity_id,
            partner=self.partner,
            now=self.clock(),
            want_signed=True,
        )
        return Departure(accepted.request, received.relay_state, received.binding)

    def response(self, departure: Departure, **changes: Any) -> bytes:
        """A response to the request, for Alice: signed, its assertion encrypted. `changes` are arguments of `build`."""
        assert self.partner is not None
        assert self.partner.sp is not None
        now = self.clock()
        arguments: dict[str, Any] = {
            "response_id": new_id(),
            "assertion_id": new_id(),
            "issuer": self.entity_id,
            "acs": self.partner.sp.assertion_consumer[0],
            "in_response_to": departure.request.id,
            "audience": self.partner.entity_id,
            "name_id": NameID(new_id(), NameIDFormat.TRANSIENT, self.entity_id, self.partner.entity_id),
            "attributes": attributes(display_name="Alice Archer"),
            "authn_instant": now - timedelta(minutes=1),
            "session_index": "_session",
            "authn_context_class_ref": "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
            "now": now,
            "signing_key": signing_key(self.key),
            "encrypt_to": self.partner.sp.encryption_keys[0],
        }
        return sso_response.build(**(arguments | changes)).octets

    def answer(self, departure: Departure, **changes: Any) -> dict[str, str]:
        """The fields that the browser posts to the site."""
        return fields(self.response(departure, **changes), departure.relay_state)

    def deny(self, departure: Departure, second_level: str | None, **changes: Any) -> dict[str, str]:
        """An answer without an assertion."""
        assert self.partner is not None
        assert self.partner.sp is not None
        arguments: dict[str, Any] = {
            "response_id": new_id(),
            "issuer": self.entity_id,
            "acs": self.partner.sp.assertion_consumer[0],
            "in_response_to": departure.request.id,
            "status": Status("urn:oasis:names:tc:SAML:2.0:status:Responder", second_level, "<b>text of the IdP</b>"),
            "now": self.clock(),
            "signing_key": signing_key(self.key),
        }
        return fields(sso_response.build_error(**(arguments | changes)).octets, departure.relay_state)


def fields(document: bytes, relay_state: str | None) -> dict[str, str]:
    """A response as HTTP-POST delivers it."""
    posted = {"SAMLResponse": base64.b64encode(document).decode()}
    return posted if relay_state is None else {**posted, "RelayState": relay_state}


@dataclass
class Site:
    """A running demo site."""

    app: Router
    clock: Clock
    idp: FakeIdP

    @property
    def provider(self) -> Provider:
        return provider_of(self.app.registry)

    @property
    def origin(self) -> str:
        return self.provider.settings.public_url

    def browser(self) -> TestApp:
        """A browser with an empty cookie jar."""
        parts = urlsplit(self.origin)
        environ = {"wsgi.url_scheme": parts.scheme, "HTTP_HOST": parts.netloc}
        return TestApp(self.app, extra_environ=environ)

    def reset(self) -> None:
        """As new: nobody is here, the federation is on, one identity provider is connected."""
        self.clock.now = NOW
        self.idp = FakeIdP(self.clock)
        with self.unit_of_work() as session:
            for table in reversed(Base.metadata.sorted_tables):
                session.execute(table.delete())
            switch.turn(session, on=True, now=NOW)
        self.connect(self.idp)

    def switch(self, *, on: bool) -> None:
        """Enable or disable the federation."""
        with self.unit_of_work() as session:
            switch.turn(session, on=on, now=self.clock())

    def unit_of_work(self) -> Any:
        """A transaction on the site's database."""
        return unit_of_work(self.provider.sessions)

    def connect(self, idp: FakeIdP, **changes: Any) -> None:
        """Make an identity provider's metadata live, as the command does."""
        with self.unit_of_work() as session:
            connect(session, idp, self.provider.entity_id, **changes)
        idp.partner = read_document(self.provider.metadata(self.clock()))[0]

    def connect_many(self, count: int) -> None:
        """Connect as many more identity providers, called Institute 000 and so on, by the quickest way."""
        now = self.clock()
        kept = {"created_at": now, "modified_at": now, "valid_until": None, "request_binding": "redirect"}
        with self.unit_of_work() as session:
            for number in range(count):
                entity_id, name = f"https://idp{number:03}.example.net/idp", f"Institute {number:03}"
                told = f"<mdui:UIInfo><mdui:DisplayName xml:lang='en'>{name}</mdui:DisplayName></mdui:UIInfo>"
                role = idp_role_xml(
                    key_xml("idp") + sso_xml(f"https://idp{number:03}.example.net/sso"), extensions=told
                )
                document = entity_xml(role, entity_id=entity_id).encode()
                more = {"metadata_version": 1, "metadata_xml": document, "revision": 1, **kept}
                session.add(IdPConnection(id=f"many-{number}", entity_id=entity_id, name=name, state="active", **more))

    def change_connection(self, **values: Any) -> None:
        """Change our record of the identity provider."""
        with self.unit_of_work() as session:
            connection = connections.by_entity_id(session, self.idp.entity_id)
            assert connection is not None
            for name, value in values.items():
                setattr(connection, name, value)

    def counts(self) -> dict[str, int]:
        """Rows of every table of the federation."""
        with self.unit_of_work() as session:
            return {
                table.name: session.scalar(select(func.count()).select_from(table)) or 0
                for table in Base.metadata.sorted_tables
            }

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """What is in the database; `?` stands for a value."""
        named = {f"value{number}": value for number, value in enumerate(values)}
        for name in named:
            sql = sql.replace("?", f":{name}", 1)
        with self.unit_of_work() as session:
            return [tuple(row) for row in session.execute(text(sql), named)]

    def sign_in(self, browser: TestApp, target: str = "/private", **changes: Any) -> TestResponse:
        """Sign a person in from start to finish; answers what the assertion consumer service answered."""
        departure = self.idp.read(browser.get("/saml/login", {"target": target}))
        return browser.post("/saml/acs", self.idp.answer(departure, **changes))


def connect(session: Session, idp: FakeIdP, own_entity_id: str, **changes: Any) -> IdPConnection:
    """Make an identity provider's metadata live."""
    arguments: dict[str, Any] = {
        "name": None,
        "fingerprints": [idp.fingerprint],
        "own_entity_id": own_entity_id,
        "allow_http_loopback": False,
        "max_validity": timedelta(days=366),
        "trusted_by": "a test",
        "now": idp.clock(),
        "signing_key": signing_key("sp-signing"),
    }
    connection, _ = connections.connect(session, idp.metadata(), **(arguments | changes))
    return connection


def write_keys(directory: Path, *further: str) -> None:
    """The site's keys: the same in every test, because making them takes long."""
    directory.mkdir(parents=True)
    for purpose in (*USES, *further):
        private, certificate = key_pair(f"sp-{purpose}")
        (directory / f"{purpose}.key.pem").write_bytes(private)
        (directory / f"{purpose}.key.pem").chmod(0o600)
        (directory / f"{purpose}.crt.pem").write_bytes(certificate)


def site_settings(folder: Path, **settings: str) -> dict[str, str]:
    """The settings of a site whose keys and database are in a folder, by their names in the ini file."""
    names = {
        "public_url": "https://intranet.example.org",
        "site_name": "Intranet",
        "database_url": f"sqlite:///{folder / 'site.sqlite'}",
        "keys_directory": str(folder / "keys"),
        "requested_attributes": "display_name mail department groups",
        "default_target": "/private",
    }
    return {f"sp.{name}": value for name, value in (names | settings).items()}


@contextmanager
def served(site: Site) -> Iterator[None]:
    """Let the site be reached at the port of its own public address, on loopback."""
    with serving(site.app, urlsplit(site.origin).port):
        yield


def make_site(folder: Path, *further_keys: str, **settings: str) -> Site:
    """A demo site, switched on and connected; with `further_keys` besides its usual ones."""
    write_keys(folder / "keys", *further_keys)
    raw = site_settings(folder, **settings)
    engine = engines.create(raw["sp.database_url"])
    database.upgrade(engine)
    engine.dispose()
    clock = Clock()
    app = demo.main({}, **raw)
    scope_of(app.registry).clock = clock
    site = Site(app=app, clock=clock, idp=FakeIdP(clock))
    site.reset()
    return site
