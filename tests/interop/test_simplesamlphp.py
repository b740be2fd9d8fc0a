"""Debian's SimpleSAMLphp in both roles: as a service provider of our IdP, and as an identity provider of our SP.

A browser without scripts is enough: every page on the way is a form or a redirect.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes

from tests.interop.documents import FINGERPRINT, signing_certificate
from tests.interop.identity_provider import IdentityProvider
from tests.interop.service_provider import ServiceProvider, service_provider
from tests.interop.simplesamlphp import PASSWORD, Options, Partner, SimpleSAMLphp
from tests.journeys.plain_browser import PlainBrowser
from tests.live import free_ports

FOR_STAFF = "--release=directory:unconditional"
ALICE = {
    "uid": "alice",
    "displayName": "Alice Archer",
    "mail": "alice@example.com",
    "urn:oasis:names:tc:SAML:attribute:pairwise-id": "k3j5-alice@example.com",
}


def partner(metadata: bytes) -> Partner:
    """What SimpleSAMLphp's administrator writes down about us: it pins signers by their SHA-1 fingerprint."""
    return Partner(metadata, signing_certificate(metadata).fingerprint(hashes.SHA1()).hex())


def connect(site: IdentityProvider | ServiceProvider, document: bytes, folder: Path, *options: str) -> None:
    """What our administrator does with the document that the other side sent, after comparing its fingerprint."""
    file = folder / "from-simplesamlphp.xml"
    file.write_bytes(document)
    done = site.run("connect", str(file), *options)
    if done.returncode:
        done = site.run("connect", str(file), *options, confirmed(done.stdout + done.stderr))
    assert done.returncode == 0, done.stderr


def confirmed(shown: str) -> str:
    """The option that confirms a document by its own fingerprint, which is shown as that of the whole document."""
    [line] = [line for line in shown.splitlines() if "whole document" in line]
    [value] = FINGERPRINT.findall(line)
    return f"--fingerprint={value}"


@pytest.fixture
def browser() -> Iterator[PlainBrowser]:
    """The browser of somebody who is signed in nowhere."""
    with PlainBrowser() as started:
        yield started


# --- SimpleSAMLphp as a service provider ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wiki(idp: IdentityProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleSAMLphp]:
    """A SimpleSAMLphp SP, and our IdP, each with the other's metadata as published."""
    with SimpleSAMLphp(
        port=free_ports(1)[0], idp=idp.entity_id, partners=(partner(idp.metadata()),), options=Options()
    ) as running:
        folder = tmp_path_factory.mktemp("wiki")
        connect(idp, running.sp_metadata(), folder, "--name=Wiki", "--audience=Staff", FOR_STAFF)
        yield running


def session_at(wiki: SimpleSAMLphp, browser: PlainBrowser, query: str = "") -> dict[str, Any]:
    """What the SP's protected page says about whoever has just arrived."""
    assert browser.url == f"{wiki.url}/secure.php{query}", browser.text
    found: dict[str, Any] = json.loads(browser.page.text)
    return found


def test_their_sp_is_told_exactly_what_the_policy_allows(wiki: SimpleSAMLphp, browser: PlainBrowser) -> None:
    browser.open(f"{wiki.url}/secure.php")
    browser.sign_in("alice")

    session = session_at(wiki, browser)

    [pairwise_id] = session["attributes"].pop("urn:oasis:names:tc:SAML:attribute:pairwise-id")
    assert re.fullmatch(r"[A-Za-z0-9=-]{1,127}@example\.org", pairwise_id)
    assert session["attributes"] == {
        "urn:oid:2.16.840.1.113730.3.1.241": ["Alice Archer"],
        "urn:oid:0.9.2342.19200300.100.1.3": ["alice@example.org"],
        "urn:oid:2.5.4.11": ["Physics"],
        "urn:oid:1.3.6.1.4.1.5923.1.5.1.1": ["board", "physics-staff"],
    }
    assert session["format"] == "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
    assert "Decryption with key #0 succeeded" in wiki.log


def test_their_sp_asks_for_a_fresh_sign_in_and_gets_one(wiki: SimpleSAMLphp, browser: PlainBrowser) -> None:
    browser.open(f"{wiki.url}/secure.php")
    browser.sign_in("alice")
    first = session_at(wiki, browser)
    browser.forget_names("^SimpleSAML")
    time.sleep(1)  # instants are told in whole seconds

    browser.open(f"{wiki.url}/secure.php?ForceAuthn=1")

    assert "password" in browser.form().fields
    browser.sign_in("alice")
    again = session_at(wiki, browser, "?ForceAuthn=1")
    assert again["instant"] > first["instant"]
    identifier = "urn:oasis:names:tc:SAML:attribute:pairwise-id"
    assert again["attributes"][identifier] == first["attributes"][identifier]


def test_their_passive_request_without_a_session_is_answered_no_passive(
    wiki: SimpleSAMLphp, browser: PlainBrowser
) -> None:
    browser.open(f"{wiki.url}/secure.php?isPassive=1")
    browser.send()

    assert "NoPassive" in browser.page.text


def test_whoever_is_in_no_audience_goes_back_with_request_denied(wiki: SimpleSAMLphp, browser: PlainBrowser) -> None:
    browser.open(f"{wiki.url}/secure.php")
    browser.sign_in("dave")
    assert "You do not have access to Wiki" in browser.text
    browser.send(because="denied")
    browser.send()

    assert browser.url.startswith(f"{wiki.url}/simplesaml/")
    assert "Responder/RequestDenied" in browser.text


def test_a_logout_that_begins_at_their_sp_ends_the_session_here(wiki: SimpleSAMLphp, browser: PlainBrowser) -> None:
    browser.open(f"{wiki.url}/secure.php")
    browser.sign_in("alice")
    session_at(wiki, browser)

    browser.open(f"{wiki.url}/secure.php?logout=1")

    assert browser.url == f"{wiki.url}/signed-out.html", browser.text
    browser.open(f"{wiki.url}/secure.php")
    assert "password" in browser.form().fields, "our session had not ended"


def test_a_logout_that_begins_here_ends_the_session_at_their_sp(
    idp: IdentityProvider, wiki: SimpleSAMLphp, browser: PlainBrowser
) -> None:
    browser.open(f"{wiki.url}/secure.php")
    browser.sign_in("alice")
    session_at(wiki, browser)

    browser.open(f"{idp.url}/signout")
    browser.send()

    assert browser.url.startswith(idp.url), browser.text
    browser.open(f"{wiki.url}/secure.php?state=1")
    assert json.loads(browser.page.text) == {"signed_in": False}


@pytest.fixture(scope="module")
def archive(idp: IdentityProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleSAMLphp]:
    """A SimpleSAMLphp SP that asks for its responses by artifact."""
    by_artifact = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact"
    with SimpleSAMLphp(
        port=free_ports(1)[0],
        idp=idp.entity_id,
        partners=(partner(idp.metadata()),),
        options=Options(sp=f"'acs.Bindings' => ['{by_artifact}'], 'ProtocolBinding' => '{by_artifact}',"),
    ) as running:
        folder = tmp_path_factory.mktemp("archive")
        connect(idp, running.sp_metadata(), folder, "--name=Archive", "--audience=Staff", FOR_STAFF)
        yield running


def test_their_sp_fetches_the_response_by_its_artifact(archive: SimpleSAMLphp, browser: PlainBrowser) -> None:
    browser.open(f"{archive.url}/secure.php")
    browser.sign_in("alice")

    session = session_at(archive, browser)

    assert session["attributes"]["urn:oid:2.16.840.1.113730.3.1.241"] == ["Alice Archer"]
    assert "SAMLart" not in browser.url


# --- SimpleSAMLphp as an identity provider ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def reading_room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProvider]:
    """Our service provider, which knows nobody yet."""
    wanted = "sp.requested_attributes = display_name mail"
    with service_provider(tmp_path_factory.mktemp("reading-room"), settings=wanted) as running:
        yield running


@contextmanager
def campus_for(site: ServiceProvider, folder: Path, *options: str, idp: str = "") -> Iterator[SimpleSAMLphp]:
    """A SimpleSAMLphp IdP with one person, and our SP, each with the other's metadata as published."""
    with SimpleSAMLphp(
        port=free_ports(1)[0],
        idp=None,
        partners=(partner(site.metadata()),),
        # Its stock filters drop what the SP's metadata does not list, so also the pairwise-id, which is asked for by an
        # entity attribute.
        options=Options(people={"alice": ALICE}, config="'authproc.idp' => [],", idp=idp),
    ) as running:
        connect(site, running.idp_metadata(), folder, "--name=Campus", *options)
        yield running


@pytest.fixture(scope="module")
def campus(reading_room: ServiceProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleSAMLphp]:
    """The plain one: it signs and does not encrypt."""
    with campus_for(reading_room, tmp_path_factory.mktemp("campus")) as running:
        yield running


def sign_in_there(browser: PlainBrowser) -> None:
    """Fill in SimpleSAMLphp's own sign-in form, and press Continue where scripts would."""
    browser.send(username="alice", password=PASSWORD)
    browser.send()


def test_their_idp_signs_a_person_in_here_and_she_lands_on_the_page_she_asked_for(
    reading_room: ServiceProvider, campus: SimpleSAMLphp, browser: PlainBrowser
) -> None:
    browser.open(f"{reading_room.url}/private?year=2026")
    assert browser.url.startswith(f"{campus.url}/simplesaml/")
    sign_in_there(browser)

    assert browser.url == f"{reading_room.url}/private?year=2026"
    assert "Alice Archer" in browser.text
    assert "alice@example.com" in browser.text


def test_a_logout_that_begins_here_ends_the_session_at_their_idp(
    reading_room: ServiceProvider, campus: SimpleSAMLphp, browser: PlainBrowser
) -> None:
    browser.open(f"{reading_room.url}/private")
    sign_in_there(browser)

    browser.send()

    assert browser.url.startswith(reading_room.url), browser.text
    browser.open(f"{reading_room.url}/private")
    assert browser.url.startswith(f"{campus.url}/simplesaml/"), "their session had not ended"
    assert "password" in browser.form().fields


def test_a_logout_that_begins_at_their_idp_ends_the_session_here(
    reading_room: ServiceProvider, campus: SimpleSAMLphp, browser: PlainBrowser
) -> None:
    browser.open(f"{reading_room.url}/private")
    sign_in_there(browser)

    browser.open(f"{campus.url}/simplesaml/saml2/idp/SingleLogoutService.php?ReturnTo={campus.url}/signed-out.html")

    assert browser.url == f"{campus.url}/signed-out.html", browser.text
    browser.open(f"{reading_room.url}/private")
    assert "password" in browser.form().fields


def test_their_cbc_is_refused_by_default_and_opened_under_the_named_preset(
    tmp_path_factory: pytest.TempPathFactory, browser: PlainBrowser
) -> None:
    folder = tmp_path_factory.mktemp("cbc")
    encrypting = "'assertion.encryption' => true,"
    with service_provider(folder) as site, campus_for(site, folder, idp=encrypting) as campus:
        browser.open(f"{site.url}/private")
        sign_in_there(browser)
        assert browser.page.status_code == 403, browser.text
        [reference] = re.findall(r"\b[A-Z0-9]{4}-[A-Z0-9]{4}\b", browser.text)
        explained = site.run("explain", reference).stdout
        assert "encryption.method" in explained

        connect(site, campus.idp_metadata(), folder, "--name=Campus", "--preset=legacy-cbc")
        browser.open(f"{site.url}/private")
        browser.send()

        assert browser.url == f"{site.url}/private", browser.text
        assert "Alice Archer" in browser.text


def test_their_idp_hands_its_response_out_for_an_artifact(
    tmp_path_factory: pytest.TempPathFactory, browser: PlainBrowser
) -> None:
    folder = tmp_path_factory.mktemp("artifact")
    sending = "'saml20.sendartifact' => true,"
    with (
        service_provider(folder) as site,
        campus_for(site, folder, "--response-binding=artifact", idp=sending),
    ):
        browser.open(f"{site.url}/private")
        browser.send(username="alice", password=PASSWORD)
        assert browser.url == f"{site.url}/private", browser.text
        assert "Alice Archer" in browser.text
