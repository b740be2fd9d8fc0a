"""What a host application may want to know: subscribe with `config.add_subscriber(callable, SignedIn)`."""

from __future__ import annotations

from dataclasses import dataclass

from pyramid.request import Request
from pyramid.response import Response


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person has just signed in through the federation, in this transaction. `response` takes them to their page."""

    request: Request
    response: Response
    account_id: str
    idp_entity_id: str
    session_id: str


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """A federated session has just ended, in this transaction: by its person, or at the identity provider's request.

    `session_id` is what `SignedIn` said when it began. The session may be one of another browser than the one that
    `response` goes to; `here` says whether it is this one's, and nobody is signed in there any more. A new sign-in in
    the same browser ends the session before it, too.
    """

    request: Request
    response: Response
    account_id: str
    idp_entity_id: str
    session_id: str
    here: bool
