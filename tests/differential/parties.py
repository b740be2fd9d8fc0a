"""Who judges a message: we, and two other implementations, each as the same party.

A service provider judges responses, its identity provider judges requests; not every other is both.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from onelogin.saml2.response import OneLogin_Saml2_Response
from onelogin.saml2.settings import OneLogin_Saml2_Settings

from federation.errors import FederationError
from federation.saml.names import Binding
from federation.saml.profiles import logout
from tests import factories
from tests.attacks import deliveries
from tests.interop import pysaml2_party

ACCEPTED = "accepted"
REFUSED = "refused"

Judge = Callable[[bytes], str]
Judges = Mapping[str, Judge]
"""By profile: `response`, `request` (for a sign-in), `logout` (a request for one)."""


def ours(now: datetime) -> Judges:
    """Our verdict: `accepted`, or the rule that refuses."""

    def judge(accept: Callable[[bytes], object]) -> Judge:
        def verdict(document: bytes) -> str:
            try:
                accept(document)
            except FederationError as error:
                return error.rule
            return ACCEPTED

        return verdict

    expected, at_slo = factories.expectations(now=now), deliveries.at_slo(now=now)
    return {
        "response": judge(lambda document: factories.sso_response.accept(factories.posted(document), expected)),
        "request": judge(lambda document: factories.accept_request(factories.posted(document, "SAMLRequest"), now=now)),
        "logout": judge(lambda document: logout.accept_request(factories.posted(document, "SAMLRequest"), at_slo)),
    }


def pysaml2_idp(folder: Path) -> Judges:
    """pysaml2's verdict on requests."""
    party = pysaml2_party.identity_provider(folder, single_logout=[(deliveries.SLO_URL, Binding.POST)])

    def judge(parse: Callable[[str, str], object]) -> Judge:
        def verdict(document: bytes) -> str:
            try:
                parsed = parse(factories.base64_text(document), Binding.POST)
            except Exception:  # its errors have no common root
                return REFUSED
            return REFUSED if parsed is None else ACCEPTED

        return verdict

    def with_endpoint(document: str, binding: str) -> object:
        """What its example identity provider does: where the answer goes is a question of its own."""
        parsed = party.parse_authn_request(document, binding)
        party.response_args(parsed.message)
        return parsed

    return {"request": judge(with_endpoint), "logout": judge(party.parse_logout_request)}


def pysaml2(folder: Path) -> Judge:
    """pysaml2's verdict on responses."""
    party = pysaml2_party.service_provider(folder)

    def judge(document: bytes) -> str:
        try:
            response = party.parse_authn_request_response(
                factories.base64_text(document), Binding.POST, outstanding={factories.REQUEST_ID: "/"}
            )
            name = None if response is None else response.get_subject()
        except Exception:  # its errors have no common root
            return REFUSED
        else:
            return REFUSED if name is None else ACCEPTED

    return judge


def _pem_body(pem: bytes) -> str:
    return "".join(pem.decode().splitlines()[1:-1])


def python3_saml() -> Judge:
    """python3-saml's verdict, in its strict mode."""
    private, certificate = factories.key_pair("sp-encryption")
    settings = OneLogin_Saml2_Settings(
        {
            "strict": True,
            "sp": {
                "entityId": factories.SP,
                "assertionConsumerService": {"url": factories.ACS_URL, "binding": Binding.POST},
                "x509cert": _pem_body(certificate),
                "privateKey": _pem_body(private),
            },
            "idp": {
                "entityId": factories.IDP,
                "singleSignOnService": {"url": factories.SSO_URL, "binding": Binding.REDIRECT},
                "x509cert": _pem_body(factories.key_pair("idp")[1]),
            },
            "security": {
                "rejectDeprecatedAlgorithm": True,
                "wantNameId": False,
                "wantAttributeStatement": False,
                "requestedAuthnContext": False,
            },
        }
    )
    request = {"https": "on", "http_host": "sp.example.com", "script_name": "/saml/acs", "get_data": {}}

    def judge(document: bytes) -> str:
        try:
            response = OneLogin_Saml2_Response(settings, factories.base64_text(document))
            valid = response.is_valid(request, request_id=factories.REQUEST_ID)
        except Exception:  # its errors have no common root
            return REFUSED
        else:
            return ACCEPTED if valid else REFUSED

    return judge


def others(folder: Path) -> Mapping[str, Judges]:
    """The other parties by name. They are told to be silent: what they think of a message is their verdict."""
    logging.getLogger("saml2").setLevel(logging.CRITICAL + 1)
    warnings.simplefilter("ignore")
    return {
        "pysaml2": {"response": pysaml2(folder), **pysaml2_idp(folder)},
        "python3-saml": {"response": python3_saml()},
    }
