"""The people of a host application, where they are rows of a SQLAlchemy model: the port without a line of code.

config.set_account_store(mapped_accounts(Person, username="login", display_name="full_name", active="may_enter"))
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, Final

from pyramid.request import Request
from sqlalchemy import func, inspect, select
from sqlalchemy.orm import Session

from federation.errors import ConfigurationError
from sp_app.accounts.port import AccountStore, LocalAccount, NoSuchAccount, Profile, UsernameTaken

FIELDS: Final = tuple(field.name for field in fields(Profile))
_LARGEST_INTEGER: Final = 2**63 - 1


def mapped_accounts(
    model: type[Any],
    *,
    active: str,
    end_sessions: Callable[[Request, str], None] | None = None,
    **attributes: str,
) -> Callable[[Request], AccountStore]:
    """A factory for `config.set_account_store`: the accounts are rows of `model`, in the federation's session.

    `active` names the boolean attribute that lets a person in. `attributes` names an attribute for each field of
    `Profile` that the model keeps; each must take None, because a person may come of whom only an identifier is told.
    The primary key is one column: an integer, a UUID or text that the database or the model fills in. `end_sessions`
    is called with the request and the account's id where the host keeps sessions of its own.

    Raises `ConfigurationError` for an attribute that the model or `Profile` does not have.
    """
    unknown = [name for name in attributes if name not in FIELDS]
    missing = [name for name in (active, *attributes.values()) if name not in inspect(model).attrs]
    if unknown or missing:
        raise ConfigurationError(
            f"mapped_accounts: no field {unknown} of a profile, no attribute {missing} of the model"
        )

    def factory(request: Request) -> AccountStore:
        def end(account_id: str) -> None:
            if end_sessions is not None:
                end_sessions(request, account_id)

        return MappedAccountStore(request.sp.session, model, active=active, attributes=attributes, end_sessions=end)

    return factory


class MappedAccountStore:
    """`AccountStore` on rows of a model."""

    def __init__(
        self,
        session: Session,
        model: type[Any],
        *,
        active: str,
        attributes: Mapping[str, str],
        end_sessions: Callable[[str], None],
    ) -> None:
        self._session = session
        self._model = model
        self._active = active
        self._attributes = attributes
        self._end_sessions = end_sessions
        (self._key,) = inspect(model).primary_key

    def get(self, account_id: str) -> LocalAccount | None:
        """See `AccountStore.get`."""
        row = self._row(account_id)
        return self._local(row) if row is not None else None

    def create(self, profile: Profile, *, active: bool = True) -> LocalAccount:
        """See `AccountStore.create`."""
        self._refuse_taken(profile.username)
        row = self._model()
        self._write(row, profile)
        setattr(row, self._active, active)
        self._session.add(row)
        self._session.flush()  # the database gives the id
        return self._local(row)

    def update(self, account_id: str, profile: Profile) -> LocalAccount:
        """See `AccountStore.update`."""
        row = self._existing(account_id)
        self._refuse_taken(profile.username, but=row)
        self._write(row, profile)
        return self._local(row)

    def set_active(self, account_id: str, active: bool) -> None:
        """See `AccountStore.set_active`."""
        setattr(self._existing(account_id), self._active, active)

    def delete(self, account_id: str) -> None:
        """See `AccountStore.delete`."""
        row = self._row(account_id)
        if row is not None:
            self._session.delete(row)
            self._session.flush()  # so that `get` no longer finds it in this transaction

    def end_sessions(self, account_id: str) -> None:
        """See `AccountStore.end_sessions`."""
        self._end_sessions(account_id)

    def _row(self, account_id: str) -> Any | None:
        key = self._key_of(account_id)
        return self._session.get(self._model, key) if key is not None else None

    def _key_of(self, account_id: str) -> int | uuid.UUID | str | None:
        """The primary key that an id as text means, or None for text that is none."""
        kind = self._key.type.python_type
        if kind is str:
            return account_id
        try:
            key = kind(account_id) if account_id.isascii() else None
        except ValueError:
            return None
        return None if isinstance(key, int) and abs(key) > _LARGEST_INTEGER else key

    def _existing(self, account_id: str) -> Any:
        row = self._row(account_id)
        if row is None:
            raise NoSuchAccount(account_id)
        return row

    def _refuse_taken(self, username: str | None, *, but: object = None) -> None:
        if username is None or "username" not in self._attributes:
            return
        column = getattr(self._model, self._attributes["username"])
        holder = self._session.scalars(select(self._model).where(func.lower(column) == username.lower())).first()
        if holder is not None and holder is not but:
            raise UsernameTaken(username)

    def _write(self, row: Any, profile: Profile) -> None:
        for field, attribute in self._attributes.items():
            setattr(row, attribute, getattr(profile, field))

    def _local(self, row: Any) -> LocalAccount:
        profile = Profile(**{field: getattr(row, attribute) for field, attribute in self._attributes.items()})
        (key,) = inspect(row).identity
        return LocalAccount(id=str(key), active=bool(getattr(row, self._active)), profile=profile)
