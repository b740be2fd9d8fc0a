"""Our metadata, readiness, and what every page carries."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from federation.saml.metadata import trust
from federation.saml.metadata.lint import lint
from federation.saml.names import METADATA_MEDIA_TYPE, Binding
from idp_app import main
from tests.idp_factories import FakeSP, IdPSite, restarted


def test_our_metadata_is_signed_by_the_key_that_partners_pin(idp: IdPSite) -> None:
    answer = idp.browser().get("/saml/metadata")
    assert answer.content_type == METADATA_MEDIA_TYPE
    trusted = trust.verify(
        answer.body,
        now=idp.clock(),
        own_entity_id="http://localhost:6544/saml/metadata",
        role="idp",
        signer_fingerprints=[idp.installation.keys.fingerprint],
        allow_http_loopback=True,
    )
    assert trusted.signed
    role = trusted.entity.idp
    assert role is not None
    assert [(each.binding, each.location) for each in role.single_sign_on] == [
        (Binding.REDIRECT, "http://localhost:6543/saml/sso"),
        (Binding.POST, "http://localhost:6543/saml/sso"),
        (Binding.ARTIFACT, "http://localhost:6543/saml/sso"),
    ]
    assert role.scopes == ("example.org",)
    assert not [finding for finding in lint(trusted.entity) if finding.level == "error"]


def test_our_metadata_is_fetched_once_an_hour_and_asked_about_in_between(idp: IdPSite) -> None:
    browser = idp.browser()
    answer = browser.get("/saml/metadata")
    headers = {"If-None-Match": answer.headers["ETag"]}
    assert browser.get("/saml/metadata", headers=headers).status_int == 304
    idp.clock.advance(minutes=61)
    assert browser.get("/saml/metadata", headers=headers).status_int == 200


def test_two_processes_publish_the_same_octets(idp: IdPSite) -> None:
    first = idp.browser().get("/saml/metadata").body
    idp.clock.advance(minutes=1)
    assert restarted(idp).browser().get("/saml/metadata").body == first


def test_a_site_is_ready_when_keys_and_database_are(idp: IdPSite) -> None:
    assert idp.browser().get("/healthz").text == "ready\n"


@pytest.mark.parametrize("trouble", ["no key", "open key", "old database", "no database"])
def test_a_site_is_not_ready_when_something_is_missing(idp: IdPSite, tmp_path: Path, trouble: str) -> None:
    key = idp.installation.settings.keys_directory / "signing.key.pem"
    match trouble:
        case "no key":
            key.unlink()
        case "open key":
            key.chmod(0o644)
        case "old database":
            with idp.installation.engine.begin() as connection:
                connection.execute(text("DELETE FROM idp_alembic_version"))
        case "no database":
            idp.installation.engine.dispose()
            for path in tmp_path.glob("*.sqlite*"):
                path.unlink()
            (tmp_path / "idp.sqlite").write_bytes(b"no database at all" * 100)
    assert idp.browser().get("/healthz", status=503).text == "not ready\n"


def test_a_site_that_cannot_start_says_why_in_one_sentence() -> None:
    with pytest.raises(SystemExit, match=r"^Error: idp\.public_url: is required and not set; "):
        main({})


@pytest.mark.parametrize("address", ["/", "/signin", "/nothing", "/healthz", "/saml/metadata"])
def test_every_answer_carries_the_security_headers(idp: IdPSite, intranet: FakeSP, address: str) -> None:
    headers = idp.browser().get(address, expect_errors=True).headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_the_page_that_sends_an_answer_may_send_it_to_that_partner_only(idp: IdPSite, intranet: FakeSP) -> None:
    page = idp.sign_in("alice").get(intranet.redirect_url())
    [form_action] = [
        part for part in page.headers["Content-Security-Policy"].split("; ") if part.startswith("form-action")
    ]
    assert "http://localhost:6544" in form_action
    assert page.html.find("button").text.strip() == "Continue"
