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
