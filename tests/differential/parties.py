"""Who judges a response: we, and two other implementations, each as the same service provider of the same IdP."""

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
from tests import factories
from tests.interop import pysaml2_party

ACCEPTED = "accepted"
REFUSED = "refused"

Judge = Callable[[bytes], str]


def ours(now: datetime) -> Judge:
    """Our verdict: `accepted`, or the rule that refuses."""
    expected = factories.expectations(now=now)

    def judge(document: bytes) -> str:
        try:
            factories.sso_response.accept(factories.posted(document), expected)
        except FederationError as error:
            return error.rule
        return ACCEPTED

    return judge


def pysaml2(folder: Path) -> Judge:
    """pysaml2's verdict."""
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


def others(folder: Path) -> Mapping[str, Judge]:
    """The other parties by name. They are told to be silent: what they think of a message is their verdict."""
    logging.getLogger("saml2").setLevel(logging.CRITICAL + 1)
    warnings.simplefilter("ignore")
    return {"pysaml2": pysaml2(folder), "python3-saml": python3_saml()}
