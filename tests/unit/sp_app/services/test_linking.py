"""One link for both ways in."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from federation.errors import PolicyRefusal
from sp_app.accounts import NoSuchAccount, Profile, UsernameTaken
from sp_app.accounts.memory import MemoryAccountStore
from sp_app.models import Link
from sp_app.services import linking as module
from sp_app.services.linking import AlreadyLinked, Linking
from tests.sp_factories import ALICE, BOB, NOW

IDP = "https://idp.example.org"


@pytest.fixture
def accounts() -> MemoryAccountStore:
    return MemoryAccountStore()


@pytest.fixture
def linking(session: Session, accounts: MemoryAccountStore) -> Linking:
    return Linking(session, accounts, idp_entity_id=IDP, now=NOW)


def test_the_same_identifier_is_the_same_account(linking: Linking) -> None:
    assert linking.sign_in(ALICE, Profile()) == linking.sign_in(ALICE.upper(), Profile())


def test_the_same_identifier_at_another_identity_provider_is_another_account(
    session: Session, accounts: MemoryAccountStore, linking: Linking
) -> None:
    other = Linking(session, accounts, idp_entity_id="https://other.example.org", now=NOW)
    assert linking.sign_in(ALICE, Profile()) != other.sign_in(ALICE, Profile())


def test_a_taken_user_name_does_not_keep_a_new_person_out(linking: Linking, accounts: MemoryAccountStore) -> None:
    linking.sign_in(ALICE, Profile(username="archer"))
    account = accounts.get(linking.sign_in(BOB, Profile(username="archer", display_name="Bob")))
    assert account is not None
    assert account.profile == Profile(display_name="Bob")


def test_a_taken_user_name_does_not_keep_a_known_person_out(linking: Linking, accounts: MemoryAccountStore) -> None:
    linking.sign_in(ALICE, Profile(username="archer"))
    linking.sign_in(BOB, Profile(username="bob"))
    account = accounts.get(linking.sign_in(BOB, Profile(username="archer", display_name="Bob")))
    assert account is not None
    assert account.profile == Profile(username="bob", display_name="Bob")


def test_of_two_first_sign_ins_at_once_one_makes_the_account(
    session: Session, accounts: MemoryAccountStore, linking: Linking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other transaction links between our look and our claim."""
    theirs = accounts.create(Profile()).id

    def beaten(session: Session, model: type[Link], **values: object) -> bool:
        session.add(Link(**values, account_id=theirs))
        session.flush()
        return False

    monkeypatch.setattr(module, "insert_once", beaten)
    assert linking.sign_in(ALICE, Profile()) == theirs


@pytest.mark.parametrize(("active", "rule"), [(False, "account.active"), (None, "account.removed")])
def test_whoever_is_inactive_or_removed_does_not_come_in(linking: Linking, active: bool | None, rule: str) -> None:
    account = linking.provision(ALICE, Profile(), active=True)
    if active is None:
        linking.remove(account.id)
    else:
        linking.update(account.id, Profile(), active=active)
    with pytest.raises(PolicyRefusal) as caught:
        linking.sign_in(ALICE, Profile())
    assert caught.value.rule == rule


def test_provisioning_a_person_twice_is_a_conflict(linking: Linking) -> None:
    account = linking.provision(ALICE, Profile(), active=True)
    with pytest.raises(AlreadyLinked) as caught:
        linking.provision(ALICE, Profile(), active=True)
    assert caught.value.account_id == account.id


def test_a_refused_creation_leaves_nothing_behind(linking: Linking, session: Session) -> None:
    linking.provision(ALICE, Profile(username="archer"), active=True)
    with pytest.raises(UsernameTaken):
        linking.provision(BOB, Profile(username="archer"), active=True)
    assert linking.find(BOB) is None
    linking.provision(BOB, Profile(username="bob"), active=True)


def test_a_concurrent_creation_is_a_conflict(
    accounts: MemoryAccountStore, linking: Linking, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = accounts.create(Profile()).id

    def beaten(session: Session, model: type[Link], **values: object) -> bool:
        session.add(Link(**values, account_id=theirs, provisioned_at=NOW))
        session.flush()
        return False

    monkeypatch.setattr(module, "insert_once", beaten)
    with pytest.raises(AlreadyLinked):
        linking.provision(ALICE, Profile(), active=True)


def test_an_account_without_an_identifier_is_nobodys_until_it_is_linked(linking: Linking) -> None:
    account = linking.provision(None, Profile(username="alice"), active=True)
    assert linking.links_of(account.id) == ()
    linking.relink(account.id, ALICE)
    assert linking.sign_in(ALICE, Profile()) == account.id


def test_a_changed_identifier_moves_the_account(linking: Linking) -> None:
    account = linking.provision(ALICE, Profile(), active=True)
    linking.relink(account.id, BOB)
    assert linking.sign_in(BOB, Profile()) == account.id
    assert linking.sign_in(ALICE, Profile()) != account.id


def test_an_identifier_in_another_letter_case_is_no_change(linking: Linking) -> None:
    account = linking.provision(ALICE, Profile(), active=True)
    linking.relink(account.id, ALICE.upper())
    assert linking.sign_in(ALICE, Profile()) == account.id


def test_an_account_can_be_unlinked(linking: Linking) -> None:
    account = linking.provision(ALICE, Profile(), active=True)
    linking.relink(account.id, None)
    assert linking.links_of(account.id) == ()


def test_nobody_takes_over_anothers_identifier(linking: Linking) -> None:
    linking.provision(ALICE, Profile(), active=True)
    bob = linking.provision(BOB, Profile(), active=True)
    with pytest.raises(AlreadyLinked):
        linking.relink(bob.id, ALICE)


def test_deactivation_ends_the_sessions_of_the_host_too(linking: Linking, accounts: MemoryAccountStore) -> None:
    account = linking.provision(ALICE, Profile(), active=True)
    linking.update(account.id, Profile(), active=False)
    assert accounts.sessions_ended == [account.id]


def test_whoever_comes_back_has_a_new_account(linking: Linking) -> None:
    gone = linking.provision(ALICE, Profile(), active=True)
    linking.remove(gone.id)
    back = linking.provision(ALICE, Profile(), active=True)
    assert back.id != gone.id
    assert linking.sign_in(ALICE, Profile()) == back.id


def test_an_account_that_the_host_deleted_itself_counts_as_removed(
    linking: Linking, accounts: MemoryAccountStore
) -> None:
    accounts.delete(linking.sign_in(ALICE, Profile()))
    with pytest.raises(PolicyRefusal):
        linking.sign_in(ALICE, Profile())


def test_an_unknown_account_cannot_be_updated(linking: Linking) -> None:
    with pytest.raises(NoSuchAccount):
        linking.update("unknown", Profile(), active=True)
