"""What every `AccountStore` promises, as tests: a host application runs them on its own.

A test class that inherits `AccountStoreContract` and has a fixture `accounts`, which answers an empty store, is all it
takes; docs/how-to/embed.md shows one.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

from sp_app.accounts.port import AccountStore, NoSuchAccount, Profile, UsernameTaken

ALICE = Profile(
    username="alice",
    display_name="Alice Archer",
    given_name="Alice",
    family_name="Archer",
    mail="alice@example.org",
    department="Physics",
)


class AccountStoreContract:
    """Mix this into a test class that has an `accounts` fixture: an empty store.

    `KEEPS` names the fields of a profile that the store keeps, where it is not all of them.
    """

    KEEPS: ClassVar[Collection[str]] = Profile.__slots__

    def kept(self, profile: Profile) -> Profile:
        """What is left of a profile in this store."""
        return Profile(**{field: getattr(profile, field) for field in self.KEEPS})

    def test_a_new_account_is_active_and_can_be_read_back(self, accounts: AccountStore) -> None:
        created = accounts.create(ALICE)
        assert created.active
        assert created.profile == self.kept(ALICE)
        assert accounts.get(created.id) == created

    def test_an_account_can_be_created_inactive(self, accounts: AccountStore) -> None:
        assert not accounts.create(ALICE, active=False).active

    def test_a_person_of_whom_only_a_name_is_told_gets_an_account(self, accounts: AccountStore) -> None:
        created = accounts.create(Profile(display_name="Alice Archer"))
        assert accounts.get(created.id) == created

    def test_a_person_of_whom_nothing_is_told_gets_an_account(self, accounts: AccountStore) -> None:
        first, second = accounts.create(Profile()), accounts.create(Profile())
        assert first.id != second.id

    def test_an_id_is_text_and_survives_a_change_of_every_field(self, accounts: AccountStore) -> None:
        created = accounts.create(ALICE)
        other = Profile(username="alicia", display_name="Alicia Bow", mail="alicia@example.org")
        assert isinstance(created.id, str)
        assert accounts.update(created.id, other).profile == self.kept(other)
        read = accounts.get(created.id)
        assert read is not None
        assert read.profile == self.kept(other)

    def test_an_update_keeps_whether_the_account_is_active(self, accounts: AccountStore) -> None:
        created = accounts.create(ALICE, active=False)
        assert not accounts.update(created.id, ALICE).active

    def test_a_username_is_unique_whatever_its_letter_case(self, accounts: AccountStore) -> None:
        accounts.create(ALICE)
        assert _raises(UsernameTaken, lambda: accounts.create(Profile(username="ALICE")))

    def test_a_taken_username_is_refused_in_an_update_and_changes_nothing(self, accounts: AccountStore) -> None:
        accounts.create(ALICE)
        bob = accounts.create(Profile(username="bob", display_name="Bob"))
        assert _raises(UsernameTaken, lambda: accounts.update(bob.id, Profile(username="alice", display_name="Eve")))
        assert accounts.get(bob.id) == bob

    def test_two_people_may_share_a_mail_address(self, accounts: AccountStore) -> None:
        first = accounts.create(Profile(username="a", mail="desk@example.org"))
        second = accounts.create(Profile(username="b", mail="desk@example.org"))
        assert first.id != second.id

    def test_an_account_is_made_inactive_and_active_again(self, accounts: AccountStore) -> None:
        created = accounts.create(ALICE)
        for active in (False, False, True):
            accounts.set_active(created.id, active)
            read = accounts.get(created.id)
            assert read is not None
            assert read.active is active

    def test_a_deleted_account_is_gone_and_its_id_is_not_given_again(self, accounts: AccountStore) -> None:
        created = accounts.create(ALICE)
        accounts.delete(created.id)
        assert accounts.get(created.id) is None
        assert accounts.create(ALICE).id != created.id

    def test_deleting_twice_is_no_error(self, accounts: AccountStore) -> None:
        created = accounts.create(ALICE)
        accounts.delete(created.id)
        accounts.delete(created.id)

    def test_an_unknown_id_is_none_to_get_and_an_error_to_change(self, accounts: AccountStore) -> None:
        for unknown in ("no such id", "", "0", "-1", "9" * 40, "\u2603"):
            assert accounts.get(unknown) is None
            assert _raises(NoSuchAccount, lambda unknown=unknown: accounts.update(unknown, ALICE))
            assert _raises(NoSuchAccount, lambda unknown=unknown: accounts.set_active(unknown, True))

    def test_sessions_can_be_ended_whether_there_are_any_or_not(self, accounts: AccountStore) -> None:
        accounts.end_sessions(accounts.create(ALICE).id)


def _raises(error: type[Exception], call: object) -> bool:
    """Whether `call()` raises `error`; any other error goes on. (pytest is no dependency of this package.)"""
    try:
        call()  # type: ignore[operator]
    except error:
        return True
    return False
