"""Debian's Shibboleth SP signs people in at our identity provider, and learns exactly what the policy allows."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from playwright.sync_api import Browser, Page, Request, expect

from tests.chromium import sign_in
from tests.interop.documents import FINGERPRINT, NS, fingerprint, role_certificates, sha256, signing_certificate
from tests.interop.identity_provider import IdentityProvider
from tests.interop.shibboleth import ShibbolethSP
from tests.live import free_ports


@pytest.fixture(scope="module")
def shibboleth(idp: IdentityProvider, chromium: Browser) -> Iterator[ShibbolethSP]:
    """A Shibboleth SP that trusts our IdP's metadata by its signing certificate. Our side does not know it yet."""
    metadata = idp.metadata()
    certificate = signing_certificate(metadata)
    shown = idp.run("fingerprint").stdout
    assert FINGERPRINT.findall(shown) == [fingerprint(certificate)]
    with ShibbolethSP(
        port=free_ports(1)[0],
        idp_entity_id=idp.entity_id,
        idp_metadata=metadata,
        idp_certificate=certificate.public_bytes(Encoding.PEM),
    ) as running:
        yield running


@pytest.fixture(scope="module")
def document(shibboleth: ShibbolethSP, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that Shibboleth's administrator sent us: what its generator made, untouched."""
    path = tmp_path_factory.mktemp("from-shibboleth") / "shibboleth-sp.xml"
    path.write_bytes(shibboleth.metadata())
    return path


@pytest.fixture(scope="module")
def connected(idp: IdentityProvider, shibboleth: ShibbolethSP, document: Path) -> ShibbolethSP:
    """The same Shibboleth after our administrator has confirmed the document and given it to the audience Staff."""
    [of_document, *_] = FINGERPRINT.findall(_connect(idp, document).stdout)
    done = _connect(idp, document, f"--fingerprint={of_document}")
    assert done.returncode == 0, done.stderr
    return shibboleth


def test_unsigned_metadata_is_refused_and_what_to_confirm_is_shown(
    idp: IdentityProvider, shibboleth: ShibbolethSP, document: Path
) -> None:
    refused = _connect(idp, document)

    keys = [fingerprint(certificate) for certificate in role_certificates(document.read_bytes())]
    assert refused.returncode == 1
    assert FINGERPRINT.findall(refused.stdout) == [sha256(document.read_bytes()), *keys]
    assert shibboleth.entity_id not in idp.run("connections", "--json").stdout


def test_a_wrong_fingerprint_confirms_nothing(idp: IdentityProvider, shibboleth: ShibbolethSP, document: Path) -> None:
    refused = _connect(idp, document, "--fingerprint=" + ":".join(["00"] * 32))

    assert refused.returncode == 1
    assert shibboleth.entity_id not in idp.run("connections", "--json").stdout


def test_the_connection_shows_what_the_metadata_misses(idp: IdentityProvider, connected: ShibbolethSP) -> None:
    shown = idp.run("connections", "Physics wiki").stdout

    assert connected.entity_id in shown
    assert "validUntil" in shown
    assert "requests no attribute" in shown


def test_what_the_command_shib_metagen_writes_is_understood_too(
    idp: IdentityProvider, connected: ShibbolethSP, tmp_path: Path
) -> None:
    document = tmp_path / "metagen.xml"
    document.write_bytes(connected.metadata_of_the_command())
    keys = [fingerprint(certificate) for certificate in role_certificates(document.read_bytes())]

    refused = idp.run("connect", str(document), "--name=By metagen", "--audience=Staff", "--release=nothing")

    assert refused.returncode == 1
    assert FINGERPRINT.findall(refused.stdout) == [sha256(document.read_bytes()), *keys]


def test_alice_signs_in_and_shibboleth_is_told_exactly_what_the_policy_allows(
    idp: IdentityProvider, connected: ShibbolethSP, page: Page
) -> None:
    posted = _responses_posted_to(connected, page)
    page.goto(f"{connected.url}/secure/")
    expect(page).to_have_url(re.compile("^" + re.escape(idp.url)))
    sign_in(page, "alice")
    expect(page).to_have_url(f"{connected.url}/secure/")

    attributes = _session_attributes(connected, page)

    [pairwise_id] = attributes.pop("pairwise-id")
    assert re.fullmatch(r"[A-Za-z0-9=-]{1,127}@example\.org", pairwise_id)
    assert attributes == {
        "displayName": ["Alice Archer"],
        "mail": ["alice@example.org"],
        "ou": ["Physics"],
        "member": ["board", "physics-staff"],
    }
    # Whatever Shibboleth has no name for, it would not show: it received nothing of the kind.
    assert "new session created" in connected.log
    assert "skipping SAML 2.0 Attribute" not in connected.log
    [response] = posted
    assert response.find("saml:Assertion", NS) is None
    [encrypted] = response.iterfind("saml:EncryptedAssertion", NS)
    methods = [method.get("Algorithm") for method in encrypted.iter(f"{{{NS['xenc']}}}EncryptionMethod")]
    assert methods[0] in ("http://www.w3.org/2009/xmlenc11#aes128-gcm", "http://www.w3.org/2009/xmlenc11#aes256-gcm")
    assert response.find("ds:Signature", NS) is not None


def test_signed_in_alice_is_not_asked_again_and_stays_the_same_person(
    idp: IdentityProvider, connected: ShibbolethSP, page: Page
) -> None:
    page.goto(f"{connected.url}/secure/")
    sign_in(page, "alice")
    expect(page).to_have_url(f"{connected.url}/secure/")
    first = _session_attributes(connected, page)["pairwise-id"]
    page.context.clear_cookies(name=re.compile("^_shibsession_"))

    page.goto(f"{connected.url}/secure/?again")

    expect(page).to_have_url(f"{connected.url}/secure/?again")
    assert _session_attributes(connected, page)["pairwise-id"] == first


def test_alice_signs_in_by_artifact_and_shibboleth_fetches_her_response(
    idp: IdentityProvider, connected: ShibbolethSP, page: Page
) -> None:
    brought: list[Request] = []
    page.on("request", lambda request: brought.append(request) if "SAMLart=" in (request.post_data or "") else None)
    posted = _responses_posted_to(connected, page)
    [index] = [
        each.get("index")
        for each in etree.fromstring(connected.metadata()).iterfind(".//md:AssertionConsumerService", NS)
        if each.get("Binding") == "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact"
    ]

    page.goto(f"{connected.url}/Shibboleth.sso/Login?acsIndex={index}&target={connected.url}/secure/")
    sign_in(page, "alice")

    expect(page).to_have_url(f"{connected.url}/secure/")
    assert (len(brought), posted) == (1, [])
    assert brought[0].url == f"{connected.url}/Shibboleth.sso/SAML2/Artifact"
    assert _session_attributes(connected, page)["mail"] == ["alice@example.org"]
    page.context.clear_cookies(name=re.compile("^_shibsession_"))
    page.goto(f"{brought[0].url}?{brought[0].post_data}")
    page.goto(f"{connected.url}/Shibboleth.sso/Session")
    expect(page.locator("body")).to_contain_text("A valid session was not found.")


def test_a_link_of_a_portal_signs_alice_in_without_a_request(
    idp: IdentityProvider, connected: ShibbolethSP, page: Page
) -> None:
    acs = f"{connected.url}/Shibboleth.sso/SAML2/POST"
    link = f"{idp.url}/saml/sso/unsolicited?providerId={connected.entity_id}&target={connected.url}/secure/"
    page.goto(f"{link}&shire={acs}&time={int(time.time())}")
    sign_in(page, "alice")

    expect(page).to_have_url(f"{connected.url}/secure/")
    assert _session_attributes(connected, page)["mail"] == ["alice@example.org"]


def test_dave_is_refused_by_a_page_that_names_the_site_and_returns_him_with_request_denied(
    idp: IdentityProvider, connected: ShibbolethSP, page: Page
) -> None:
    posted = _responses_posted_to(connected, page)
    page.goto(f"{connected.url}/secure/")
    sign_in(page, "dave")

    expect(page.locator("main")).to_contain_text("Physics wiki")
    assert posted == []
    page.get_by_role("button", name=re.compile("^Return to")).click()

    expect(page).to_have_url(f"{connected.url}/Shibboleth.sso/SAML2/POST")
    expect(page.locator("body")).to_contain_text("urn:oasis:names:tc:SAML:2.0:status:Responder")
    expect(page.locator("body")).to_contain_text("urn:oasis:names:tc:SAML:2.0:status:RequestDenied")
    [response] = posted
    assert response.find("saml:EncryptedAssertion", NS) is None
    assert response.find("saml:Assertion", NS) is None
    page.goto(f"{connected.url}/Shibboleth.sso/Session")
    expect(page.locator("body")).to_contain_text("A valid session was not found.")


def _connect(idp: IdentityProvider, document: Path, *more: str) -> CompletedProcess[str]:
    release = "--release=directory:unconditional"
    return idp.run("connect", str(document), "--name=Physics wiki", "--audience=Staff", release, *more)


def _session_attributes(shibboleth: ShibbolethSP, page: Page) -> dict[str, list[str]]:
    """What Shibboleth's own session page lists under "Attributes"."""
    page.goto(f"{shibboleth.url}/Shibboleth.sso/Session")
    _, _, listed = page.inner_text("body").partition("Attributes")
    lines = [line.partition(": ") for line in listed.splitlines() if ": " in line]
    return {name: values.split(";") for name, _, values in lines}


def _responses_posted_to(shibboleth: ShibbolethSP, page: Page) -> list[etree._Element]:
    """A list that fills with the Responses the browser carries to Shibboleth's ACS."""
    responses: list[etree._Element] = []

    def keep(request: Request) -> None:
        if request.url == f"{shibboleth.url}/Shibboleth.sso/SAML2/POST" and request.post_data is not None:
            [message] = parse_qs(request.post_data)["SAMLResponse"]
            responses.append(etree.fromstring(base64.b64decode(message)))

    page.on("request", keep)
    return responses
