"""An identity provider's site for tests, with people, and service providers beside it that sign with real keys.

idp = make_idp(tmp_path)              a site with its own database and keys, federation on, the demo's people
intranet = idp.connect(FakeSP())      a service provider, connected through its signed metadata
browser = idp.browser()               a WebTest application with a cookie jar of its own
page = browser.get(intranet.redirect_url()).follow()
"""

from __future__ import annotations

import base64
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from sqlalchemy import func, make_url, select
from sqlalchemy.orm import Session
from webtest import TestApp, TestResponse

from federation.attributes.catalogue import CATALOGUE, requested_attribute
from federation.attributes.policy import ReleasePolicy
from federation.saml import certificates
from federation.saml.bindings.post import PostForm
from federation.saml.encryption import DecryptionKey
from federation.saml.identifiers import new_id
from federation.saml.messages import Received
from federation.saml.metadata import publishing
from federation.saml.metadata.entity import Entity
from federation.saml.metadata.reading import read_document
from federation.saml.names import Binding
from federation.saml.profiles import sso_request, sso_response
from federation.saml.signature import SigningKey
from federation.storage.session import unit_of_work
from idp_app import installation as installations
from idp_app.composition import make_app
from idp_app.installation import Installation
from idp_app.models import AuditEntry, Connection, Person
from idp_app.services import audiences, connections, people, switch
from idp_app.services.act import Act
from idp_app.services.publication import document
from idp_app.settings import IdPSettings
from tests.factories import base64_text, decryption_key, key_pair, signing_key

NOW = datetime(2026, 3, 4, 10, 0, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"
PEOPLE = (
    ("alice", "Alice", "Archer", "Physics", ("board", "physics-staff"), ("Staff",)),
    ("bob", "Bob", "Baker", "History", (), ("Learners",)),
    ("carol", "Carol", "Clark", "History", ("library",), ("Staff", "Learners")),
    ("dave", "Dave", "Dunn", "Estates", (), ()),
    ("admin", "Ada", "Min", "IT", (), ("Staff",)),
)


class Clock:
    """The site's clock: it stands still until a test moves it."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **span: float) -> None:
        """Let time pass."""
        self.now += timedelta(**span)


@dataclass(frozen=True)
class FakeSP:
    """A service provider made of the toolkit itself: it asks, and it judges answers as ours do."""

    name: str = "Intranet"
    origin: str = "http://localhost:6544"
    idp_url: str = "http://localhost:6543"
    key_name: str = "sp"
    asks_for: tuple[str, ...] = tuple(CATALOGUE)
    encrypts: bool = True
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def entity_id(self) -> str:
        return f"{self.origin}/saml/metadata"

    @property
    def acs_url(self) -> str:
        return f"{self.origin}/saml/acs"

    @property
    def key(self) -> SigningKey:
        return signing_key(self.key_name)

    @property
    def decryption_key(self) -> DecryptionKey:
        return decryption_key()

    @property
    def fingerprint(self) -> str:
        """What an administrator pins."""
        return certificates.fingerprint(certificates.load_certificate(key_pair(self.key_name)[1]))

    def entity(self) -> Entity:
        """Itself."""
        encryption = certificates.load_certificate(key_pair("sp-encryption")[1])
        return publishing.sp_entity(
            **{
                "entity_id": self.entity_id,
                "presentation": publishing.Presentation(display_name=self.name, description=f"The {self.name}"),
                "acs_url": self.acs_url,
                "signing_certificates": [certificates.load_certificate(key_pair(self.key_name)[1])],
                "encryption_certificates": [encryption] if self.encrypts else [],
                "requested": [requested_attribute(key) for key in self.asks_for],
                **self.options,
            }
        )

    def metadata(self, now: datetime = NOW, *, validity: timedelta = timedelta(days=21)) -> bytes:
        """Its signed metadata."""
        return publishing.publish(self.entity(), signing_key=self.key, document_id=new_id(), now=now, validity=validity)

    def request(self, now: datetime = NOW, **more: Any) -> Any:
        """An AuthnRequest."""
        arguments: dict[str, Any] = {
            "id": new_id(),
            "issuer": self.entity_id,
            "destination": f"{self.idp_url}/saml/sso",
            "acs_url": self.acs_url,
            "now": now,
        }
        return sso_request.build(**(arguments | more))

    def redirect_url(
        self, now: datetime = NOW, *, key: SigningKey | None = None, relay_state: str | None = "relay", **more: Any
    ) -> str:
        """A request as an address of the IdP, without its origin."""
        request = self.request(now, **more)
        url = sso_request.send(request, binding=Binding.REDIRECT, key=key or self.key, relay_state=relay_state)
        assert isinstance(url, str)
        return url.removeprefix(self.idp_url)

    def form(self, now: datetime = NOW, **more: Any) -> PostForm:
        """A request as a form."""
        form = sso_request.send(self.request(now, **more), binding=Binding.POST, key=self.key, relay_state="relay")
        assert isinstance(form, PostForm)
        return form

    def accept(
        self, page: TestResponse, idp: Entity, now: datetime = NOW, request_id: str | None = None, **more: Any
    ) -> sso_response.AcceptedResponse:
        """Its verdict on what a page of the IdP sends to it. Raises `StatusRefused` for an error."""
        received = sent(page)
        return sso_response.accept(
            received,
            sso_response.ResponseExpectations(
                **{
                    "sp_entity_id": self.entity_id,
                    "acs_url": self.acs_url,
                    "idp": idp,
                    "request_id": request_id or sso_response.in_response_to_of(received),
                    "now": now,
                    "decryption_keys": (self.decryption_key,),
                    **more,
                }
            ),
        )


def sent(page: TestResponse) -> Received:
    """The message in the form of a page that sends itself on."""
    form = page.forms["message"]
    return Received(
        binding=Binding.POST,
        parameter="SAMLResponse",
        xml=base64.b64decode(form["SAMLResponse"].value),
        relay_state=form["RelayState"].value if "RelayState" in form.fields else None,
    )


@dataclass(frozen=True)
class IdPSite:
    """A running site. `entity` is what partners know of it."""

    installation: Installation
    clock: Clock
    app: Any
    entity: Entity

    def browser(self, **environ: str) -> TestApp:
        """A browser with an empty cookie jar."""
        url = self.installation.settings.public_url
        scheme, _, host = url.partition("://")
        extra = {"HTTP_HOST": host, "wsgi.url_scheme": scheme, "REMOTE_ADDR": "192.0.2.7"}
        return TestApp(self.app, extra_environ=extra | environ)

    def sign_in(self, username: str, password: str = PASSWORD) -> TestApp:
        """A browser in which somebody is signed in."""
        browser = self.browser()
        done = fill_in(browser.get("/signin"), username, password)
        assert done.status_int == 303, done.text
        return browser

    def act(self, actor: str = "test") -> Act:
        """An occasion, now."""
        return Act(self.clock(), actor, "TEST-0001")

    def work(self) -> Any:
        """A transaction of its own."""
        return unit_of_work(self.installation.sessions)

    def connect(
        self,
        sp: FakeSP,
        *,
        serves: Sequence[str] = ("Staff",),
        release: str = "directory",
        presets: Sequence[str] = (),
        chosen: Sequence[str] = (),
        **more: Any,
    ) -> FakeSP:
        """Connect a service provider as an administrator does."""
        with self.work() as session:
            trusted = connections.examine(
                session,
                sp.metadata(self.clock(), **more),
                self.act(),
                settings=self.installation.settings,
                signer_fingerprints=[sp.fingerprint],
            )
            connections.connect(
                session,
                trusted,
                self.act(),
                name=sp.name,
                audiences=[audiences.find(session, name) for name in serves],
                policy=ReleasePolicy.from_preset(release),
                pins=[sp.fingerprint],
                ready=self.installation.ready,
                presets=presets,
                options=chosen,
            )
        return replace(sp, idp_url=self.installation.settings.public_url)

    def audit(self) -> Sequence[AuditEntry]:
        """The audit trail, oldest first."""
        with self.work() as session:
            return session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()

    def count(self, table: type[Any]) -> int:
        """How many rows a table has."""
        with self.work() as session:
            return session.scalar(select(func.count()).select_from(table)) or 0

    def person(self, username: str) -> Person:
        """A person, detached."""
        with self.work() as session:
            return people.find(session, username)

    def connection(self, name: str) -> Connection:
        """A connection, detached."""
        with self.work() as session:
            return connections.find(session, name)


def fill_in(page: TestResponse, username: str, password: str = PASSWORD, **more: Any) -> TestResponse:
    """Submit the sign-in form of a page; answers whatever comes."""
    form = next(form for form in page.forms.values() if "password" in form.fields)
    form["username"], form["password"] = username, password
    return form.submit(expect_errors=True, **more)


def make_settings(folder: Path, **more: Any) -> IdPSettings:
    """Settings of a site whose state lies in a folder."""
    return IdPSettings.model_validate(
        {
            "public_url": "http://localhost:6543",
            "allow_http_loopback": True,
            "site_name": "Example University",
            "scope": "example.org",
            "support_email": "help@example.org",
            "database_url": f"sqlite:///{folder}/idp.sqlite",
            "keys_directory": folder / "keys",
            "password_memory_kib": 8,
            "password_time_cost": 1,
            "password_parallelism": 1,
            **more,
        }
    )


@cache
def _template() -> Path:
    """A folder with keys and an empty, upgraded database, made once for a run."""
    folder = Path(mkdtemp(prefix="idp-template-"))
    _write_keys(folder / "keys")
    installations.upgrade(make_settings(folder), now=NOW)
    return folder


def _write_keys(directory: Path) -> None:
    directory.mkdir(mode=0o700, parents=True)
    pairs = {
        "idp": ("signing.key.pem", "signing.crt.pem"),
        "idp-encryption": ("encryption.key.pem", "encryption.crt.pem"),
        "idp-encryption-old": ("encryption-old.key.pem", "encryption-old.crt.pem"),
    }
    for key_name, names in pairs.items():
        for name, content in zip(names, key_pair(key_name), strict=True):
            (directory / name).write_bytes(content)
            (directory / name).chmod(0o600)


def make_installation(folder: Path, *, clock: Clock | None = None, **more: Any) -> Installation:
    """Keys and database of a site, nobody in it. `more` are settings."""
    settings = make_settings(folder, **more)
    shutil.copytree(_template() / "keys", settings.keys_directory)
    if settings.database_url.startswith("sqlite"):
        shutil.copy(_template() / "idp.sqlite", str(make_url(settings.database_url).database))
    else:
        installations.upgrade(settings, now=NOW)
    return Installation.open(settings, clock=clock or Clock())


def populate(session: Session, installation: Installation, act: Act) -> None:
    """The people and audiences of the demo."""
    for name in ("Staff", "Learners"):
        audiences.create(session, name, act)
    password_hash = installation.passwords.hash(PASSWORD)
    for username, given, family, department, groups, member_of in PEOPLE:
        person = people.create(
            session,
            username,
            act,
            given_name=given,
            family_name=family,
            display_name=f"{given} {family}",
            mail=f"{username}@example.org",
            department=department,
        )
        person.password_hash = password_hash
        person.administrator = username == "admin"
        people.put_in_groups(session, person, groups)
        people.put_in_audiences(session, person, {audiences.find(session, name).id for name in member_of})


def make_idp(folder: Path, *, enabled: bool = True, clock: Clock | None = None, **more: Any) -> IdPSite:
    """A site with the demo's people. `more` are settings."""
    clock = clock or Clock()
    installation = make_installation(folder, clock=clock, **more)
    act = Act(clock(), "test", "TEST-0000")
    with unit_of_work(installation.sessions) as session:
        populate(session, installation, act)
        switch.turn(session, enabled, act)
    [entity] = read_document(document(installation.settings, installation.keys, clock()).body)
    return IdPSite(installation, clock, make_app(installation), entity)


def restarted(site: IdPSite, **more: Any) -> IdPSite:
    """The same site started again with other settings."""
    settings = site.installation.settings.model_copy(update=more)
    installation = Installation.open(settings, clock=site.clock)
    site.installation.engine.dispose()
    return IdPSite(installation, site.clock, make_app(installation), site.entity)


def encoded(xml: bytes) -> str:
    """A message as a form field carries it."""
    return base64_text(xml)
