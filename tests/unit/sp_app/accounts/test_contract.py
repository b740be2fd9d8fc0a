"""Our own account stores keep the promises of the port."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from sp_app.accounts import AccountStore, Profile
from sp_app.accounts.contract import AccountStoreContract
from sp_app.accounts.memory import MemoryAccountStore
from sp_app.accounts.sql import SqlAccountStore
from sp_app.models import Account
from tests.sp_factories import NOW


class TestSqlAccountStore(AccountStoreContract):
    @pytest.fixture
    def accounts(self, session: Session) -> AccountStore:
        return SqlAccountStore(session, now=NOW)

    def test_a_username_compares_composed_and_without_letter_case(
        self, accounts: AccountStore, session: Session
    ) -> None:
        accounts.create(Profile(username="STRASSE\u0301"))
        session.flush()
        assert session.query(Account).one().username_key == "strass\xe9"

    def test_nothing_that_comes_in_makes_an_administrator(self, accounts: AccountStore, session: Session) -> None:
        created = accounts.create(Profile(username="admin", display_name="Administrator"))
        accounts.update(created.id, Profile(username="root"))
        assert not session.get_one(Account, created.id).administrator


class TestMemoryAccountStore(AccountStoreContract):
    @pytest.fixture
    def accounts(self) -> AccountStore:
        return MemoryAccountStore()

    def test_it_remembers_whose_sessions_were_ended(self) -> None:
        accounts = MemoryAccountStore()
        accounts.end_sessions("1")
        assert accounts.sessions_ended == ["1"]
