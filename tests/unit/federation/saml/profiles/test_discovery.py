"""The discovery protocol, without a browser."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from federation.errors import Malformed, Refused
from federation.saml.metadata.entity import Endpoint
from federation.saml.names import IDPDISC, Binding
from federation.saml.profiles import discovery
from tests.metadata_factories import SP_ID, sp_entity

BACK = "https://sp.example.org/ds"


def partner(*endpoints: Endpoint):
    entity = sp_entity()
    return replace(
        entity, sp=replace(entity.sp, extension_endpoints=tuple(("DiscoveryResponse", e) for e in endpoints))
    )


def accept(return_url: str | None, *endpoints: Endpoint, **options):
    request = discovery.DiscoveryRequest(SP_ID, return_url)
    return discovery.accept(request, served={SP_ID: partner(*endpoints)}, **options)


@pytest.mark.parametrize("service", ["https://ds.example.org/", "https://ds.example.org/?a=b"])
def test_what_one_side_asks_the_other_reads(service):
    url = discovery.request_url(service, entity_id="urn:a&b", return_url=f"{BACK}?x=1&y=2", is_passive=True)
    assert url.startswith(service)
    request = discovery.read_request(parse_qs(urlsplit(url).query))
    assert request == discovery.DiscoveryRequest("urn:a&b", f"{BACK}?x=1&y=2", is_passive=True)


def test_what_one_side_answers_the_other_reads():
    accepted = accept(f"{BACK}?x=1", Endpoint(IDPDISC, BACK, index=1))
    for entity_id in ("https://idp.example.org/?a=b&c=d#e", None):
        back = discovery.answer_url(accepted, entity_id)
        assert back.startswith(f"{BACK}?x=1")
        assert discovery.answered(parse_qs(urlsplit(back).query)) == entity_id


def test_an_endpoint_with_a_query_of_its_own_keeps_it():
    endpoint = Endpoint(IDPDISC, f"{BACK}?tenant=7", index=1)
    assert accept(f"{BACK}?tenant=7&x=1", endpoint).return_url == f"{BACK}?tenant=7&x=1"
    for other in (BACK, f"{BACK}?tenant=8", f"{BACK}?tenant=78", f"{BACK}?x=1&tenant=7"):
        with pytest.raises(Refused, match=r"discovery\.return"):
            accept(other, endpoint)


def test_without_return_the_default_endpoint_is_meant():
    first, second, third = (Endpoint(IDPDISC, f"{BACK}/{n}", index=n) for n in (1, 2, 3))
    assert accept(None, first, second).return_url == f"{BACK}/1"
    assert accept(None, first, replace(second, is_default=True), third).return_url == f"{BACK}/2"
    assert accept(None, replace(first, is_default=False), second).return_url == f"{BACK}/2"
    with pytest.raises(Refused, match=r"discovery\.return"):
        accept(None)


def test_an_endpoint_of_another_binding_or_in_the_clear_is_none():
    for endpoint in (Endpoint(Binding.POST, BACK), Endpoint(IDPDISC, "http://sp.example.org/ds")):
        with pytest.raises(Refused, match=r"discovery\.return"):
            accept(endpoint.location, endpoint)
    plain = Endpoint(IDPDISC, "http://localhost:6544/ds")
    with pytest.raises(Refused, match=r"discovery\.return"):
        accept(plain.location, plain)
    assert accept(plain.location, plain, allow_http_loopback=True).return_url == plain.location


def test_an_identity_provider_is_no_service_provider():
    with pytest.raises(Refused, match=r"discovery\.partner"):
        discovery.accept(discovery.DiscoveryRequest(SP_ID), served={SP_ID: replace(sp_entity(), sp=None)})


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"entityID": [""]},
        {"entityID": ["a" * 257]},
        {"entityID": ["a", "b"]},
        {"entityID": ["a"], "isPassive": ["2"]},
    ],
)
def test_a_request_that_cannot_be_read(parameters):
    with pytest.raises(Malformed, match=r"discovery\.request"):
        discovery.read_request(parameters)
