"""Our own account stores keep the promises of the port."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from sp_app.accounts import AccountStore, Profile, UsernameTaken
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

    def test_a_name_taken_between_looking_and_writing_is_refused_all_the_same(
        self, accounts: AccountStore, session: Session, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        accounts.create(Profile(username="alice"))
        bob = accounts.create(Profile(username="bob"))
        scalars = session.scalars
        monkeypatch.setattr(session, "scalars", lambda *_: scalars(select(Account).where(Account.id == "nobody")))
        with pytest.raises(UsernameTaken):
            accounts.create(Profile(username="alice"))
        with pytest.raises(UsernameTaken):
            accounts.update(bob.id, Profile(username="alice"))
        assert accounts.get(bob.id) == bob
        assert session.query(Account).count() == 2


class TestMemoryAccountStore(AccountStoreContract):
    @pytest.fixture
    def accounts(self) -> AccountStore:
        return MemoryAccountStore()

    def test_it_remembers_whose_sessions_were_ended(self) -> None:
        accounts = MemoryAccountStore()
        accounts.end_sessions("1")
        assert accounts.sessions_ended == ["1"]
