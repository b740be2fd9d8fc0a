"""Web Browser SSO, the response: what its rules look at, and what it is held against (SAML Profiles 4.1.4.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from lxml import etree

from federation.errors import ConfigurationError
from federation.saml.algorithms import DEFAULT_ALGORITHMS, Algorithms
from federation.saml.codec.response import ENCRYPTED_ASSERTION, assertions_in
from federation.saml.encryption import DecryptionKey
from federation.saml.messages import Assertion, AuthnStatement, RequestedAuthnContext, Response
from federation.saml.metadata.entity import Entity
from federation.saml.profiles import common
from federation.saml.profiles.authn_context import DEFAULT, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseExpectations:
    """Everything a response is held against. None of it comes from the response.

    `sp_entity_id`, `acs_url`: who we are, and where the response arrived, from our settings. `idp`: whom the request
    was sent to, or who may send unsolicited ones. `request_id`: the ID of the request that this browser began, None for
    an unsolicited response, which needs `allow_unsolicited`. `decryption_keys` are tried in turn.
    `requested_authn_context`: what the request asked for; the class that comes back must meet it, by the order of
    `levels` where it compares.
    `force_authn` with `request_instant`: the person must have signed in after the request was made.
    `skew`: how far the partner's clock may be off. `max_age`: how old response and assertion may be.
    """

    sp_entity_id: str
    acs_url: str
    idp: Entity
    now: datetime
    request_id: str | None = None
    allow_unsolicited: bool = False
    skew: timedelta = common.SKEW
    max_age: timedelta = common.MAX_AGE
    decryption_keys: Sequence[DecryptionKey] = ()
    requested_authn_context: RequestedAuthnContext | None = None
    levels: Table = DEFAULT
    request_instant: datetime | None = None
    force_authn: bool = False
    algorithms: Algorithms = DEFAULT_ALGORITHMS

    def __post_init__(self) -> None:
        if self.force_authn and self.request_instant is None:
            raise ConfigurationError("response: force_authn needs the instant of the request")
        if self.idp.idp is None:
            raise ConfigurationError(f"response: {self.idp.entity_id} is no identity provider")


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the rules on the response look at: the envelope as signed (or unsigned), and what we expect."""

    response: Response
    element: etree._Element
    signed: bool
    expected: ResponseExpectations

    @property
    def assertions(self) -> list[etree._Element]:
        """The assertions in it, plain or encrypted."""
        return assertions_in(self.element)

    @property
    def encrypted(self) -> bool:
        """Is one of the assertions encrypted?"""
        return any(element.tag == ENCRYPTED_ASSERTION for element in self.assertions)


@dataclass(frozen=True, slots=True)
class Statement:
    """What the rules on the assertion look at: the assertion as signed, and what we expect."""

    assertion: Assertion
    element: etree._Element
    expected: ResponseExpectations

    @property
    def authn(self) -> AuthnStatement | None:
        """The authentication that counts: the latest stated."""
        statements = self.assertion.authn_statements
        return latest(statements) if statements else None


def latest(statements: Sequence[AuthnStatement]) -> AuthnStatement:
    """The latest of several statements: a profile allows more than one, and one has to count."""
    return max(statements, key=lambda statement: statement.authn_instant)


def session_end(assertion: Assertion) -> datetime | None:
    """The earliest end of session that the assertion states, or None."""
    ends = (statement.session_not_on_or_after for statement in assertion.authn_statements)
    return min((end for end in ends if end is not None), default=None)
