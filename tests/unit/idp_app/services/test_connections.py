"""Connections: made by trust, parsed once for each version."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from federation.attributes.policy import ReleasePolicy
from federation.errors import PolicyRefusal
from federation.registry.ending import Ending
from idp_app.errors import InvalidInput, NotThere
from idp_app.models import ConnectionState
from idp_app.services import audiences, connections, disconnecting
from idp_app.services.live import Partners
from tests.idp_factories import FakeSP, IdPSite


@pytest.fixture
def session(idp: IdPSite) -> Iterator[Session]:
    """A session on a site with one connection."""
    idp.connect(FakeSP())
    with idp.installation.sessions() as opened:
        yield opened


def test_a_connection_is_found_by_its_name_and_its_entity_id(session: Session):
    found = connections.find(session, "INTRANET")
    assert connections.find(session, "http://localhost:6544/saml/metadata") is found
    assert connections.get(session, found.id) is found
    for look_up in (connections.find, connections.get):
        with pytest.raises(NotThere):
            look_up(session, "nothing")


def test_connecting_again_keeps_the_connection_and_its_past(idp: IdPSite, session: Session):
    before = connections.find(session, "Intranet").id
    idp.connect(FakeSP(), serves=["Learners"], release="name-only")
    session.rollback()  # a new look at what others committed
    after = connections.find(session, "Intranet")
    assert after.id == before
    assert [audience.name for audience in after.audiences] == ["Learners"]
    assert after.release_policy["preset"] == "name-only"


def test_every_change_makes_web_workers_parse_again(idp: IdPSite, session: Session):
    partners = Partners()
    connection = connections.find(session, "Intranet")
    first = partners.by_entity_id(session, connection.entity_id)
    assert partners.by_entity_id(session, connection.entity_id) is first
    act = idp.act()
    learners = audiences.find(session, "Learners")
    for change in (
        lambda: connections.set_audiences(session, connection, [learners], act),
        lambda: connections.set_policy(session, connection, ReleasePolicy.from_preset("nothing"), act),
        lambda: connections.pause(session, connection, act),
    ):
        before = partners.by_id(session, connection.id)
        assert change() is True
        assert change() is False
        session.flush()
        assert partners.by_id(session, connection.id) is not before
    live = partners.by_id(session, connection.id)
    assert (live.state, live.audiences, live.release(None).keys) == (ConnectionState.PAUSED, {learners.id}, ())


def test_a_connection_that_is_parsed_costs_one_small_statement(idp: IdPSite, session: Session):
    partners = Partners()
    entity_id = connections.find(session, "Intranet").entity_id
    partners.by_entity_id(session, entity_id)
    seen: list[str] = []
    driver = session.connection().connection.dbapi_connection
    driver.set_trace_callback(seen.append)  # SQLite's own, which also hears what is prepared
    partners.by_entity_id(session, entity_id)
    driver.set_trace_callback(None)
    assert len(seen) == 1
    assert "metadata_xml" not in seen[0]


def test_what_was_disconnected_has_no_token_and_no_audience_and_comes_back_only_by_connecting(
    idp: IdPSite, session: Session
):
    connection = connections.find(session, "Intranet")
    act, installation = idp.act(), idp.installation
    connections.set_provisioning(
        session,
        connection,
        "http://localhost:6544/scim/v2/",
        "token",
        act,
        box=installation.secret_box,
        settings=installation.settings,
    )
    assert connection.provisioning_url == "http://localhost:6544/scim/v2"
    disconnecting.begin(session, connection, Ending.KEEP, act)
    assert (connection.provisioning_url, connection.provisioning_token, connection.audiences) == (None, None, [])
    assert connections.every(session) == []
    with pytest.raises(PolicyRefusal):
        connections.resume(session, connection, act)


@pytest.mark.parametrize("token", ["", " ", "two words", "umläut", "x" * 5000, "a\nb"])
def test_a_token_is_one_word(idp: IdPSite, session: Session, token: str):
    connection = connections.find(session, "Intranet")
    box, settings = idp.installation.secret_box, idp.installation.settings
    with pytest.raises(InvalidInput):
        connections.set_provisioning(
            session, connection, "https://sp.example/scim", token, idp.act(), box=box, settings=settings
        )
