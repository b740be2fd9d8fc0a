"""The port between the federation and whoever keeps this site's accounts.

Two real implementations exist: `sp_app.accounts.sql.SqlAccountStore`, and the host application's own people. Each runs
the contract in `sp_app.accounts.contract`; `sp_app.accounts.memory` is one more, for the tests of host applications.

A store knows nothing of SAML or SCIM. Which person of which identity provider an account belongs to is kept beside it,
in one link table (`sp_app.models.Link`) that both ways in share.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from federation.errors import FederationError, PolicyRefusal


@dataclass(frozen=True, slots=True)
class Profile:
    """What an identity provider says about a person: the single-valued keys of the attribute catalogue.

    None means "not told", which differs from one way in to the other: see `AccountStore.update`. `username` is the SCIM
    userName; it never links anybody to anything.
    """

    username: str | None = None
    display_name: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    mail: str | None = None
    department: str | None = None


@dataclass(frozen=True, slots=True)
class LocalAccount:
    """An account as its store answers it. `id` is the store's own, as text: stable, never given to somebody else."""

    id: str
    active: bool
    profile: Profile


class NoSuchAccount(FederationError):
    """The store holds no account with this id. Carries `account_id`."""

    rule = "account.exists"

    def __init__(self, account_id: str) -> None:
        super().__init__(account_id)
        self.account_id = account_id

    def __str__(self) -> str:
        return "there is no such account"


class UsernameTaken(PolicyRefusal):
    """Another account has this user name (RFC 7643 4.1.1: unique, whatever the letter case). Nothing was changed."""

    def __init__(self, username: str) -> None:
        super().__init__("account.username_unique", "another account has this user name")
        self.username = username


class AccountStore(Protocol):
    """Whoever keeps the accounts of this site.

    Every method works inside the transaction of the request: it adds and changes, and never commits. A store is made
    per request by the factory given to `config.set_account_store`.
    """

    def get(self, account_id: str) -> LocalAccount | None:
        """The account with this id, or None. An id that cannot be one of this store's is None too, never an error."""

    def create(self, profile: Profile, *, active: bool = True) -> LocalAccount:
        """Add an account. Raises `UsernameTaken`; a profile without a user name or a display name is legal."""

    def update(self, account_id: str, profile: Profile) -> LocalAccount:
        """Replace the profile: a field that is None is emptied (the callers merge first where they mean "keep").

        What the host keeps beyond `Profile` stays as it is. Raises `NoSuchAccount`, `UsernameTaken`.
        """

    def set_active(self, account_id: str, active: bool) -> None:
        """Let the account in, or keep it out. Setting what already holds is no error. Raises `NoSuchAccount`."""

    def delete(self, account_id: str) -> None:
        """Remove the account, or make it unusable and anonymous if history must keep it. Gone afterwards for `get`.

        An unknown id is no error: a delete may be repeated.
        """

    def end_sessions(self, account_id: str) -> None:
        """End whatever sessions the store's owner keeps itself; federated sessions are ended by the federation.

        An application whose security policy asks `request.federated_session` has nothing to do here.
        """
