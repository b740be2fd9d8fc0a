"""The accounts of a site that keeps them in `sp_account`."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from sp_app.accounts.port import LocalAccount, NoSuchAccount, Profile, UsernameTaken
from sp_app.models.account import Account, username_key


class SqlAccountStore:
    """`AccountStore` on our own table. Its sessions are the federated ones, so it has none to end."""

    def __init__(self, session: Session, *, now: datetime) -> None:
        self._session = session
        self._now = now

    def get(self, account_id: str) -> LocalAccount | None:
        """See `AccountStore.get`."""
        account = self._session.get(Account, account_id)
        return _local(account) if account is not None else None

    def create(self, profile: Profile, *, active: bool = True) -> LocalAccount:
        """See `AccountStore.create`."""
        account = Account(id=str(uuid.uuid4()), active=active, administrator=False, created_at=self._now)
        with self._unique(profile.username):
            self._write(account, profile)
            self._session.add(account)
        return _local(account)

    def update(self, account_id: str, profile: Profile) -> LocalAccount:
        """See `AccountStore.update`."""
        account = self._existing(account_id)
        if account.username == profile.username:
            self._write(account, profile)
        else:
            with self._unique(profile.username, but=account):
                self._write(account, profile)
        return _local(account)

    def set_active(self, account_id: str, active: bool) -> None:
        """See `AccountStore.set_active`."""
        account = self._existing(account_id)
        if account.active != active:
            account.active = active
            account.modified_at = self._now

    def delete(self, account_id: str) -> None:
        """See `AccountStore.delete`."""
        account = self._session.get(Account, account_id)
        if account is not None:
            self._session.delete(account)
            self._session.flush()  # so that `get` no longer finds it in this transaction

    def end_sessions(self, account_id: str) -> None:
        """Nothing to end: every session of these accounts is a federated one."""

    def _existing(self, account_id: str) -> Account:
        account = self._session.get(Account, account_id)
        if account is None:
            raise NoSuchAccount(account_id)
        return account

    @contextmanager
    def _unique(self, username: str | None, *, but: Account | None = None) -> Iterator[None]:
        """Write what is written inside, or raise `UsernameTaken` and leave everything as it was.

        Looking first serves nearly always; the savepoint is for whoever took the name since.
        """
        if username is None:
            yield
            return
        key = username_key(username)
        holder = self._session.scalars(select(Account).where(Account.username_key == key)).first()
        if holder is not None and holder is not but:
            raise UsernameTaken(username)
        try:
            with self._session.begin_nested():
                yield
        except IntegrityError as error:
            raise UsernameTaken(username) from error

    def _write(self, account: Account, profile: Profile) -> None:
        for field, value in asdict(profile).items():
            setattr(account, field, value)
        account.username_key = username_key(profile.username) if profile.username is not None else None
        account.modified_at = self._now


def _local(account: Account) -> LocalAccount:
    profile = Profile(**{field: getattr(account, field) for field in Profile.__slots__})
    return LocalAccount(id=account.id, active=account.active, profile=profile)
