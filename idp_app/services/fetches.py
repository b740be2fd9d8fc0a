"""Addresses of our metadata, each made for one connection: who fetches from it is that partner, and has read it.

The tag in it is no key to anything, for our metadata is public: it only keeps strangers from counting as the partner.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import datetime
from typing import TYPE_CHECKING, Final

from sqlalchemy.orm import Session

from federation.keys import evidence
from idp_app.keys import Keys
from idp_app.models import Connection, ConnectionState

if TYPE_CHECKING:
    from idp_app.installation import Installation
    from idp_app.settings import IdPSettings

PARAMETER: Final = "for"
QUERY_PATH: Final = "/saml/for"
_FORM: Final = re.compile(r"([0-9a-f-]{36})\.([0-9a-f]{32})", re.ASCII)


def address(settings: IdPSettings, keys: Keys, connection: Connection) -> str:
    """Where one partner finds our metadata."""
    return f"{settings.metadata_url}?{PARAMETER}={_whose(keys, connection)}"


def query_base(settings: IdPSettings, keys: Keys, connection: Connection) -> str:
    """The base address at which one partner asks by Metadata Query."""
    return f"{settings.public_url}{QUERY_PATH}/{_whose(keys, connection)}"


def note(session: Session, installation: Installation, text: str, now: datetime) -> None:
    """Our metadata is fetched from the address that ends in `text`; of a made-up one nothing is noted."""
    found = _FORM.fullmatch(text)
    connection = None if found is None else session.get(Connection, found[1])
    if found is None or connection is None or connection.state == ConnectionState.DISCONNECTED:
        return
    keys = installation.keys
    if hmac.compare_digest(found[2], _tag(keys, connection)):
        evidence.note_fetch(installation.key_store.ring, keys, connection.entity_id, now)


def _whose(keys: Keys, connection: Connection) -> str:
    return f"{connection.id}.{_tag(keys, connection)}"


def _tag(keys: Keys, connection: Connection) -> str:
    whose = f"{connection.id} {connection.entity_id}".encode()
    return hmac.digest(keys.derive("metadata-address"), whose, hashlib.sha256).hex()[:32]
