"""One login over HTTP at our servers and at those people run today: processor time of all server processes.

Both sides get the same requests from the same client, in turn, in one run. What the client does is not counted.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from federation.attributes.catalogue import CATALOGUE
from federation.saml.bindings import post, redirect
from federation.saml.identifiers import new_id
from federation.saml.messages import NameID
from federation.saml.metadata import publishing
from federation.saml.metadata.entity import Endpoint, RequestedAttribute
from federation.saml.metadata.reading import read_document
from federation.saml.names import AuthnContextClass, Binding, NameIDFormat
from federation.saml.profiles import sso_request, sso_response
from tests import factories
from tests.bench.measure import Entry, Operation, time_text
from tests.demo_sites import PASSWORD
from tests.interop.documents import signing_certificate
from tests.interop.identity_provider import identity_provider
from tests.interop.service_provider import service_provider
from tests.interop.shibboleth import ShibbolethSP
from tests.interop.simplesamlphp import PASSWORD as THEIR_PASSWORD
from tests.interop.simplesamlphp import Options, Partner, SimpleSAMLphp
from tests.journeys.plain_browser import PlainBrowser
from tests.live import free_ports
from tests.sp_factories import attributes

LOGINS: Final = 300
"""So many logins are one measurement: processor time is counted in hundredths of a second."""
ROUNDS: Final = 10
SP: Final = "http://localhost:9/sp"
IDP: Final = "http://localhost:9/idp"
ACS: Final = "http://localhost:9/acs"
ATTRIBUTES: Final = ("display_name", "mail", "department")


def entries(running: ExitStack) -> Iterator[Entry]:
    """The lines beside other programs. The servers run until `running` is closed."""
    ours, theirs = _identity_providers(running)
    yield Entry(
        "a login at the identity provider, session there, no encryption",
        ours,
        "SimpleSAMLphp",
        theirs,
        budget=1 / 3,
        rounds=ROUNDS,
        gauge=_processor_time,
        text=time_text,
    )
    ours, theirs = _service_providers(running)
    # A goal: shown even where it is missed, it fails nothing.
    yield Entry(
        "the same response at the ACS, signed and encrypted (goal: 1.0)",
        ours,
        "Shibboleth SP",
        theirs,
        budget=None,
        rounds=ROUNDS,
        gauge=_processor_time,
        text=time_text,
    )


@dataclass(frozen=True)
class Logins:
    """A batch of logins. `prepare` answers what one login sends, uncounted; `send` sends it."""

    prepare: Callable[[], Any]
    send: Callable[[Any], None]
    used: Callable[[], float]

    def __call__(self) -> None:
        self.send(self.prepare())

    def measured(self) -> float:
        """Processor seconds of one login."""
        prepared = [self.prepare() for _ in range(LOGINS)]
        before = self.used()
        for each in prepared:
            self.send(each)
        return (self.used() - before) / LOGINS


def _processor_time(operation: Operation) -> float:
    assert isinstance(operation, Logins)
    return operation.measured()


# --- Identity providers -----------------------------------------------------------------------------------------------


def _identity_providers(running: ExitStack) -> tuple[Logins, Logins]:
    """Ours and SimpleSAMLphp, both connected to one SP that signs its requests and cannot decrypt."""
    directory = Path(running.enter_context(tempfile.TemporaryDirectory()))
    key = factories.signing_key("bench-sp")
    assert key.certificate is not None
    sp = publishing.sp_entity(
        entity_id=SP,
        presentation=publishing.Presentation("Bench"),
        acs_url=ACS,
        signing_certificates=[key.certificate],
        encryption_certificates=[],
        requested=[
            RequestedAttribute(entry.name, entry.name_format, entry.friendly_name, is_required=False)
            for entry in (CATALOGUE[key] for key in ATTRIBUTES)
        ],
    )
    document = publishing.publish(sp, signing_key=key, document_id=new_id(), now=datetime.now(UTC))
    file = directory / "sp.xml"
    file.write_bytes(document)
    signer = signing_certificate(document)

    # Keys of one size on both sides, as partners have them; a new installation of ours would make a longer one.
    keys = directory / "keys"
    keys.mkdir(mode=0o700)
    for name, pem in zip(("signing.key.pem", "signing.crt.pem"), factories.key_pair("bench-idp"), strict=True):
        keys.joinpath(name).touch(mode=0o600)
        keys.joinpath(name).write_bytes(pem)
    ours = running.enter_context(identity_provider(directory))
    connected = ours.run(
        "connect", str(file), "--name=Bench", "--audience=Staff", "--release=directory",
        f"--fingerprint={signer.fingerprint(hashes.SHA256()).hex(':')}",
    )  # fmt: skip
    assert connected.returncode == 0, connected.stderr
    person = {"uid": "alice", "displayName": "Alice Archer", "mail": "alice@example.org", "ou": "Physics"}
    theirs = running.enter_context(
        SimpleSAMLphp(
            port=free_ports(1)[0],
            idp=None,
            partners=(Partner(document, signer.fingerprint(hashes.SHA1()).hex()),),
            # As Debian ships it: its filters, sessions in PHP's own files, no debugging; the response signed, as ours.
            options=Options(
                people={"alice": person},
                idp="'saml20.sign.assertion' => false,",
                config="'store.type' => 'phpsession', 'logging.level' => SimpleSAML\\Logger::NOTICE, 'debug' => [],",
            ),
        )
    )
    return (
        _at_idp(running, ours.metadata(), PASSWORD, lambda: ours.server.processor_seconds),
        _at_idp(running, theirs.idp_metadata(), THEIR_PASSWORD, lambda: theirs.processor_seconds),
    )


def _at_idp(running: ExitStack, metadata: bytes, password: str, used: Callable[[], float]) -> Logins:
    """Logins of one signed-in person at an IdP: a signed AuthnRequest by Redirect, a form with the response back."""
    [idp] = read_document(metadata)
    assert idp.idp is not None
    sso = next(each for each in idp.idp.single_sign_on if each.binding == Binding.REDIRECT)
    browser = running.enter_context(PlainBrowser())

    def prepare() -> str:
        request = sso_request.build(
            id=new_id(), issuer=SP, destination=sso.location, acs_url=ACS, now=datetime.now(UTC)
        )
        url = sso_request.send(
            request, binding=Binding.REDIRECT, key=factories.signing_key("bench-sp"), relay_state="bench"
        )
        assert isinstance(url, str)
        return url

    def send(url: str) -> None:
        page = browser.open(url)
        assert page.status_code == 200, page.text
        assert 'name="SAMLResponse"' in page.text, page.text

    browser.open(prepare())
    browser.send(username="alice", password=password)
    return Logins(prepare, send, used)


# --- Service providers ------------------------------------------------------------------------------------------------


def _service_providers(running: ExitStack) -> tuple[Logins, Logins]:
    """Ours and Shibboleth, both connected to one IdP that signs responses and encrypts assertions."""
    directory = Path(running.enter_context(tempfile.TemporaryDirectory()))
    key = factories.signing_key("bench-idp")
    assert key.certificate is not None
    idp = publishing.idp_entity(
        entity_id=IDP,
        presentation=publishing.Presentation("Bench"),
        sso_url=f"{IDP}/sso",
        signing_certificates=[key.certificate],
        scopes=["example.org"],
    )
    document = publishing.publish(idp, signing_key=key, document_id=new_id(), now=datetime.now(UTC))
    file = directory / "idp.xml"
    file.write_bytes(document)
    signer = signing_certificate(document)

    ours = running.enter_context(service_provider(directory))
    connected = ours.run(
        "connect", str(file), "--name=Bench", f"--fingerprint={signer.fingerprint(hashes.SHA256()).hex(':')}"
    )
    assert connected.returncode == 0, connected.stderr
    theirs = running.enter_context(
        ShibbolethSP(
            port=free_ports(1)[0],
            idp_entity_id=IDP,
            idp_metadata=document,
            idp_certificate=signer.public_bytes(Encoding.PEM),
        )
    )
    return (
        _at_sp(
            running, ours.metadata(), f"{ours.url}/saml/login?target=/private", lambda: ours.server.processor_seconds
        ),
        _at_sp(
            running,
            theirs.metadata(),
            f"{theirs.url}/Shibboleth.sso/Login?target=%2Fsecure%2F",
            lambda: theirs.processor_seconds,
        ),
    )


def _at_sp(running: ExitStack, metadata: bytes, start: str, used: Callable[[], float]) -> Logins:
    """Logins at an SP: the request is fetched beforehand, what is counted is the POST at the ACS."""
    [sp] = read_document(metadata)
    assert sp.sp is not None
    acs = next(each for each in sp.sp.assertion_consumer if each.binding == Binding.POST)
    client = running.enter_context(httpx.Client(timeout=30, trust_env=False))

    def prepare() -> dict[str, str]:
        begun = client.get(start)
        received = redirect.decode(urlsplit(begun.headers["location"]).query.encode())
        now = datetime.now(UTC)
        xml = sso_response.build(
            response_id=new_id(),
            assertion_id=new_id(),
            issuer=IDP,
            acs=Endpoint(Binding.POST, acs.location),
            in_response_to=etree.fromstring(received.xml).get("ID"),
            audience=sp.entity_id,
            name_id=NameID(new_id(), NameIDFormat.TRANSIENT),
            attributes=attributes(display_name="Alice Archer", mail="alice@example.org", department="Physics"),
            authn_instant=now,
            session_index=new_id(),
            authn_context_class_ref=AuthnContextClass.PASSWORD_PROTECTED_TRANSPORT,
            now=now,
            session_not_on_or_after=now + timedelta(hours=8),
            signing_key=factories.signing_key("bench-idp"),
            encrypt_to=sp.sp.encryption_keys[0],
        ).octets
        form = post.encode(xml, parameter="SAMLResponse", destination=acs.location, relay_state=received.relay_state)
        return dict(form.fields)

    def send(form: dict[str, str]) -> None:
        answer = client.post(acs.location, data=form)
        assert answer.status_code in (302, 303), answer.text

    return Logins(prepare, send, used)
