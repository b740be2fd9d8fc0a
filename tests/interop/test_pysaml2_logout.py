"""An independent identity provider takes part in single logout with a site of ours, whoever begins."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from bs4 import BeautifulSoup
from webtest import TestApp, TestResponse

from federation.saml.bindings import soap
from federation.saml.names import Algorithm, Binding
from tests.interop import pysaml2_party as party
from tests.slo_factories import ALICES, DONE, POST, REDIRECT, SLO, SingleLogout
from tests.sp_factories import make_site

SIGNED = {"sign_alg": Algorithm.RSA_SHA256, "digest_alg": Algorithm.SHA256}


@pytest.fixture
def slo(tmp_path: Path) -> Iterator[SingleLogout]:
    """A site of ours whose identity provider signs people in with our builder, and leaves logout to pysaml2."""
    site = make_site(tmp_path)
    site.clock.now = party.now()
    yield SingleLogout(site)
    site.provider.engine.dispose()


@pytest.fixture
def peer(slo: SingleLogout, tmp_path: Path) -> Any:
    return party.identity_provider(
        tmp_path,
        partner=slo.site.provider.metadata(party.now()).decode().partition("?>")[2],
        single_logout=[(each, Binding.REDIRECT) for each in (SLO, DONE)] + [(SLO, Binding.POST)],
    )


def query_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def bring(
    browser: TestApp, peer: Any, message: Any, binding: str, where: str, state: str, *, response: bool
) -> TestResponse:
    """Let the browser carry a message of pysaml2's to our site."""
    if binding == Binding.REDIRECT:
        info = peer.apply_binding(
            binding, str(message), where, state, response=response, sign=True, sigalg=Algorithm.RSA_SHA256
        )
        url = dict(info["headers"])["Location"]
        return browser.get(f"{urlsplit(url).path}?{urlsplit(url).query}")
    info = peer.apply_binding(binding, str(message), where, state, response=response)
    page = BeautifulSoup("".join(info["data"]), "html.parser")
    fields = {str(each["name"]): str(each["value"]) for each in page.find_all("input", attrs={"name": True})}
    return browser.post(urlsplit(where).path, fields)


@pytest.mark.parametrize("offered", [REDIRECT, POST], ids=["redirect", "post"])
def test_it_accepts_our_request_and_we_its_answer(slo: SingleLogout, peer: Any, offered: Any) -> None:
    slo.idp.single_logout = (offered,)
    slo.site.connect(slo.idp)
    browser = slo.site.browser()
    out = slo.sign_in(browser).forms[0].submit()
    if offered is REDIRECT:
        fields = query_of(out.location)
        parsed = peer.parse_logout_request(
            fields["SAMLRequest"],
            Binding.REDIRECT,
            relay_state=fields["RelayState"],
            sigalg=fields["SigAlg"],
            signature=fields["Signature"],
        )
    else:
        fields = dict(out.forms["message"].submit_fields())
        parsed = peer.parse_logout_request(fields["SAMLRequest"], Binding.POST)
    assert parsed.message.name_id.text == ALICES.value
    assert parsed.message.name_id.name_qualifier == ALICES.name_qualifier
    assert [each.text for each in parsed.message.session_index] == ["_session"]
    by_post = offered is POST
    answer = peer.create_logout_response(parsed.message, [offered.binding], sign=by_post, **(SIGNED if by_post else {}))
    landed = bring(browser, peer, answer, offered.binding, slo.url, fields["RelayState"], response=True)
    assert "confirms that yours there has ended too" in landed.follow()


@pytest.mark.parametrize("binding", [Binding.REDIRECT, Binding.POST, Binding.SOAP])
def test_it_ends_a_session_of_ours_and_accepts_our_answer(slo: SingleLogout, peer: Any, binding: str) -> None:
    browser = slo.site.browser()
    slo.sign_in(browser)
    name_id = party.name_id(ALICES.value, ALICES.format, ALICES.name_qualifier)
    inside = binding != Binding.REDIRECT
    identifier, request = peer.create_logout_request(
        slo.url,
        issuer_entity_id=slo.partner.entity_id,
        name_id=name_id,
        session_indexes=["_session"],
        sign=inside,
        **(SIGNED if inside else {}),
    )
    if binding == Binding.SOAP:
        page = slo.by_soap(soap.encode(str(request).encode()))
        text = base64.b64encode(soap.decode(page.body).xml).decode()
        answer = peer.parse_logout_request_response(text, Binding.POST)
    else:
        page = bring(browser, peer, request, binding, slo.url, "state", response=False)
        fields = query_of(page.location)
        assert page.location.startswith(DONE)
        assert fields["RelayState"] == "state"
        answer = peer.parse_logout_request_response(fields["SAMLResponse"], Binding.REDIRECT)
    assert answer.status_ok()
    assert answer.in_response_to == identifier
    browser.get("/whoami", status=401)
