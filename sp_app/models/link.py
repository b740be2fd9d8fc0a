"""The one link table that both ways in share: sign-in by SAML and provisioning by SCIM."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from sp_app.models.base import Base


def identifier_key(identifier: str) -> str:
    """The form in which identifiers are compared: a pairwise-id ignores letter case (SAML Subject-ID 3.3.1)."""
    return identifier.lower()


class Link(Base):
    """A person of one identity provider, and the account that is theirs here.

    `identifier` is the pairwise-id attribute of the assertion and the externalId of SCIM: the same value, by agreement.
    mail and userName never link. `account_id` is empty only inside the transaction that claims the link, so that two
    first sign-ins at the same moment cannot make two accounts. `provisioned_at` is set from the first SCIM write on:
    from then on provisioning owns the profile. `removed_at` marks a person whom provisioning has deleted: a still
    valid assertion does not bring the account back, a new SCIM create does. `suspended_at` marks a person whose account
    was made inactive because the connection to the identity provider was ended: once that is connected again and
    vouches for the person, by an assertion or by SCIM, the account works again.
    """

    __tablename__ = "sp_link"
    __table_args__ = (UniqueConstraint("idp_entity_id", "identifier_key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    idp_entity_id: Mapped[str]
    identifier: Mapped[str]
    identifier_key: Mapped[str]
    account_id: Mapped[str | None] = mapped_column(index=True)
    created_at: Mapped[datetime]
    last_sign_in_at: Mapped[datetime | None]
    provisioned_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]
    suspended_at: Mapped[datetime | None]
