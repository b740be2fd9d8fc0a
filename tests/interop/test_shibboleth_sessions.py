"""Sessions of Debian's Shibboleth SP at our IdP, beside a site of ours: renewed, raised, and ended from each side."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest
from bs4 import BeautifulSoup
from cryptography.hazmat.primitives.serialization import Encoding

from tests.demo_sites import PASSWORD
from tests.interop.documents import FINGERPRINT, fingerprint, signing_certificate
from tests.interop.identity_provider import IdentityProvider
from tests.interop.service_provider import ServiceProvider, service_provider
from tests.interop.shibboleth import ShibbolethSP
from tests.journeys.plain_browser import PlainBrowser
from tests.live import free_ports

MFA = "https://refeds.org/profile/mfa"


@pytest.fixture
def browser() -> Iterator[PlainBrowser]:
    """The browser of somebody who is signed in nowhere."""
    with PlainBrowser() as started:
        yield started


@pytest.fixture(scope="module")
def wiki(idp: IdentityProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShibbolethSP]:
    """A Shibboleth SP that our IdP knows by the metadata that Shibboleth makes."""
    metadata = idp.metadata()
    certificate = signing_certificate(metadata).public_bytes(Encoding.PEM)
    with ShibbolethSP(
        port=free_ports(1)[0], idp_entity_id=idp.entity_id, idp_metadata=metadata, idp_certificate=certificate
    ) as running:
        file = tmp_path_factory.mktemp("from-shibboleth") / "sp.xml"
        file.write_bytes(running.metadata())
        known = ("connect", str(file), "--name=Physics wiki", "--audience=Staff", "--release=directory:unconditional")
        [of_document, *_] = FINGERPRINT.findall(idp.run(*known).stdout)
        done = idp.run(*known, f"--fingerprint={of_document}")
        assert done.returncode == 0, done.stderr
        yield running


@pytest.fixture(scope="module")
def reading_room(idp: IdentityProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProvider]:
    """A service provider of ours at the same IdP."""
    folder: Path = tmp_path_factory.mktemp("reading-room")
    with service_provider(folder) as running:
        theirs = folder / "idp.xml"
        theirs.write_bytes(idp.metadata())
        pinned = fingerprint(signing_certificate(theirs.read_bytes()))
        done = running.run("connect", str(theirs), "--name=University", f"--fingerprint={pinned}")
        assert done.returncode == 0, done.stderr
        ours = folder / "sp.xml"
        ours.write_bytes(running.metadata())
        pinned = fingerprint(signing_certificate(ours.read_bytes()))
        named = ("--name=Reading room", "--audience=Staff", "--release=directory")
        done = idp.run("connect", str(ours), *named, f"--fingerprint={pinned}")
        assert done.returncode == 0, done.stdout + done.stderr
        yield running


def session_of(wiki: ShibbolethSP, browser: PlainBrowser) -> str:
    """What Shibboleth's own page says about the session of this browser."""
    browser.open(f"{wiki.url}/Shibboleth.sso/Session")
    return browser.text


def instant(wiki: ShibbolethSP, browser: PlainBrowser) -> str:
    """When the person last proved who they are, as Shibboleth was told."""
    [found] = re.findall(r"\d{4}-\d\d-\d\dT[\d:.]+Z", session_of(wiki, browser))
    return str(found)


def opens_both(wiki: ShibbolethSP, reading_room: ServiceProvider, browser: PlainBrowser) -> None:
    """Sign alice in at Shibboleth, and go on to our own site in the same session."""
    browser.open(f"{wiki.url}/secure/")
    browser.sign_in("alice")
    assert browser.url == f"{wiki.url}/secure/", browser.text
    browser.open(f"{reading_room.url}/private")
    browser.send()
    assert browser.url == f"{reading_room.url}/private", browser.text


def signed_in_at(browser: PlainBrowser, idp: IdentityProvider, wiki: ShibbolethSP, site: ServiceProvider) -> list[str]:
    """The sites, of all three, where this browser still has a session."""
    found = [] if "A valid session was not found" in session_of(wiki, browser) else ["wiki"]
    found += ["reading room"] if browser.open(f"{site.url}/whoami").status_code == 200 else []
    browser.open(idp.url)
    return found + (["idp"] if "Sign out" in browser.text else [])


def test_shibboleth_demands_a_fresh_sign_in_and_gets_one(wiki: ShibbolethSP, browser: PlainBrowser) -> None:
    browser.open(f"{wiki.url}/secure/")
    browser.sign_in("alice")
    first = instant(wiki, browser)
    time.sleep(1)  # instants are told in whole seconds

    browser.open(f"{wiki.url}/Shibboleth.sso/Login?forceAuthn=true&target={wiki.url}/secure/")

    assert "password" in browser.form().fields
    browser.sign_in("alice")
    assert browser.url == f"{wiki.url}/secure/"
    assert instant(wiki, browser) > first


def test_shibboleth_is_told_no_passive_where_nobody_is_signed_in(wiki: ShibbolethSP, browser: PlainBrowser) -> None:
    browser.open(f"{wiki.url}/Shibboleth.sso/Login?isPassive=true&target={wiki.url}/secure/")
    browser.send()
    assert "Nobody can be identified without a page" in browser.page.text


def test_shibboleth_demands_a_second_factor_and_a_person_without_one_sets_it_up(
    idp: IdentityProvider, wiki: ShibbolethSP, browser: PlainBrowser
) -> None:
    browser.open(f"{wiki.url}/payroll/")
    browser.sign_in("alice")
    assert "A second factor is needed" in browser.text
    [link] = [each["href"] for each in BeautifulSoup(browser.page.text, "lxml").select("main a.button")]
    browser.open(f"{idp.url}{link}")
    browser.send(password=PASSWORD, action="begin")
    page = BeautifulSoup(browser.page.text, "lxml")
    secret = page.select_one("dd code")
    assert secret is not None, browser.text
    browser.send(code=pyotp.TOTP(secret.get_text().replace(" ", "")).now(), action="confirm")
    codes = [each.get_text() for each in BeautifulSoup(browser.page.text, "lxml").select(".recovery-codes code")]
    assert codes, browser.text
    browser.forget()

    browser.open(f"{wiki.url}/payroll/")
    browser.sign_in("alice")
    assert "Type a code to go on" in browser.text
    browser.send(code=codes[0])
    browser.send()

    assert browser.url == f"{wiki.url}/payroll/", browser.text
    assert MFA in session_of(wiki, browser)


@pytest.mark.conformance("IIP-IDP17")
@pytest.mark.parametrize("waits", [False, True])
def test_a_logout_that_begins_at_shibboleth_ends_the_session_at_our_site_too(
    idp: IdentityProvider, wiki: ShibbolethSP, reading_room: ServiceProvider, browser: PlainBrowser, waits: bool
) -> None:
    opens_both(wiki, reading_room, browser)
    assert signed_in_at(browser, idp, wiki, reading_room) == ["wiki", "reading room", "idp"]

    browser.open(f"{wiki.url}/Shibboleth.sso/{'LogoutAndBack' if waits else 'Logout'}")

    if waits:
        assert browser.url.startswith(f"{wiki.url}/Shibboleth.sso/SLO/"), browser.page.text
        assert "completed" in browser.page.text
    else:
        assert "You are signed out everywhere" in browser.page.text
    assert signed_in_at(browser, idp, wiki, reading_room) == []


@pytest.mark.conformance("IIP-IDP17")
def test_signing_out_everywhere_at_our_idp_ends_the_session_at_shibboleth(
    idp: IdentityProvider, wiki: ShibbolethSP, reading_room: ServiceProvider, browser: PlainBrowser
) -> None:
    opens_both(wiki, reading_room, browser)
    browser.open(f"{idp.url}/signout")

    browser.send(scope="everywhere")

    assert "You are signed out everywhere" in browser.text
    assert "Physics wiki" in browser.text
    assert "Reading room" in browser.text
    assert signed_in_at(browser, idp, wiki, reading_room) == []


def test_signing_out_at_our_site_ends_the_session_at_shibboleth(
    idp: IdentityProvider, wiki: ShibbolethSP, reading_room: ServiceProvider, browser: PlainBrowser
) -> None:
    opens_both(wiki, reading_room, browser)
    browser.open(f"{reading_room.url}/saml/logout")

    browser.send()

    assert "confirms that yours there has ended too" in browser.text
    assert signed_in_at(browser, idp, wiki, reading_room) == []
