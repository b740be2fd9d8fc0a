"""An independent identity provider answers a site of ours: encrypted, freshly, passively, and only to what we asked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from lxml import etree
from webtest import TestResponse

from federation.saml.metadata.entity import Endpoint
from federation.saml.names import SAML, Algorithm, Binding, StatusCode
from tests.interop import pysaml2_party as party
from tests.live import serving
from tests.sp_factories import ALICE, Site, fields, make_site

ALGORITHMS = {"sign_alg": Algorithm.RSA_SHA256, "digest_alg": Algorithm.SHA256}
SIGNED = {"sign_response": True, **ALGORITHMS}
INDEX = 0x3030
"""The index of the resolution service that its artifacts name."""
WAY = {"class_ref": "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = make_site(tmp_path)
    site.clock.now = party.now()
    site.idp.entity_id, site.idp.sso_url = party.factories.IDP, party.factories.SSO_URL
    site.connect(site.idp)
    yield site
    site.provider.engine.dispose()


@pytest.fixture
def peer(site: Site, tmp_path: Path) -> Any:
    return party.identity_provider(tmp_path, partner=site.provider.metadata(party.now()).decode().partition("?>")[2])


def asked(peer: Any, leaving: TestResponse) -> tuple[Any, str]:
    """Our request as it understands it, and the RelayState."""
    query = {name: values[0] for name, values in parse_qs(urlsplit(leaving.location).query).items()}
    parsed = peer.parse_authn_request(
        query["SAMLRequest"],
        Binding.REDIRECT,
        relay_state=query["RelayState"],
        sigalg=query["SigAlg"],
        signature=query["Signature"],
    )
    return parsed.message, query["RelayState"]


def answer(peer: Any, request: Any, **more: Any) -> bytes:
    """Its response about alice."""
    document = peer.create_authn_response(
        identity={"pairwise-id": [ALICE], "displayName": ["Alice Archer"]},
        in_response_to=request.id,
        destination=request.assertion_consumer_service_url,
        sp_entity_id=request.issuer.text,
        userid="alice",
        authn={**WAY, **more.pop("authn", {})},
        **(SIGNED | more),
    )
    return str(document).encode()


def test_its_encrypted_assertion_signs_alice_in_here(site: Site, peer: Any) -> None:
    browser = site.browser()
    request, relay_state = asked(peer, browser.get("/saml/login", {"target": "/private"}))
    document = answer(peer, request, encrypt_assertion=True)
    assert b"Alice Archer" not in document
    assert etree.fromstring(document).find(f"{{{SAML}}}EncryptedAssertion") is not None
    page = browser.post("/saml/acs", fields(document, relay_state)).follow()
    assert "Alice Archer" in page


def test_it_is_asked_for_a_fresh_sign_in_and_an_old_one_is_not_enough(site: Site, peer: Any) -> None:
    for age, status in ((timedelta(minutes=30), 403), (timedelta(), 303)):
        browser = site.browser()
        request, relay_state = asked(peer, browser.get("/saml/login", {"target": "/private", "forceAuthn": "true"}))
        assert request.force_authn == "true"
        document = answer(peer, request, authn={"authn_instant": int((party.now() - age).timestamp())})
        browser.post("/saml/acs", fields(document, relay_state), status=status)


def test_it_says_that_it_cannot_answer_without_a_page(site: Site, peer: Any) -> None:
    browser = site.browser()
    request, relay_state = asked(peer, browser.get("/saml/login", {"target": "/private", "isPassive": "true"}))
    assert request.is_passive == "true"
    told = (StatusCode.NO_PASSIVE, "nobody is there")
    document = peer.create_error_response(
        request.id,
        request.assertion_consumer_service_url,
        told,
        sign=True,
        sign_alg=Algorithm.RSA_SHA256,
        digest_alg=Algorithm.SHA256,
    )
    back = browser.post("/saml/acs", fields(str(document).encode(), relay_state), status=303)
    assert back.location == f"{site.origin}/private?saml_signed_in=no"


@pytest.mark.conformance("IIP-SSO02")
def test_it_hands_its_response_out_for_an_artifact(tmp_path: Path) -> None:
    asked_for: list[str] = []

    def resolve(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        """Its artifact resolution service, which has none of its own but the parts of one."""
        envelope = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode()
        question = peer.parse_artifact_resolve(envelope)
        asked_for.append(question.artifact.text.strip())
        told = peer.create_artifact_response(question, asked_for[-1], issuer=peer._issuer(), sign=False)
        start_response("200 OK", [("Content-Type", "text/xml")])
        return [party.enveloped(peer.sign(told, **ALGORITHMS))]

    with serving(resolve) as port:
        site = make_site(tmp_path / "site", allow_http_loopback="true")
        site.clock.now = party.now()
        site.idp.entity_id, site.idp.sso_url = party.factories.IDP, party.factories.SSO_URL
        service = Endpoint(Binding.SOAP, f"http://localhost:{port}/resolve", index=INDEX)
        site.idp.options = {"artifact_resolution": (service,)}
        site.connect(site.idp, allow_http_loopback=True)
        site.change_connection(response_binding="artifact")
        peer = party.identity_provider(
            tmp_path, partner=site.provider.metadata(party.now()).decode().partition("?>")[2]
        )
        browser = site.browser()
        request, relay_state = asked(peer, browser.get("/saml/login", {"target": "/private"}))
        assert request.protocol_binding == Binding.ARTIFACT
        reference = peer.use_artifact(party.as_response(answer(peer, request, sign_response=False)))
        page = browser.get("/saml/acs", {"SAMLart": reference, "RelayState": relay_state}).follow()
        assert "Alice Archer" in page
        assert asked_for == [reference]
        site.provider.engine.dispose()
