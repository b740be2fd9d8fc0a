"""What is said to an identity provider's server about an invitation: requests within our policy on addresses.

Nothing here knows a database: whoever calls has no transaction open while the other side takes its time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from federation.errors import FederationError, Malformed, ProtocolError
from federation.http import Answer, Client, OutgoingError, Policy
from federation.registry.invitation import Link, Proposal, Standing, agreement
from federation.saml.metadata import trust
from federation.saml.metadata.entity import Entity
from federation.saml.metadata.origin import NOT_BY_THE_PINNED_KEY
from federation.saml.metadata.reading import MAX_DOCUMENT

if TYPE_CHECKING:
    from sp_app.provider import Provider

_TIMEOUT: Final = 15.0
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
_JSON: Final = {"Accept": "application/json"}
_SHOWN: Final = 300


class InvitationFailed(FederationError):
    """An invitation could not be taken up. `rule` says at what, the text is a plain sentence; nothing was made."""

    def __init__(self, rule: str, sentence: str) -> None:
        super().__init__(rule, sentence)
        self.rule = rule
        self.sentence = sentence

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True, slots=True)
class Met:
    """An identity provider's metadata as the link names its signer."""

    entity: Entity
    document: bytes


def read_link(provider: Provider, text: str) -> Link:
    """A link that somebody pasted. Raises `InvitationFailed`."""
    try:
        return Link.read(text, allow_http_loopback=provider.settings.allow_http_loopback)
    except Malformed as error:
        raise InvitationFailed(error.rule, _sentence(error.reason)) from None


def meet(provider: Provider, link: Link, now: datetime) -> Met:
    """Fetch the identity provider's metadata, which the key that the link names has signed."""
    return Met(*_verified(provider, _ask(provider, "GET", link.metadata_url).content, link, now))


def still_good(provider: Provider, link: Link, document: bytes, now: datetime) -> Met:
    """The metadata that was shown, or where that has expired meanwhile, as the identity provider has it now."""
    try:
        return Met(*_verified(provider, document, link, now))
    except InvitationFailed:
        return meet(provider, link, now)


def propose(provider: Provider, link: Link, now: datetime) -> Standing:
    """Say who we are: our metadata and SCIM addresses, signed."""
    proposal = Proposal(provider.metadata(now), provider.scim_url, provider.token_url)
    return _tell(provider, link.exchange_url, proposal.signed(link.address, provider.keys.signing).to_form())


def agree(provider: Provider, link: Link) -> Standing:
    """Say that our administrator has confirmed, signed; answers how things stand."""
    return _tell(provider, link.exchange_url, agreement(link.address, provider.entity_id, provider.keys.signing))


def standing(provider: Provider, link: Link) -> Standing:
    """Ask how things stand."""
    return _standing(_ask(provider, "GET", link.exchange_url))


def _verified(provider: Provider, document: bytes, link: Link, now: datetime) -> tuple[Entity, bytes]:
    own = provider.settings
    try:
        trusted = trust.verify(
            document,
            now=now,
            own_entity_id=provider.entity_id,
            role="idp",
            signer_fingerprints=[link.fingerprint],
            max_validity=own.partner_metadata_validity,
            skew=own.clock_skew,
            allow_http_loopback=own.allow_http_loopback,
        )
    except ProtocolError as error:
        if error.rule in NOT_BY_THE_PINNED_KEY:
            raise InvitationFailed(
                "invitation.fingerprint",
                "What answers at this address is not signed by the key that the link names. Do not go on: ask the "
                "person who sent it for a new link.",
            ) from None
        raise InvitationFailed(
            "invitation.metadata", f"The identity provider's metadata cannot be used: {error.message}."
        ) from None
    return trusted.entity, document


def _tell(provider: Provider, url: str, form: Mapping[str, str]) -> Standing:
    return _standing(_ask(provider, "POST", url, urlencode(form).encode()))


def _standing(answer: Answer) -> Standing:
    try:
        return Standing.from_json(answer.content)
    except Malformed as error:
        raise InvitationFailed(error.rule, _sentence(error.reason)) from None


def _ask(provider: Provider, method: str, url: str, content: bytes | None = None) -> Answer:
    own = provider.settings
    policy = Policy(allow_loopback=own.allow_http_loopback, networks=own.private_networks)
    try:
        with Client(policy, timeout=_TIMEOUT, max_bytes=MAX_DOCUMENT) as client:
            answer = client.request(method, url, headers=_JSON if content is None else _FORM, content=content)
    except OutgoingError as error:
        raise InvitationFailed(error.rule, f"The identity provider cannot be reached: {error.message}.") from None
    if answer.status != 200:
        raise _told(answer)
    return answer


def _told(answer: Answer) -> InvitationFailed:
    """The identity provider's own sentence, and the reference number under which its administrator finds more."""
    try:
        told = json.loads(answer.content)
        detail, reference = str(told["detail"])[:_SHOWN], str(told.get("reference", ""))[:40]
    except (ValueError, KeyError, TypeError, RecursionError):
        return InvitationFailed(
            "invitation.answer", f"The identity provider answers with HTTP status {answer.status}: is the link whole?"
        )
    where = f" (its reference number: {reference})" if reference.isprintable() and reference else ""
    return InvitationFailed("invitation.answer", f"The identity provider says: {_sentence(detail)}{where}")


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"
