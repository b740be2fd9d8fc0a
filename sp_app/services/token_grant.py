"""Tokens for a signed assertion (RFC 7522): an identity provider proves itself by its key, and no secret is shared."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from federation.errors import PolicyRefusal
from federation.saml.profiles import bearer_grant
from sp_app.models import ReplayEntry
from sp_app.models.once import insert_once
from sp_app.services import connections, scim_tokens
from sp_app.services.partners import Partners

LIFETIME: Final = timedelta(minutes=15)
"""How long a token works."""
NAME: Final = "by assertion"


def exchange(
    session: Session, partners: Partners, parameter: str, *, token_url: str, now: datetime, skew: timedelta
) -> str:
    """A token for the identity provider that signed the assertion.

    Only a connection of ours gets one, while it is active and its metadata valid. Raises `Malformed`, `Refused` with
    every check, `PolicyRefusal` for a stranger, a paused connection, or an assertion that was used.
    """
    document = bearer_grant.decode(parameter)
    connection = connections.by_entity_id(session, bearer_grant.issuer_of(document))
    if connection is None:
        raise PolicyRefusal("grant.partner", "this identity provider is not connected here")
    partner = partners.of(session, connection, now)
    expected = bearer_grant.Expected(partner.entity, token_url, now, skew)
    accepted = bearer_grant.accept(document, expected, algorithms=partner.algorithms)
    if not insert_once(session, ReplayEntry, key=accepted.replay_key, keep_until=accepted.replay_until):
        raise PolicyRefusal("grant.replay", "this assertion was used already")
    return scim_tokens.create(session, connection, name=NAME, now=now, lifetime=LIFETIME)
