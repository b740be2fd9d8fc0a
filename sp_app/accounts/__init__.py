"""Accounts of this site: the port that the federation acts on, and two implementations of it.

A host application with people of its own implements `AccountStore` and names it with
`config.set_account_store(factory)`; without that the accounts live in `sp_account` (`SqlAccountStore`).
"""

from sp_app.accounts.port import AccountStore, LocalAccount, NoSuchAccount, Profile, UsernameTaken

__all__ = ["AccountStore", "LocalAccount", "NoSuchAccount", "Profile", "UsernameTaken"]
