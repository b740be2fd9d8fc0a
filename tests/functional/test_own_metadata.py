"""What each site publishes about itself: complete, cheap to ask for again, and readable for people."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pyramid.config import Configurator
from webob import Request, Response
from webtest import TestApp

from federation.cli.configuration import ConfigFile
from federation.errors import ConfigurationError
from federation.keys.files import KeyFiles
from federation.keys.ring import create_missing
from federation.saml import certificates, xml
from federation.saml.codec.metadata import entity_descriptor
from federation.saml.metadata.entity import Entity
from federation.saml.metadata.findings import Level
from federation.saml.metadata.lint import SECURITY_CONTACT, lint, lint_schema
from federation.saml.metadata.reading import read_document
from federation.saml.names import ASSURANCE_CERTIFICATION, ENTITY_CATEGORY
from idp_app import keys as idp_keys
from idp_app import settings as idp_settings
from idp_app.services import publication
from sp_app.provider import provider_of
from tests.house.repository import ROOT
from tests.idp_factories import NOW, IdPSite, make_idp
from tests.sp_factories import Site, make_site

SAID: dict[str, Any] = {
    "security_email": "security@example.org",
    "technical_email": "admins@example.org",
    "description": "What it is for.",
    "information_url": "https://www.example.org/about",
    "privacy_statement_url": "https://www.example.org/privacy",
    "logo": "https://www.example.org/logo.png 120 60",
    "organization_name": "Example",
    "organization_url": "https://www.example.org",
    "entity_categories": "http://refeds.org/category/research-and-scholarship",
    "assurance_certifications": "https://refeds.org/sirtfi",
}


@pytest.fixture(params=["idp", "sp"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., IdPSite | Site]:
    """Makes a site of either kind; settings are its arguments."""
    return lambda **more: (make_idp if request.param == "idp" else make_site)(tmp_path, **more)


def entity_of(browser: TestApp) -> Entity:
    (entity,) = read_document(browser.get("/saml/metadata").body)
    return entity


def as_sent(browser: TestApp, accept_encoding: str) -> Response:
    """The answer with its content coding, which WebTest takes off."""
    request = Request.blank("/saml/metadata", browser.extra_environ, headers={"Accept-Encoding": accept_encoding})
    return request.get_response(browser.app)


@pytest.fixture
def demo(tmp_path: Path) -> Callable[[str], Entity]:
    """A site of development.ini as `make run` starts it, but for where its keys and database are."""

    def entity(section: str) -> Entity:
        raw = dict(ConfigFile(ROOT / "development.ini", section).settings())
        prefix = "idp" if section == "main" else "sp"
        raw[f"{prefix}.keys_directory"] = str(tmp_path / section)
        raw[f"{prefix}.database_url"] = f"sqlite:///{tmp_path / section}.sqlite"
        if section == "main":
            idp_keys.create_missing(tmp_path / section, common_name="localhost", now=NOW)
            settings = idp_settings.read(raw)
            return publication.entity(settings, idp_keys.load(settings.keys_directory))
        create_missing(KeyFiles.of(tmp_path / section), common_name="localhost", now=NOW)
        with Configurator(settings=raw) as config:
            config.include("sp_app")
            config.commit()
            return provider_of(config.registry).entity

    return entity


@pytest.mark.conformance(
    "SDP-IDP33", "SDP-SP39", "SDP-MD04", "SDP-MD08", "SDP-MD09", "SDP-MD10", "SDP-MD11", "SDP-MD12", "IIP-MD09"
)
@pytest.mark.parametrize("section", ["main", "sp", "learning"])
def test_the_metadata_of_the_demo_lacks_nothing_that_our_own_rules_ask_for(demo: Any, section: str) -> None:
    entity = replace(demo(section), valid_until=NOW + timedelta(days=21))
    assert lint(entity, now=NOW) == ()
    assert lint_schema(xml.parse(entity_descriptor(entity)), entity.entity_id) == ()


def test_without_any_setting_it_lacks_no_more_than_a_security_contact(make: Callable[..., Any]) -> None:
    browser = make().browser()
    found = lint(entity_of(browser), now=NOW)
    # The keys of the tests are short.
    assert {each.rule for each in found if each.level is not Level.INFO} <= {"metadata.contact.missing"}
    assert {each.rule for each in found} <= {
        "metadata.contact.security",
        "metadata.contact.missing",
        "metadata.key.short",
    }


def test_what_the_settings_say_is_published(make: Callable[..., Any]) -> None:
    entity = entity_of(make(**SAID).browser())
    role = entity.idp or entity.sp
    assert role is not None
    ui = role.ui_info
    assert (ui.descriptions, ui.information_urls, ui.privacy_statement_urls) == (
        (("en", "What it is for."),),
        (("en", "https://www.example.org/about"),),
        (("en", "https://www.example.org/privacy"),),
    )
    assert [(logo.url, logo.width, logo.height) for logo in ui.logos] == [("https://www.example.org/logo.png", 120, 60)]
    assert entity.organization is not None
    assert entity.organization.names == (("en", "Example"),)
    contacts = {(each.type, each.remd_type): each.emails for each in entity.contacts}
    assert contacts["technical", None] == ("admins@example.org",)
    assert contacts["other", SECURITY_CONTACT] == ("security@example.org",)
    assert entity.attribute(ENTITY_CATEGORY) == ("http://refeds.org/category/research-and-scholarship",)
    assert entity.attribute(ASSURANCE_CERTIFICATION) == ("https://refeds.org/sirtfi",)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("security_email", "nobody", "e-mail"),
        ("logo", "http://www.example.org/logo.png", "https address or an inline image"),
        ("logo", "https://www.example.org/logo.png 0 60", "width and height"),
        ("privacy_statement_url", "javascript:alert(1)", "address of a page"),
        ("organization_name", "Example", "belong together"),
        ("entity_categories", "research-and-scholarship", "absolute URIs"),
        ("assurance_certifications", "https://refeds.org/sirtfi", "security_email"),
        ("language", "English!", "pattern"),
    ],
)
def test_what_partners_could_not_use_is_refused_at_the_start(name: str, value: str, told: str) -> None:
    raw = {"idp.public_url": "https://idp.example.org", "idp.scope": "example.org", f"idp.{name}": value}
    raw |= {"idp.database_url": "sqlite://", "idp.keys_directory": "/nowhere"}
    with pytest.raises(ConfigurationError, match=told):
        idp_settings.read(raw)


def test_it_is_asked_for_again_without_being_sent_again(make: Callable[..., Any]) -> None:
    site = make()
    browser = site.browser()
    first = browser.get("/saml/metadata")
    assert first.content_type == "application/samlmetadata+xml"
    assert "max-age=3600" in first.headers["Cache-Control"]
    tag, date = first.headers["ETag"], first.headers["Last-Modified"]
    for headers in ({"If-None-Match": tag}, {"If-None-Match": f'"x", W/{tag}'}, {"If-Modified-Since": date}):
        again = browser.get("/saml/metadata", headers=headers)
        assert (again.status_int, again.body, again.headers["ETag"]) == (304, b"", tag)
    # A tag that does not fit counts for more than a date that does (RFC 9110 13.2.2).
    both = browser.get("/saml/metadata", headers={"If-None-Match": '"x"', "If-Modified-Since": date})
    assert both.status_int == 200
    site.clock.advance(minutes=59)
    assert browser.get("/saml/metadata").body == first.body
    site.clock.advance(minutes=1)
    later = browser.get("/saml/metadata", headers={"If-None-Match": tag, "If-Modified-Since": date})
    (entity,) = read_document(later.body)
    assert entity.valid_until == NOW + timedelta(days=21, hours=1)
    assert entity.cache_duration == timedelta(hours=6)


def test_its_head_and_its_compressed_form_belong_to_the_same_document(make: Callable[..., Any]) -> None:
    browser = make().browser()
    plain, head = browser.get("/saml/metadata"), browser.head("/saml/metadata")
    assert (head.body, head.headers["ETag"], head.content_length) == (b"", plain.headers["ETag"], len(plain.body))
    packed = as_sent(browser, "br, gzip;q=0.5")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert packed.headers["ETag"] != plain.headers["ETag"]
    assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    for refused in ("gzip;q=0", "identity", "*;q=0", "gzip; q=0.000"):
        assert "Content-Encoding" not in as_sent(browser, refused).headers


def test_the_page_beside_it_says_the_same_to_people(make: Callable[..., Any]) -> None:
    browser = make(**SAID).browser()
    entity = entity_of(browser)
    role = entity.idp or entity.sp
    assert role is not None
    page = browser.get("/saml/about")
    endpoints = [*(entity.idp.single_sign_on if entity.idp else entity.sp.assertion_consumer), *role.single_logout]
    for text in (entity.entity_id, *(each.location for each in endpoints), "security@example.org"):
        assert text in page.text
    for key in role.keys:
        assert key.certificate is not None
        sha1 = hashlib.sha1(key.certificate, usedforsecurity=False).hexdigest().upper()
        assert certificates.fingerprint(key.certificate) in page.text
        assert sha1 in page.text.replace(":", "")
        assert certificates.container_of(key.certificate).not_after.strftime("%-d %b %Y") in page.text
    assert "<script" not in page.text
    assert page.html.find(id="personal-data") is not None
    assert browser.get(page.html.find("a", class_="button")["href"]).content_type == "application/samlmetadata+xml"


def test_while_the_federation_is_off_nothing_is_published(make: Callable[..., Any]) -> None:
    site = make()
    if isinstance(site, Site):
        site.switch(on=False)
    else:
        site = make_idp(site.installation.settings.keys_directory.parent / "off", enabled=False)
    for path in ("/saml/metadata", "/saml/about"):
        site.browser().get(path, status=404)
