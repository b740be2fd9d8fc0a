"""Whom a site trusts, and on what ground."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from federation.errors import PolicyRefusal, Refused
from federation.registry import effective
from federation.saml.metadata.trust import Unconfirmed
from sp_app.services import connections
from sp_app.services.partners import Partners
from tests.sp_factories import NOW, Clock, FakeIdP, connect

OWN = "https://intranet.example.org/saml/metadata"


@pytest.fixture
def idp() -> FakeIdP:
    return FakeIdP(Clock())


def test_signed_metadata_becomes_live_when_its_signer_is_confirmed(session: Session, idp: FakeIdP) -> None:
    connection = connect(session, idp, OWN)
    assert connection.name == "Example University"
    assert connection.state == "active"
    assert connection.valid_until == NOW + timedelta(days=21)
    version = connections.live_metadata(session, connection)
    assert (version.number, version.trust, version.decided_by) == (1, "signature", "a test")


def test_nothing_becomes_live_that_nobody_confirmed(session: Session, idp: FakeIdP) -> None:
    with pytest.raises(Unconfirmed):
        connect(session, idp, OWN, fingerprints=[])
    assert connections.every(session) == []


def test_another_fingerprint_does_not_help(session: Session, idp: FakeIdP) -> None:
    with pytest.raises(Refused):
        connect(session, idp, OWN, fingerprints=[FakeIdP(Clock(), key="other").fingerprint])


def test_our_own_metadata_is_no_partner(session: Session, idp: FakeIdP) -> None:
    with pytest.raises(Refused):
        connect(session, idp, idp.entity_id)


def test_newer_metadata_of_the_same_signer_needs_no_confirmation(session: Session, idp: FakeIdP) -> None:
    connection = connect(session, idp, OWN)
    idp.clock.advance(days=1)
    again = connect(session, idp, OWN, fingerprints=[])
    assert again is connection
    assert again.metadata_version == 2
    assert again.valid_until == NOW + timedelta(days=22)


def test_newer_metadata_of_another_signer_is_refused_and_the_old_stays_live(session: Session, idp: FakeIdP) -> None:
    connection = connect(session, idp, OWN)
    idp.key = "new-idp"
    with pytest.raises(Refused):
        connect(session, idp, OWN, fingerprints=[])
    assert connection.metadata_version == 1


def test_a_name_of_our_own_survives_newer_metadata(session: Session, idp: FakeIdP) -> None:
    connect(session, idp, OWN, name="Head office")
    assert connect(session, idp, OWN).name == "Head office"
    assert connect(session, idp, OWN, name="Headquarters").name == "Headquarters"


def test_metadata_is_parsed_once_per_version(session: Session, idp: FakeIdP, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = []
    read = effective.read_document
    monkeypatch.setattr(effective, "read_document", lambda document: parsed.append(1) or read(document))
    partners, connection = Partners(), connect(session, idp, OWN)
    parsed.clear()
    for _ in range(3):
        assert partners.of(session, connection, NOW).entity.entity_id == idp.entity_id
    assert len(parsed) == 1
    connect(session, idp, OWN)
    parsed.clear()
    partners.of(session, connection, NOW)
    assert len(parsed) == 1


@pytest.mark.parametrize("when", ["paused", "expired"])
def test_a_connection_that_may_not_be_used_is_a_decision(session: Session, idp: FakeIdP, when: str) -> None:
    connection = connect(session, idp, OWN)
    if when == "paused":
        connections.set_state(connection, connections.PAUSED, NOW)
    with pytest.raises(PolicyRefusal):
        Partners().of(session, connection, NOW + timedelta(days=30 if when == "expired" else 0))
