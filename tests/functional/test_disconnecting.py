"""A connection ends, and begins again: two sites that run, and talk over HTTP on loopback, with no shared secret."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from federation.registry.ending import Ending
from federation.registry.host import Occasion
from idp_app.models import ConnectionState
from idp_app.services import connections as idp_connections
from idp_app.services import disconnecting as at_idp
from idp_app.services.provisioning import service
from sp_app.accounts.sql import SqlAccountStore
from sp_app.services import connections as sp_connections
from sp_app.services import disconnecting as at_sp
from tests.strangers import Two, strangers

STAFF = {"Alice Archer": True, "Carol Clark": True, "Ada Min": True}
SUSPENDED = dict.fromkeys(STAFF, False)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    """Both sites, connected by an invitation; the people of Staff are provisioned."""
    with strangers(tmp_path) as both:
        connect(both)
        assert both.provision().ok
        yield both


def connect(two: Two) -> None:
    """Both administrators confirm."""
    for clock in (two.idp.clock, two.sp.clock):
        clock.advance(minutes=1)
    link = two.invite()
    two.begin(link)
    two.confirm()
    assert two.agree(link)


def end_at_idp(two: Two, ending: Ending) -> None:
    with two.idp.work() as session:
        at_idp.begin(session, idp_connections.find(session, "Intranet"), ending, two.idp.act("admin"))


def end_at_sp(two: Two, ending: Ending) -> None:
    with two.sp.unit_of_work() as session:
        [found] = sp_connections.every(session)
        store = SqlAccountStore(session, now=two.sp.clock())
        at_sp.disconnect(session, store, found, ending, Occasion(two.sp.clock(), "ada", ""))


def accounts(two: Two) -> dict[str, bool]:
    return {name: bool(active) for name, active in two.sp.rows("select display_name, active from sp_account")}


def at_idp_now(two: Two) -> ConnectionState:
    return two.idp.connection("Intranet").state


def test_the_identity_provider_ends_it_and_both_begin_again(two: Two) -> None:
    assert accounts(two) == STAFF
    end_at_idp(two, Ending.SUSPEND)
    assert at_idp_now(two) is ConnectionState.DISCONNECTING
    assert two.provision().done == {"deactivate": 3}
    assert (accounts(two), at_idp_now(two)) == (SUSPENDED, ConnectionState.DISCONNECTED)
    end_at_sp(two, Ending.KEEP)
    connect(two)
    assert two.provision().ok
    assert accounts(two) == STAFF
    assert two.connections() == (1, 1)


def test_the_service_provider_ends_it_without_a_word(two: Two) -> None:
    """The identity provider is refused from then on, and gives up what it cannot do."""
    end_at_sp(two, Ending.SUSPEND)
    assert accounts(two) == SUSPENDED
    end_at_idp(two, Ending.DELETE)
    report = two.provision()
    assert "did not accept our assertion" in str(report.stopped)
    with two.idp.work() as session:
        [health] = service.health(session)
    assert health.quarantined
    assert at_idp_now(two) is ConnectionState.DISCONNECTING
    end_at_idp(two, Ending.KEEP)
    assert at_idp_now(two) is ConnectionState.DISCONNECTED
    connect(two)
    assert two.provision().ok
    assert accounts(two) == STAFF
