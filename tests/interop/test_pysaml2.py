"""An independent implementation reads what we write, and we read what it writes."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from bs4 import BeautifulSoup
from saml2.discovery import DiscoveryServer

from federation.errors import Refused
from federation.saml.bindings import post, redirect
from federation.saml.bindings.post import PostForm
from federation.saml.metadata.entity import Endpoint
from federation.saml.names import IDPDISC, Algorithm, Binding
from federation.saml.profiles import discovery, sso_request, sso_response
from tests import factories, metadata_factories
from tests.interop import pysaml2_party as party


@pytest.fixture
def service_provider(tmp_path: Path):
    return party.service_provider(tmp_path)


@pytest.fixture
def identity_provider(tmp_path: Path):
    return party.identity_provider(tmp_path)


def our_response(**more):
    now = party.now()
    arguments = {"now": now, "authn_instant": now - timedelta(minutes=1)}
    return factories.response_xml(**(arguments | more))


@pytest.mark.parametrize("sign_response", [True, False])
@pytest.mark.parametrize("sign_assertion", [True, False])
@pytest.mark.parametrize("encrypted", [True, False])
def test_it_accepts_our_responses(service_provider, sign_response, sign_assertion, encrypted):
    key = factories.descriptor(factories.decryption_key()) if encrypted else None
    document = our_response(sign_response=sign_response, sign_assertion=sign_assertion, encrypt_to=key)
    response = service_provider.parse_authn_request_response(
        factories.base64_text(document), Binding.POST, outstanding={factories.REQUEST_ID: "/"}
    )
    assert response.get_subject().text == "_f81d"
    assert ["Alice Archer"] in response.ava.values()


@pytest.mark.parametrize("algorithm", [Algorithm.RSA_SHA256, Algorithm.RSA_SHA512])
@pytest.mark.parametrize(("sign_response", "sign_assertion"), [(True, False), (False, True), (True, True)])
def test_we_accept_its_responses(identity_provider, algorithm, sign_response, sign_assertion):
    document = identity_provider.create_authn_response(
        identity={"givenName": ["Alice"], "mail": ["alice@example.org"]},
        in_response_to=factories.REQUEST_ID,
        destination=factories.ACS_URL,
        sp_entity_id=factories.SP,
        userid="alice",
        authn={"class_ref": "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"},
        sign_response=sign_response,
        sign_assertion=sign_assertion,
        sign_alg=algorithm,
        digest_alg=Algorithm.SHA256,
    )
    received = post.decode([("SAMLResponse", factories.base64_text(str(document).encode()))])
    accepted = sso_response.accept(received, factories.expectations(now=party.now()))
    assert ("alice@example.org",) in [attribute.values for attribute in accepted.attributes]
    changed = str(document).replace("alice@example.org", "admin@example.org")
    received = post.decode([("SAMLResponse", factories.base64_text(changed.encode()))])
    with pytest.raises(Refused) as caught:
        sso_response.accept(received, factories.expectations(now=party.now()))
    assert caught.value.rule == "signature.content"


@pytest.mark.parametrize("binding", [Binding.REDIRECT, Binding.POST])
def test_it_accepts_our_requests(identity_provider, binding):
    carrier = sso_request.send(
        factories.request(now=party.now()), binding=binding, key=factories.signing_key("sp"), relay_state="x"
    )
    if isinstance(carrier, PostForm):
        parsed = identity_provider.parse_authn_request(dict(carrier.fields)["SAMLRequest"], binding)
    else:
        received = redirect.decode(urlsplit(carrier).query.encode())
        query = {name: values[0] for name, values in parse_qs(urlsplit(carrier).query).items()}
        assert received.query_signature is not None
        parsed = identity_provider.parse_authn_request(
            query["SAMLRequest"],
            binding,
            relay_state=query["RelayState"],
            sigalg=query["SigAlg"],
            signature=query["Signature"],
        )
    assert parsed.message.id == factories.REQUEST_ID


@pytest.mark.parametrize("binding", [Binding.REDIRECT, Binding.POST])
def test_we_accept_its_requests(service_provider, binding):
    identifier, info = service_provider.prepare_for_authenticate(
        entityid=factories.IDP,
        relay_state="state",
        binding=binding,
        sign=True,
        sigalg=Algorithm.RSA_SHA256,
        digest_alg=Algorithm.SHA256,
    )
    if binding == Binding.REDIRECT:
        received = redirect.decode(urlsplit(dict(info["headers"])["Location"]).query.encode())
    else:
        page = BeautifulSoup("".join(info["data"]), "html.parser")
        fields = [(str(field["name"]), str(field["value"])) for field in page.find_all("input", attrs={"name": True})]
        received = post.decode(fields)
    accepted = factories.accept_request(received, now=party.now())
    assert accepted.signed
    assert accepted.request.id == identifier
    assert accepted.acs.location == factories.ACS_URL


def test_it_asks_our_discovery_service_and_reads_what_comes_back(service_provider):
    back = "https://sp.example.org/disco?state=1"
    url = service_provider.create_discovery_service_request(
        "https://ds.example.org/", factories.SP, **{"return": back, "isPassive": "true", "returnIDParam": "idp"}
    )
    asked = discovery.read_request(parse_qs(urlsplit(url).query))
    partner = metadata_factories.sp_entity(entity_id=factories.SP)
    endpoint = Endpoint(IDPDISC, "https://sp.example.org/disco", index=1)
    partner = replace(partner, sp=replace(partner.sp, extension_endpoints=(("DiscoveryResponse", endpoint),)))
    accepted = discovery.accept(asked, served={factories.SP: partner})
    assert accepted.request.is_passive
    for entity_id in ("https://idp.example.org/?a=b&c=d", None):
        answer = discovery.answer_url(accepted, entity_id)
        assert service_provider.parse_discovery_service_response(answer, returnIDParam="idp") == (entity_id or "")


def test_its_discovery_service_reads_what_we_ask(identity_provider):
    back = "https://sp.example.org/d?s=1"
    url = discovery.request_url("https://ds.example.org/", entity_id=factories.SP, return_url=back, is_passive=True)
    server = DiscoveryServer(config=identity_provider.config)
    asked = server.parse_discovery_service_request(url=url)
    assert (asked["entityID"], asked["return"]) == (factories.SP, back)
    answer = server.create_discovery_service_response(asked["return"], asked["returnIDParam"], entity_id=factories.IDP)
    assert discovery.answered(parse_qs(urlsplit(answer).query)) == factories.IDP
