"""Accounts in memory: a shipped product, for the tests of applications that embed the federation."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

from sp_app.accounts.port import LocalAccount, NoSuchAccount, Profile, UsernameTaken


class MemoryAccountStore:
    """`AccountStore` in a dictionary. `sessions_ended` lists the ids whose sessions were ended, in order."""

    def __init__(self) -> None:
        self.sessions_ended: list[str] = []
        self._accounts: dict[str, LocalAccount] = {}
        self._ids = count(1)

    def get(self, account_id: str) -> LocalAccount | None:
        """See `AccountStore.get`."""
        return self._accounts.get(account_id)

    def create(self, profile: Profile, *, active: bool = True) -> LocalAccount:
        """See `AccountStore.create`."""
        self._refuse_taken(profile.username, but=None)
        account = LocalAccount(id=str(next(self._ids)), active=active, profile=profile)
        self._accounts[account.id] = account
        return account

    def update(self, account_id: str, profile: Profile) -> LocalAccount:
        """See `AccountStore.update`."""
        account = self._existing(account_id)
        self._refuse_taken(profile.username, but=account_id)
        self._accounts[account_id] = replace(account, profile=profile)
        return self._accounts[account_id]

    def set_active(self, account_id: str, active: bool) -> None:
        """See `AccountStore.set_active`."""
        self._accounts[account_id] = replace(self._existing(account_id), active=active)

    def delete(self, account_id: str) -> None:
        """See `AccountStore.delete`."""
        self._accounts.pop(account_id, None)

    def end_sessions(self, account_id: str) -> None:
        """Note whose sessions were ended."""
        self.sessions_ended.append(account_id)

    def _existing(self, account_id: str) -> LocalAccount:
        try:
            return self._accounts[account_id]
        except KeyError:
            raise NoSuchAccount(account_id) from None

    def _refuse_taken(self, username: str | None, *, but: str | None) -> None:
        if username is None:
            return
        for account in self._accounts.values():
            taken = account.profile.username
            if account.id != but and taken is not None and taken.casefold() == username.casefold():
                raise UsernameTaken(username)
