"""An independent service provider at our identity provider's site: sign-in, what it demands, logout from both sides."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from lxml import etree
from webtest import TestApp, TestResponse

from federation.saml.bindings import soap
from federation.saml.metadata.entity import Endpoint
from federation.saml.names import SAMLP, Algorithm, AuthnContextClass, Binding
from idp_app.services.publication import document
from tests.idp_factories import FakeSP, IdPSite, make_idp
from tests.interop import pysaml2_party as party
from tests.logout_factories import is_signed_in

ORIGIN = "http://localhost:6544"
ACS, SLO = f"{ORIGIN}/saml/acs", f"{ORIGIN}/saml/slo"
SIGNED = {"sign_alg": Algorithm.RSA_SHA256, "digest_alg": Algorithm.SHA256}
PPT = AuthnContextClass.PASSWORD_PROTECTED_TRANSPORT


@dataclass(frozen=True)
class Visit:
    """A browser in which alice is signed in, and the two parties."""

    idp: IdPSite
    peer: Any
    browser: TestApp

    def asks(self, binding: str = Binding.POST, **more: Any) -> tuple[str, str]:
        """The request's ID, and its address at our site."""
        identifier, info = self.peer.prepare_for_authenticate(
            entityid=self.idp.entity.entity_id,
            relay_state="deep link",
            binding=Binding.REDIRECT,
            response_binding=binding,
            sign=True,
            sigalg=Algorithm.RSA_SHA256,
            **more,
        )
        return identifier, _path(dict(info["headers"])["Location"])

    def arrives(self, **more: Any) -> Any:
        """Sign alice in there; what it makes of our response."""
        identifier, address = self.asks(**more)
        text = self.browser.get(address).forms["message"]["SAMLResponse"].value
        return self.peer.parse_authn_request_response(text, Binding.POST, outstanding={identifier: "/"})


@pytest.fixture
def visit(tmp_path: Path) -> Iterator[Visit]:
    idp = make_idp(tmp_path, logout_look=timedelta())
    idp.clock.now = party.now()
    sp = FakeSP(
        options={
            "single_logout": (Endpoint(Binding.REDIRECT, SLO), Endpoint(Binding.POST, SLO)),
            "acs_bindings": (Binding.POST, Binding.ARTIFACT),
        }
    )
    idp.connect(sp)
    published = document(idp.installation.settings, idp.installation.keys, idp.clock())
    peer = party.service_provider(
        tmp_path,
        entity_id=sp.entity_id,
        partner=published.body.decode().partition("?>")[2],
        consumers=[(ACS, Binding.POST), (ACS, Binding.ARTIFACT)],
        single_logout=[(SLO, Binding.REDIRECT), (SLO, Binding.POST)],
    )
    yield Visit(idp, peer, idp.sign_in("alice"))
    idp.installation.engine.dispose()


def _path(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def query_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def test_it_reads_what_our_site_says_about_a_person(visit: Visit) -> None:
    response = visit.arrives()
    assert ["Alice Archer"] in response.ava.values()
    assert response.session_info()["issuer"] == visit.idp.entity.entity_id


@pytest.mark.conformance("IIP-IDP08")
@pytest.mark.parametrize("comparison", ["exact", "minimum"])
def test_it_demands_a_way_of_signing_in_and_is_told_it(visit: Visit, comparison: str) -> None:
    demanded = {"authn_context_class_ref": [PPT], "comparison": comparison}
    response = visit.arrives(requested_authn_context=demanded)
    [(class_ref, _, _)] = response.authn_info()
    assert class_ref == PPT


def test_a_demand_that_a_password_does_not_meet_leads_to_a_second_factor(visit: Visit) -> None:
    demanded = {"authn_context_class_ref": [AuthnContextClass.REFEDS_MFA], "comparison": "minimum"}
    _, address = visit.asks(requested_authn_context=demanded)
    assert "A second factor is needed" in visit.browser.get(address).follow()


def test_it_asks_for_a_fresh_sign_in(visit: Visit) -> None:
    visit.idp.clock.advance(seconds=5)
    _, address = visit.asks(force_authn="true")
    assert "/signin?" in visit.browser.get(address).location


@pytest.mark.conformance("IIP-IDP17")
def test_it_begins_a_logout_through_the_browser(visit: Visit) -> None:
    name_id = visit.arrives().name_id
    told = visit.peer.do_logout(
        name_id, [visit.idp.entity.entity_id], "", None, sign=True, expected_binding=Binding.REDIRECT, **SIGNED
    )
    [(binding, info)] = told.values()
    assert binding == Binding.REDIRECT
    page = visit.browser.get(_path(dict(info["headers"])["Location"]))
    assert page.location.startswith(f"{SLO}?")
    answer = visit.peer.parse_logout_request_response(query_of(page.location)["SAMLResponse"], Binding.REDIRECT)
    assert answer.status_ok()
    assert not is_signed_in(visit.browser)


def test_it_begins_a_logout_by_soap(visit: Visit) -> None:
    name_id = visit.arrives().name_id
    url = visit.idp.installation.settings.slo_url
    _, request = visit.peer.create_logout_request(
        url, issuer_entity_id=visit.idp.entity.entity_id, name_id=name_id, sign=True, **SIGNED
    )
    info = visit.peer.apply_binding(Binding.SOAP, str(request), url, sign=False)
    page = visit.idp.browser().post("/saml/slo", info["data"], content_type="text/xml")
    text = base64.b64encode(soap.decode(page.body).xml).decode()
    assert visit.peer.parse_logout_request_response(text, Binding.POST).status_ok()
    assert not is_signed_in(visit.browser)


@pytest.mark.conformance("IIP-IDP17")
def test_it_is_told_when_the_person_signs_out_everywhere(visit: Visit) -> None:
    name_id = visit.arrives().name_id
    page = visit.browser.get("/signout").forms[0].submit("scope", value="everywhere").follow()
    fields = query_of(page.location)
    assert page.location.startswith(f"{SLO}?SAMLRequest=")
    info = visit.peer.handle_logout_request(
        fields["SAMLRequest"],
        name_id,
        Binding.REDIRECT,
        sign=True,
        relay_state=fields["RelayState"],
        sigalg=fields["SigAlg"],
        signature=fields["Signature"],
        **SIGNED,
    )
    page = visit.browser.get(_path(dict(info["headers"])["Location"])).follow()
    assert "You are signed out everywhere" in page
    assert "Intranet" in page


@pytest.mark.conformance("IIP-SSO02")
def test_it_fetches_our_response_by_its_artifact(visit: Visit) -> None:
    identifier, address = visit.asks(Binding.ARTIFACT)
    artifact = visit.browser.get(address).forms["message"]["SAMLart"].value

    def send(url: str, method: str = "GET", **more: Any) -> Any:
        answer: TestResponse = visit.idp.browser().post(_path(url), more["data"], content_type="text/xml")
        return SimpleNamespace(status_code=answer.status_int, text=answer.text, content=answer.body)

    visit.peer.send = send
    fetched = visit.peer.artifact2message(artifact, "idpsso", sign=True, **SIGNED).text
    [inside] = etree.fromstring(fetched.encode()).iter(f"{{{SAMLP}}}Response")
    text = base64.b64encode(etree.tostring(inside)).decode()
    response = visit.peer.parse_authn_request_response(text, Binding.POST, outstanding={identifier: "/"})
    assert ["Alice Archer"] in response.ava.values()
