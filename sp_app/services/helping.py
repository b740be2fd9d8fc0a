"""Who helps somebody that we could not let in: their identity provider's errorURL and its contacts (SDP-SP12)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from federation.attributes.catalogue import CATALOGUE
from federation.errors import FederationError, ProtocolError
from federation.saml.metadata.locations import is_secure
from federation.saml.names import StatusCode
from federation.saml.profiles import error_url
from federation.saml.profiles.error_url import ErrorCode
from federation.saml.profiles.refusals import StatusRefused
from sp_app.services.identity import MissingAttributes
from sp_app.services.partners import Partner

_HELPERS: Final = ("support", "technical", "administrative")
_BY_STATUS: Final = {
    StatusCode.REQUEST_DENIED: ErrorCode.AUTHORIZATION_FAILURE,
    StatusCode.AUTHN_FAILED: ErrorCode.AUTHENTICATION_FAILURE,
    StatusCode.NO_AUTHN_CONTEXT: ErrorCode.AUTHENTICATION_FAILURE,
}
_BY_RULE: Final = {
    "assertion.authn_context": ErrorCode.AUTHENTICATION_FAILURE,
    "assertion.force_authn": ErrorCode.AUTHENTICATION_FAILURE,
    "identifier.pairwise_id": ErrorCode.IDENTIFICATION_FAILURE,
    "identifier.persistent": ErrorCode.IDENTIFICATION_FAILURE,
    "identifier.form": ErrorCode.IDENTIFICATION_FAILURE,
    "identifier.scope": ErrorCode.IDENTIFICATION_FAILURE,
    "account.active": ErrorCode.AUTHORIZATION_FAILURE,
    "account.removed": ErrorCode.AUTHORIZATION_FAILURE,
}


@dataclass(frozen=True, slots=True)
class Help:
    """Whom to ask at the identity provider `name`: a page of theirs, and the e-mail addresses of its metadata."""

    name: str
    url: str | None
    emails: tuple[str, ...]


def find(
    error: FederationError,
    partner: Partner,
    *,
    asked_for: Sequence[str],
    sp_entity_id: str,
    at: datetime,
    reference: str,
    allow_http_loopback: bool,
) -> Help | None:
    """The help that there is for a problem, or None for one in which the identity provider has no part.

    `asked_for` are the authentication context classes that the request asked for.
    """
    code = code_of(error)
    if code is None:
        return None
    context: Sequence[str] = ()
    if isinstance(error, MissingAttributes):
        context = [CATALOGUE[key].name for key in error.keys]
    elif code == ErrorCode.AUTHENTICATION_FAILURE:
        context = asked_for
    template = partner.entity.idp.error_url if partner.entity.idp is not None else None
    url = None
    if template is not None and is_secure(template, allow_http_loopback=allow_http_loopback):
        url = error_url.fill(
            template, code=code, at=at, sp_entity_id=sp_entity_id, reference=reference, context=" ".join(context)
        )
    return Help(partner.name, url, _emails(partner))


def code_of(error: FederationError) -> str | None:
    """The REFEDS code for a problem; None for one that the person or an administrator of this site has to settle."""
    if isinstance(error, MissingAttributes):
        return ErrorCode.IDENTIFICATION_FAILURE
    if isinstance(error, StatusRefused):
        return _BY_STATUS.get(error.status.second_level or "", ErrorCode.OTHER_ERROR)
    return _BY_RULE.get(error.rule, ErrorCode.OTHER_ERROR if isinstance(error, ProtocolError) else None)


def _emails(partner: Partner) -> tuple[str, ...]:
    """The addresses of the first kind of contact that has any; security contacts are for other things."""
    for kind in _HELPERS:
        found = tuple(
            email
            for contact in partner.entity.contacts
            if contact.type == kind and contact.remd_type is None
            for email in contact.emails
        )
        if found:
            return found[:2]
    return ()
