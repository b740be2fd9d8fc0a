"""Requests: each kind of AuthnRequest and LogoutRequest that an identity provider may meet."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from lxml import etree

from federation.saml import signature, xml
from federation.saml.codec import authn_request as request_codec
from federation.saml.codec import logout as logout_codec
from federation.saml.messages import AuthnRequest, LogoutRequest, NameID, NameIDPolicy, Scoping
from federation.saml.names import Binding, NameIDFormat
from tests import factories
from tests.attacks import deliveries
from tests.attacks.forging import P
from tests.attacks.mutations import TREES, Choose, in_tree, own_words, replace_token
from tests.differential.kinds import HOUR, OTHER, SHAPED, Change, Message

Value = AuthnRequest | LogoutRequest

REQUESTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "perfect": {},
    "destination: another": {"destination": OTHER},
    "destination: none": {"destination": None},
    "destination: begins like ours": {"destination": factories.SSO_URL + "/x"},
    "issuer: another": {"issuer": factories.OTHER_SP},
    "an ID that is no name": {"id": "1 2"},
    "endpoint: another": {"assertion_consumer_service_url": "https://evil.example/acs"},
    "endpoint: begins like theirs": {"assertion_consumer_service_url": factories.ACS_URL + "/x"},
    "endpoint: named twice": {"assertion_consumer_service_index": 0},
    "endpoint: an unknown index": {
        "assertion_consumer_service_url": None,
        "protocol_binding": None,
        "assertion_consumer_service_index": 9,
    },
    "endpoint: the default": {"assertion_consumer_service_url": None, "protocol_binding": None},
    "endpoint: by another binding": {"protocol_binding": Binding.REDIRECT},
    "attributes: an unknown index": {"attribute_consuming_service_index": 9},
    "names: a persistent one": {"name_id_policy": NameIDPolicy(NameIDFormat.PERSISTENT)},
    "names: somebody else's": {"name_id_policy": NameIDPolicy(sp_name_qualifier=factories.OTHER_SP)},
    "scoping: another identity provider": {"scoping": Scoping(idp_list=("https://other.example.net",))},
    "both forced and passive": {"force_authn": True, "is_passive": True},
}
LOGOUTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "perfect": {},
    "destination: another": {"destination": OTHER},
    "destination: none": {"destination": None},
    "destination: begins like ours": {"destination": deliveries.SLO_URL + "/x"},
    "issuer: another": {"issuer": factories.OTHER_SP},
    "an ID that is no name": {"id": "1 2"},
    "a blank name": {"name_id": NameID(" ")},
    "a bare name": {"name_id": NameID("_f81d")},
    "no session index": {"session_indexes": ()},
    "hundreds of session indexes": {"session_indexes": ("_s",) * 300},
    "no end": {"not_on_or_after": None},
}
"""What a request says, otherwise than usual."""


def _authn(now: datetime, **more: Any) -> etree._Element:
    return xml.lift(request_codec.write(factories.request()._replace(**({"issue_instant": now} | more))))


def _logout(now: datetime, **more: Any) -> etree._Element:
    usual = {"issue_instant": now, "not_on_or_after": now + HOUR}
    return xml.lift(logout_codec.write_request(replace(deliveries.logout_request(), **(usual | more))))


WRITERS: Final[Mapping[str, tuple[Callable[..., etree._Element], Mapping[str, Mapping[str, Any]]]]] = {
    "request": (_authn, REQUESTS),
    "logout": (_logout, LOGOUTS),
}


def _signed(element: etree._Element, change: Change | None = None, key: str = "sp") -> bytes:
    if change is not None:
        change(element)
    signature.sign(element, key=factories.signing_key(key))
    return xml.serialise(element)


def _unknown_extension(element: etree._Element) -> None:
    extensions = etree.Element(f"{P}Extensions")
    etree.SubElement(extensions, "{urn:x}x")
    element.insert(1, extensions)


def asked(now: datetime) -> Iterator[Message]:
    """Every kind by what it says, when it is from, how it is shaped, and who signed it."""
    for profile, (write, kinds) in WRITERS.items():

        def message(kind: str, octets: bytes, profile: str = profile) -> Message:
            return Message(f"{profile}: {kind}", octets, profile)

        for kind, more in kinds.items():
            yield message(kind, _signed(write(now, **more)))
        yield message("old", _signed(write(now, issue_instant=now - 10 * HOUR)))
        yield message("from the future", _signed(write(now, issue_instant=now + 10 * HOUR)))
        for kind in ("shape: an unknown element", "shape: an unknown attribute", "shape: SAML 1.1"):
            yield message(kind, _signed(write(now), SHAPED[kind]))
        yield message("an unknown extension", _signed(write(now), _unknown_extension))
        yield message("signature: none", xml.serialise(write(now)))
        yield message("signature: by somebody else", _signed(write(now), key="mallory"))
    yield Message("logout: expired", _signed(_logout(now, not_on_or_after=now - 10 * HOUR)), "logout")


def changed(now: datetime, rounds: int, seed: str) -> Iterator[Message]:
    """Requests with one change made after they were signed; the same ones for the same seed."""
    choose: Choose = random.Random(seed).choice
    for _ in range(rounds):
        for profile, (write, _kinds) in WRITERS.items():
            genuine = _signed(write(now))
            for change in (*(in_tree(tree) for tree in TREES), own_words, replace_token):
                yield Message(f"{profile}: changed after it was signed", change(genuine, choose), profile)
