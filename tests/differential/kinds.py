"""The messages: each kind of response that a service provider may meet, signed and encrypted in every way."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from lxml import etree

from federation.saml import signature, xml
from federation.saml.codec import assertion as assertion_codec
from federation.saml.messages import Assertion, Attribute, Conditions, NameID, Response, Status, SubjectConfirmation
from federation.saml.names import ConfirmationMethod, StatusCode
from tests import factories, trees
from tests.attacks.forging import A, encrypted
from tests.attacks.mutations import TREES, Choose, in_tree, own_words, replace_token

MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)
LIFETIME: Final = 2 * HOUR
"""The other parties know only the clock on the wall: a busy machine must not make a difference."""
OTHER: Final = "https://other.example.net/acs"
WRAPPINGS: Final = tuple((sign, sealed) for sign in ("response", "assertion", "both") for sealed in (False, True))

Change = Callable[[etree._Element], object]


@dataclass(frozen=True, slots=True)
class Message:
    """A message, what kind it is of, and by which profile it is judged."""

    kind: str
    octets: bytes
    profile: str = "response"


@dataclass(frozen=True, slots=True)
class Usual:
    """A perfect response of this moment, as values."""

    assertion: Assertion
    envelope: Response


def usual(now: datetime) -> Usual:
    """What every kind changes."""
    confirmation = factories.confirmation(not_on_or_after=now + LIFETIME)
    authn = factories.authn_statement(authn_instant=now - MINUTE)
    conditions = Conditions(now - MINUTE, now + LIFETIME, ((factories.SP,),))
    return Usual(
        factories.assertion(
            issue_instant=now,
            subject_confirmations=(confirmation,),
            authn_statements=(authn,),
            conditions=conditions,
        ),
        factories.envelope(issue_instant=now),
    )


def wrapped(
    value: Usual,
    sign: str,
    *,
    sealed: bool,
    change_assertion: Change | None = None,
    change: Change | None = None,
    key: str = "idp",
) -> bytes:
    """A response as octets: changed, then signed, then encrypted, then signed around that."""
    element = xml.lift(assertion_codec.write(value.assertion))
    if change_assertion is not None:
        change_assertion(element)
    if sign in ("assertion", "both"):
        signature.sign(element, key=factories.signing_key(key))
    root = trees.response(value.envelope, encrypted(element) if sealed else element)
    if change is not None:
        change(root)
    if sign in ("response", "both"):
        signature.sign(root, key=factories.signing_key(key))
    return xml.serialise(root)


# What a message says --------------------------------------------------------------------------------------------------


def _confirmed(value: Usual, **more: Any) -> Usual:
    changed = replace(value.assertion.subject_confirmations[0], **more)
    return replace(value, assertion=replace(value.assertion, subject_confirmations=(changed,)))


def _conditioned(value: Usual, **more: Any) -> Usual:
    assert value.assertion.conditions is not None
    return replace(value, assertion=replace(value.assertion, conditions=replace(value.assertion.conditions, **more)))


def _stated(value: Usual, **more: Any) -> Usual:
    changed = replace(value.assertion.authn_statements[0], **more)
    return replace(value, assertion=replace(value.assertion, authn_statements=(changed,)))


def _asserted(value: Usual, **more: Any) -> Usual:
    return replace(value, assertion=replace(value.assertion, **more))


def _enveloped(value: Usual, **more: Any) -> Usual:
    return replace(value, envelope=replace(value.envelope, **more))


def _second_confirmation(value: Usual, *, first: bool, **more: Any) -> Usual:
    good = value.assertion.subject_confirmations[0]
    pair = (replace(good, **more), good) if first else (good, replace(good, **more))
    return _asserted(value, subject_confirmations=pair)


SAID: Final[Mapping[str, Callable[[Usual, datetime], Usual]]] = {
    "perfect": lambda value, now: value,
    "destination: another": lambda value, now: _enveloped(value, destination=OTHER),
    "destination: none": lambda value, now: _enveloped(value, destination=None),
    "destination: begins like ours": lambda value, now: _enveloped(value, destination=factories.ACS_URL + "/x"),
    "destination: empty": lambda value, now: _enveloped(value, destination=""),
    "envelope: old": lambda value, now: _enveloped(value, issue_instant=now - HOUR),
    "envelope: from the future": lambda value, now: _enveloped(value, issue_instant=now + HOUR),
    "envelope: another issuer": lambda value, now: _enveloped(value, issuer="https://other.example.net"),
    "envelope: no issuer": lambda value, now: _enveloped(value, issuer=None),
    "envelope: answers another request": lambda value, now: _enveloped(value, in_response_to="_other"),
    "envelope: answers no request": lambda value, now: _enveloped(value, in_response_to=None),
    "envelope: an error": lambda value, now: _enveloped(value, status=Status(StatusCode.RESPONDER)),
    "envelope: partial success": lambda value, now: _enveloped(
        value, status=Status(StatusCode.SUCCESS, StatusCode.PARTIAL_LOGOUT)
    ),
    "assertion: another issuer": lambda value, now: _asserted(value, issuer="https://other.example.net"),
    "assertion: old": lambda value, now: _asserted(value, issue_instant=now - HOUR),
    "assertion: from the future": lambda value, now: _asserted(value, issue_instant=now + HOUR),
    "assertion: the envelope's ID": lambda value, now: _asserted(value, id=factories.RESPONSE_ID),
    "assertion: an ID that is no name": lambda value, now: _asserted(value, id="1 2"),
    "assertion: no name": lambda value, now: _asserted(value, name_id=None),
    "assertion: a blank name": lambda value, now: _asserted(value, name_id=NameID(" ")),
    "assertion: no attributes": lambda value, now: _asserted(value, attributes=()),
    "assertion: an attribute twice": lambda value, now: _asserted(
        value, attributes=(*factories.ATTRIBUTES, Attribute(factories.ATTRIBUTES[0].name, ("Mallory",)))
    ),
    "assertion: an empty value": lambda value, now: _asserted(value, attributes=(Attribute("urn:x", ("",)),)),
    "conditions: none": lambda value, now: _asserted(value, conditions=None),
    "conditions: no audience": lambda value, now: _conditioned(value, audience_restrictions=()),
    "conditions: another audience": lambda value, now: _conditioned(
        value, audience_restrictions=((factories.OTHER_SP,),)
    ),
    "conditions: two audiences": lambda value, now: _conditioned(
        value, audience_restrictions=((factories.OTHER_SP, factories.SP),)
    ),
    "conditions: two restrictions": lambda value, now: _conditioned(
        value, audience_restrictions=((factories.SP,), (factories.OTHER_SP,))
    ),
    "conditions: not yet": lambda value, now: _conditioned(value, not_before=now + 10 * HOUR),
    "conditions: no more": lambda value, now: _conditioned(value, not_on_or_after=now - 10 * HOUR),
    "conditions: for ever": lambda value, now: _conditioned(value, not_before=None, not_on_or_after=None),
    "conditions: one time use": lambda value, now: _conditioned(value, one_time_use=True),
    "conditions: no further proxying": lambda value, now: _conditioned(value, proxy_restriction=True),
    "bearer: another recipient": lambda value, now: _confirmed(value, recipient=OTHER),
    "bearer: no recipient": lambda value, now: _confirmed(value, recipient=None),
    "bearer: too late": lambda value, now: _confirmed(value, not_on_or_after=now - 10 * HOUR),
    "bearer: for ever": lambda value, now: _confirmed(value, not_on_or_after=None),
    "bearer: a start": lambda value, now: _confirmed(value, not_before=now - MINUTE),
    "bearer: another request": lambda value, now: _confirmed(value, in_response_to="_other"),
    "bearer: no request": lambda value, now: _confirmed(value, in_response_to=None),
    "bearer: only for the holder of a key": lambda value, now: _confirmed(
        value, method=ConfirmationMethod.HOLDER_OF_KEY
    ),
    "bearer: none": lambda value, now: _asserted(value, subject_confirmations=()),
    "bearer: a bad one first": lambda value, now: _second_confirmation(value, first=True, recipient=OTHER),
    "bearer: a bad one behind": lambda value, now: _second_confirmation(value, first=False, recipient=OTHER),
    "bearer: bare": lambda value, now: _asserted(
        value, subject_confirmations=(SubjectConfirmation(ConfirmationMethod.BEARER),)
    ),
    "sign-in: none": lambda value, now: _asserted(value, authn_statements=()),
    "sign-in: two": lambda value, now: _asserted(value, authn_statements=value.assertion.authn_statements * 2),
    "sign-in: in the future": lambda value, now: _stated(value, authn_instant=now + HOUR),
    "sign-in: days ago": lambda value, now: _stated(value, authn_instant=now - 100 * HOUR),
    "sign-in: a session that ended": lambda value, now: _stated(value, session_not_on_or_after=now - HOUR),
    "sign-in: no session index": lambda value, now: _stated(value, session_index=None),
    "sign-in: no class": lambda value, now: _stated(value, authn_context_class_ref=None),
}
"""What a message says, otherwise than usual."""


def _added(tag: str, path: str | None = None) -> Change:
    def change(element: etree._Element) -> None:
        target = element if path is None else element.find(path)
        assert target is not None
        etree.SubElement(target, tag)

    return change


SHAPED: Final[Mapping[str, Change]] = {
    "shape: an unknown condition": _added("{urn:x}OnlyOnSundays", f"{A}Conditions"),
    "shape: an unknown element": _added("{urn:x}Unknown"),
    "shape: an unknown attribute": lambda element: element.set("{urn:x}hint", "1"),
    "shape: SAML 1.1": lambda element: element.set("Version", "1.1"),
    "shape: a second subject": lambda element: element.insert(2, etree.fromstring(etree.tostring(element[1]))),
    "shape: conditions before the subject": lambda element: element.insert(1, element[2]),
    "shape: a child in a name": _added("{urn:x}x", f"{A}Subject/{A}NameID"),
    "shape: a typed value": lambda element: next(element.iter(f"{A}AttributeValue")).set(
        "{http://www.w3.org/2001/XMLSchema-instance}nil", "true"
    ),
}
"""How an assertion is written, otherwise than usual."""


# All of them ----------------------------------------------------------------------------------------------------------


def said(now: datetime) -> Iterator[Message]:
    """Every kind by what it says and how it is shaped, in every wrapping; and by who signed it."""
    value = usual(now)
    for kind, change in SAID.items():
        for sign, sealed in WRAPPINGS:
            yield Message(kind, wrapped(change(value, now), sign, sealed=sealed))
    for kind, shape in SHAPED.items():
        for sign, sealed in WRAPPINGS:
            yield Message(kind, wrapped(value, sign, sealed=sealed, change_assertion=shape))
    for sealed in (False, True):
        yield Message("signature: none", wrapped(value, "nothing", sealed=sealed))
        for sign in ("response", "assertion", "both"):
            yield Message("signature: by somebody else", wrapped(value, sign, sealed=sealed, key="mallory"))


def changed(now: datetime, rounds: int, seed: str) -> Iterator[Message]:
    """Messages with one change, made before or after it was signed; the same ones for the same seed."""
    value = usual(now)
    choose: Choose = random.Random(seed).choice
    for _ in range(rounds):
        for tree in TREES:
            sign, sealed = choose(WRAPPINGS)
            octets = in_tree(tree)(wrapped(value, sign, sealed=sealed), choose)
            yield Message("changed after it was signed", octets)

            def spoil(element: etree._Element, tree: Any = tree) -> None:
                with suppress(ValueError):
                    tree(element, choose)
                if not element.get("ID"):
                    element.set("ID", factories.ASSERTION_ID)

            sign, sealed = choose(WRAPPINGS)
            yield Message("odd, and signed so", wrapped(value, sign, sealed=sealed, change_assertion=spoil))
        for octet_change in (own_words, replace_token):
            sign, sealed = choose(WRAPPINGS)
            octets = octet_change(wrapped(value, sign, sealed=sealed), choose)
            yield Message("octets changed after it was signed", octets)
