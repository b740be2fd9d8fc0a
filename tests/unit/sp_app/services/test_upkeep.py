"""Tokens, administrators, the audit trail, and what is purged."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from federation.errors import ConfigurationError, Refused
from federation.saml.checks import Check
from sp_app.accounts import Profile
from sp_app.accounts.sql import SqlAccountStore
from sp_app.models import (
    Account,
    AuditEntry,
    FederatedSession,
    HeldRequest,
    KeptForm,
    PendingChoice,
    PendingRequest,
    RememberedLogout,
    ReplayEntry,
    ScimToken,
    SignOut,
)
from sp_app.services import administrators, audit, connections, scim_tokens, switch
from sp_app.services.linking import Linking
from sp_app.services.purge import purge
from tests.sp_factories import ALICE, NOW, Clock, FakeIdP, connect

OWN = "https://intranet.example.org/saml/metadata"
IDP = "https://idp.example.org/saml/metadata"


def test_a_token_speaks_for_its_connection_until_it_is_revoked(session: Session) -> None:
    connection = connect(session, FakeIdP(Clock()), OWN)
    token = scim_tokens.create(session, connection, name="push", now=NOW)
    assert scim_tokens.connection_of(session, token, NOW) is connection
    assert token not in str(session.scalars(select(ScimToken.digest)).one())
    assert scim_tokens.revoke(session, "push", NOW) == 1
    assert scim_tokens.connection_of(session, token, NOW) is None
    assert scim_tokens.revoke(session, "push", NOW) == 0


@pytest.mark.parametrize("presented", ["", "x", "scim_x", "x" * 10_000, "\ud800", "\x00"])
def test_no_other_token_speaks_for_anybody(session: Session, presented: str) -> None:
    scim_tokens.create(session, connect(session, FakeIdP(Clock()), OWN), name="push", now=NOW)
    assert scim_tokens.connection_of(session, presented, NOW) is None


def test_an_administrator_is_named_by_anything_that_is_theirs_alone(session: Session) -> None:
    accounts = SqlAccountStore(session, now=NOW)
    alice = Linking(session, accounts, idp_entity_id=IDP, now=NOW).provision(
        ALICE, Profile(username="alice", mail="alice@example.org"), active=True
    )
    for selector in (alice.id, "ALICE", "alice@example.org", ALICE):
        assert administrators.find(session, selector).id == alice.id
    account = session.get_one(Account, alice.id)
    administrators.appoint(account, administrator=True, now=NOW)
    assert account.administrator


def test_an_ambiguous_or_unknown_name_is_refused(session: Session) -> None:
    accounts = SqlAccountStore(session, now=NOW)
    for _ in range(2):
        accounts.create(Profile(mail="desk@example.org"))
    for selector in ("desk@example.org", "nobody"):
        with pytest.raises(ConfigurationError):
            administrators.find(session, selector)


def test_the_switch_is_off_until_it_is_turned(session: Session) -> None:
    assert not switch.is_on(session)
    for on in (True, True, False):
        switch.turn(session, on=on, now=NOW)
        assert switch.is_on(session) is on


def test_a_refusal_is_found_under_its_number_however_it_is_written(session: Session) -> None:
    failed = Check("assertion.audience", "SAML Profiles 4.1.4.2", "us", "x\0\ud800", ok=False)
    audit.record_refusal(session, Refused([failed]), reference="7KQ2-M4XD", at=NOW)
    (entry,) = audit.under(session, " 7kq2-m4xd ")
    assert entry.rule == "assertion.audience"
    (check,) = entry.checks
    assert check["ok"] is False
    assert check["received"] == "x\N{REPLACEMENT CHARACTER}?"
    assert audit.latest(session) == [entry]


def test_what_has_expired_is_purged_and_nothing_else(session: Session) -> None:
    connection = connect(session, FakeIdP(Clock()), OWN)
    for name, age in (("old", timedelta(days=400)), ("new", timedelta())):
        at = NOW - age
        request = {"handle_hash": name, "request_id": name, "connection_id": connection.id, "binding_hash": ""}
        wish = {"target": "/", "force_authn": False, "class_refs": []}
        session.add(PendingRequest(**request, **wish, issued_at=at, expires_at=at))
        session.add(PendingChoice(handle_hash=name, binding_hash="", wish=wish, expires_at=at))
        session.add(HeldRequest(key=name, connection_id=connection.id, message=b"", expires_at=at))
        session.add(ReplayEntry(key=name, keep_until=at))
        token = {"id": name, "name": name, "connection_id": connection.id, "digest": name}
        session.add(ScimToken(**token, created_at=at, expires_at=at))
        begun = {"handle_hash": name, "account_id": "1", "idp_entity_id": IDP, "authn_instant": at, "attributes": []}
        session.add(FederatedSession(**begun, created_at=at, expires_at=at))
        session.add(KeptForm(handle_hash=name, binding_hash="", sealed="", expires_at=at))
        session.add(SignOut(handle_hash=name, idp_entity_id=IDP, began_at=at, expires_at=at))
        remembered = {"subject_key": name, "session_indexes": [], "issued_at": at, "keep_until": at}
        session.add(RememberedLogout(**remembered))
        audit.record(session, kind="x", reference=name, at=at, detail="")
    purged = purge(session, now=NOW, audit_retention=timedelta(days=365))
    assert purged.pop("SCIM answers") == 0
    assert set(purged.values()) == {1}
    for column in (
        PendingRequest.handle_hash,
        PendingChoice.handle_hash,
        ReplayEntry.key,
        FederatedSession.handle_hash,
        SignOut.handle_hash,
        KeptForm.handle_hash,
        RememberedLogout.subject_key,
        AuditEntry.reference,
    ):
        assert session.scalars(select(column)).all() == ["new"]
    assert connections.every(session) == [connection]
