"""Sessions that began with an assertion. They live on the server, so that they can be ended from there."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from federation.saml.messages import NameID
from sp_app.models.base import Base


def subject_key(idp_entity_id: str, name_id: str) -> str:
    """One indexable value of bounded size for a NameID of one identity provider, however long either is."""
    return hashlib.sha256(f"{len(idp_entity_id)}:{idp_entity_id}{name_id}".encode()).hexdigest()


class FederatedSession(Base):
    """One session of one account in one browser.

    `handle_hash` is the SHA-256 of the cookie. The NameID, its qualifiers and `session_index` are kept as they arrived:
    a logout is addressed with them (SAML Profiles 4.4.4.1), and finds its sessions by `subject_key`. `attributes` is
    what the assertion told: a list of `{"name", "friendly_name", "values"}`. `expires_at` honours SessionNotOnOrAfter
    (SAML Core 2.7.2).
    """

    __tablename__ = "sp_session"
    handle_hash: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(index=True)
    idp_entity_id: Mapped[str]
    subject_key: Mapped[str | None] = mapped_column(index=True)
    name_id: Mapped[str | None]
    name_id_format: Mapped[str | None]
    name_qualifier: Mapped[str | None]
    sp_name_qualifier: Mapped[str | None]
    sp_provided_id: Mapped[str | None]
    session_index: Mapped[str | None]
    authn_instant: Mapped[datetime]
    authn_context_class_ref: Mapped[str | None]
    attributes: Mapped[list[Any]]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]

    @property
    def id(self) -> str:
        """What names the session towards the application, and opens nothing: `SignedIn` and `SessionEnded` carry it."""
        return self.handle_hash

    @property
    def subject(self) -> NameID | None:
        """The NameID as it arrived, or None where none did."""
        if self.name_id is None:
            return None
        return NameID(
            self.name_id, self.name_id_format, self.name_qualifier, self.sp_name_qualifier, self.sp_provided_id
        )
