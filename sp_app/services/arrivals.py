"""What a response may answer: the request that this browser began, or, where a connection allows it, none at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from federation.errors import Malformed, PolicyRefusal
from federation.saml.messages import Received
from federation.saml.profiles import sso_response
from sp_app.models import IdPConnection, PendingRequest
from sp_app.services import artifacts, connections
from sp_app.services.artifacts import Reference

Arrived = Received | Reference
"""What the browser brought: a message, or a reference to one."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who brings a response: the value of the browser's binding cookie.

    `account_id` finds out which account it is signed in to already; `landing` answers the page for the RelayState of an
    unsolicited response: a path of this site, whatever it says.
    """

    browser: str | None
    account_id: Callable[[], str | None]
    landing: Callable[[str | None], str]


@dataclass(frozen=True, slots=True)
class Expected:
    """What a response is held against. `pending` is None for an unsolicited one.

    `connection` is None where the request went to an entity of a federation's source.
    """

    connection: IdPConnection | None
    target: str
    pending: PendingRequest | None


def unsolicited(session: Session, arrived: Arrived, visitor: Visitor) -> Expected | None:
    """What to expect of a response that answers nothing; None where it is not welcome.

    An answer to a request is never welcome as an unsolicited response: it was stolen from whoever asked.
    """
    connection = _sender(session, arrived)
    if connection is None or not connection.allow_unsolicited:
        return None
    return Expected(connection, visitor.landing(arrived.relay_state), None)


def _sender(session: Session, arrived: Arrived) -> IdPConnection | None:
    if isinstance(arrived, Reference):
        return artifacts.source(session, arrived.artifact)
    try:
        if sso_response.in_response_to_of(arrived) is not None:
            return None
        return connections.by_entity_id(session, sso_response.issuer_of(arrived))
    except Malformed:
        return None


def require_same_account(expected: Expected, visitor: Visitor, account_id: str) -> None:
    """An unsolicited response never takes the place of somebody else's session: anybody may have sent it.

    Raises `PolicyRefusal`.
    """
    if expected.pending is None and visitor.account_id() not in (None, account_id):
        raise PolicyRefusal(
            "login.other_account", "an unsolicited response about somebody else than who is signed in here"
        )
