"""Users of one connection: SCIM resources on one side, accounts on the other, always through the one link table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, exists, select
from sqlalchemy.orm import Session

from federation.scim.codec import Document
from federation.scim.errors import ScimError, uniqueness
from federation.scim.filters import comparison_key
from federation.scim.store import Record
from sp_app.accounts import AccountStore, LocalAccount, NoSuchAccount, UsernameTaken
from sp_app.models.scim import ScimEmail, ScimGroup, ScimMember, ScimUser
from sp_app.scim.profile import profile_of
from sp_app.scim.queries import Column
from sp_app.services.linking import AlreadyLinked, Linking

_TAKEN: Final = "another user has this userName"
_LINKED: Final = "this externalId belongs to another user"

Audit = Callable[..., None]
"""Adds an entry to the audit trail: `detail`, `account_id`."""


class Users:
    """The User half of the store. `linking` decides who is whose, and ends sessions."""

    model = ScimUser

    def __init__(
        self,
        session: Session,
        accounts: AccountStore,
        linking: Linking,
        *,
        connection_id: str,
        now: datetime,
        audit: Audit,
    ) -> None:
        self._session = session
        self._accounts = accounts
        self._linking = linking
        self._connection_id = connection_id
        self._now = now
        self._audit = audit

    @property
    def columns(self) -> Mapping[str, Column]:
        """The paths that SQL answers."""
        return {
            "id": Column(ScimUser.id),
            "externalId": Column(ScimUser.external_id),
            "userName": Column(ScimUser.user_name_key, key=True),
            "active": Column(ScimUser.active),
            "emails.value": Column(ScimEmail.value_key, key=True, exists=_has_email),
            "groups.value": Column(ScimMember.group_id, exists=_is_member),
            "meta.created": Column(ScimUser.created_at),
            "meta.lastModified": Column(ScimUser.modified_at),
        }

    def is_alive(self, user: ScimUser) -> bool:
        """Whether the account is still there: its owner may have removed it without SCIM."""
        return self._accounts.get(user.id) is not None

    def create(self, document: Document) -> ScimUser:
        """Give a person an account; who signed in before being provisioned keeps theirs. Raises 409 uniqueness."""
        document = {"active": True, **document}
        self._require_free(document, but=None)
        account = self._provision(document)
        self._session.execute(
            delete(ScimUser).where(ScimUser.connection_id == self._connection_id, ScimUser.id == account.id)
        )
        user = ScimUser(id=account.id, connection_id=self._connection_id, version=0, created_at=self._now)
        self._session.add(user)
        self._write(user, document)
        self._audit(detail="The account was created.", account_id=user.id)
        return user

    def replace(self, user: ScimUser, document: Document) -> None:
        """Give a user another document; inactive ends their sessions. Raises 404, and 409 uniqueness.

        A document that does not say whether the user is active leaves it as it was: nobody is let in by omission.
        """
        document = {"active": user.active, **document}
        self._require_free(document, but=user)
        try:
            if document.get("externalId") != user.external_id:
                self._linking.relink(user.id, document.get("externalId"))
            self._linking.update(user.id, profile_of(document), active=document["active"])
        except NoSuchAccount:
            raise ScimError(404, "there is no such User") from None
        except AlreadyLinked:
            raise uniqueness(_LINKED) from None
        except UsernameTaken:
            raise uniqueness(_TAKEN) from None
        self._audit(detail=_difference(user, document), account_id=user.id)
        self._write(user, document)

    def delete(self, user: ScimUser) -> None:
        """Remove the account, its sessions and its memberships; the link remembers who was removed."""
        self._linking.remove(user.id)
        self._session.delete(user)
        self._audit(detail="The account was deleted.", account_id=user.id)

    def rows(self, edge: str, ids: Sequence[str]) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """The groups of several users, by user id."""
        found = self._session.execute(
            select(ScimMember.user_id, ScimGroup.id, ScimGroup.display_name)
            .join(ScimGroup, ScimGroup.id == ScimMember.group_id)
            .where(ScimMember.user_id.in_(ids))
            .order_by(ScimGroup.display_name_key)
        )
        rows: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for user_id, group_id, name in found:
            rows[user_id].append({"value": group_id, "display": name, "type": "direct"})
        return rows

    def record(self, user: ScimUser, edges: Mapping[str, Sequence[Mapping[str, Any]]]) -> Record:
        """The row as the engine reads it."""
        document = {**user.document, "active": user.active}
        return Record(user.id, user.version, user.created_at, user.modified_at, document, edges)

    def _provision(self, document: Document) -> LocalAccount:
        profile, active = profile_of(document), document["active"]
        try:
            return self._linking.provision(document.get("externalId"), profile, active=active)
        except UsernameTaken:
            raise uniqueness(_TAKEN) from None
        except AlreadyLinked as linked:
            if self._session.get(ScimUser, linked.account_id) is not None:
                raise uniqueness(_LINKED) from None
            # The account is this very person's, and no User stands for it: the host has restored its accounts, say.
            try:
                return self._linking.update(linked.account_id, profile, active=active)
            except UsernameTaken:
                raise uniqueness(_TAKEN) from None

    def _require_free(self, document: Document, *, but: ScimUser | None) -> None:
        """Raise 409 where a living user of this connection has the userName or the externalId."""
        name = ScimUser.user_name_key == comparison_key(document["userName"])
        self._require(name, but, _TAKEN)
        if document.get("externalId") is not None:
            self._require(ScimUser.external_id == document["externalId"], but, _LINKED)

    def _require(self, condition: ColumnElement[bool], but: ScimUser | None, detail: str) -> None:
        holders = self._session.scalars(
            select(ScimUser).where(ScimUser.connection_id == self._connection_id, condition).with_for_update()
        ).all()
        for holder in holders:
            if holder is but:
                continue
            if self.is_alive(holder):
                raise uniqueness(detail)
            self._session.delete(holder)
        self._session.flush()

    def _write(self, user: ScimUser, document: Document) -> None:
        user.user_name_key = comparison_key(document["userName"])
        user.external_id = document.get("externalId")
        user.active = document["active"]
        user.document = document
        user.version += 1
        user.modified_at = self._now
        self._session.flush()
        self._session.execute(delete(ScimEmail).where(ScimEmail.user_id == user.id))
        keys = {comparison_key(email["value"]) for email in document.get("emails", ()) if email.get("value")}
        self._session.add_all(ScimEmail(user_id=user.id, value_key=key) for key in sorted(keys))
        self._session.flush()


def _difference(user: ScimUser, document: Document) -> str:
    """What the audit trail says of a change: which attributes, and nothing of their values."""
    if user.active is not document["active"]:
        return "The account was reactivated." if document["active"] else "The account was made inactive."
    names = sorted(key for key in user.document.keys() | document if user.document.get(key) != document.get(key))
    return f"The account was changed: {', '.join(name.rpartition(':')[2] for name in names) or 'nothing'}."


def _has_email(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(ScimEmail.user_id == ScimUser.id, condition)


def _is_member(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(ScimMember.user_id == ScimUser.id, condition)
