"""The same on PostgreSQL: both sites, the lease between two workers, the bell."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from federation.registry.ending import Ending
from idp_app.models import ConnectionState
from idp_app.services import bell, connections, disconnecting, people
from idp_app.services.provisioning import lease, service
from idp_app.worker import Worker
from tests.databases import database_url
from tests.provisioning_factories import Sites, lost, make_sites
from tests.scim_factories import scim_client, user

STAFF = {"Alice Archer": True, "Carol Clark": True, "Ada Min": True}


@pytest.fixture
def sites(tmp_path: Path) -> Iterator[Sites]:
    """Both sites with a database of their own on PostgreSQL."""
    with database_url("postgresql", tmp_path) as idp, database_url("postgresql", tmp_path) as sp:
        made = make_sites(tmp_path, databases=(idp, sp))
        yield made
        made.idp.installation.engine.dispose()
        made.sp.provider.engine.dispose()


def test_a_connection_ends_and_takes_its_accounts_along(sites: Sites) -> None:
    sites.provision()
    with sites.idp.work() as session:
        disconnecting.begin(session, connections.find(session, "Intranet"), Ending.SUSPEND, sites.idp.act())
    assert sites.provision().done == {"deactivate": 3}
    assert sites.accounts() == dict.fromkeys(STAFF, False)
    assert sites.idp.connection("Intranet").state is ConnectionState.DISCONNECTED


def test_people_come_change_leave_and_come_back(sites: Sites) -> None:
    assert sites.provision().done == {"create": 3}
    assert sites.accounts() == STAFF
    assert sites.members()["board"] == {"Alice Archer"}
    sites.change("alice", people.suspend)
    assert sites.provision().done == {"deactivate": 1}
    assert sites.accounts() == STAFF | {"Alice Archer": False}
    sites.change("alice", people.reinstate)
    sites.update("carol", department="Chemistry")
    assert sites.provision().done == {"reactivate": 1, "update": 1}
    assert sites.provision().ok


def test_a_lost_answer_creates_nobody_twice(sites: Sites) -> None:
    sites.wire.after = lambda method, path, body: lost() if path.endswith("/Bulk") else None
    assert sites.provision().stopped
    sites.wire.after = lambda *_: None
    sites.advance(minutes=5)
    assert sites.provision().ok
    assert sites.accounts() == STAFF


def test_of_many_workers_at_once_one_gets_the_lease(sites: Sites) -> None:
    service.sweep(sites.idp.installation)
    taken = []
    barrier = threading.Barrier(4)

    def take(number: int) -> None:
        barrier.wait()
        with sites.idp.work() as session:
            taken.append(lease.acquire(session, sites.connection_id, f"worker-{number}", sites.idp.clock()))

    threads = [threading.Thread(target=take, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(taken) == 4
    assert len([each for each in taken if each is not None]) == 1


def test_the_bell_hangs_in_the_same_database(sites: Sites) -> None:
    queue = bell.open_queue(sites.idp.installation.settings)
    Worker(sites.idp.installation, queue)
    sites.change("alice", people.suspend)
    task = queue.dequeue()
    assert task is not None
    assert task.name == "sweep"
    queue.storage.close()


def test_the_same_bulk_at_the_same_time_happens_once(sites: Sites) -> None:
    scim = scim_client(sites.sp)
    answers: list[str] = []
    barrier = threading.Barrier(3)
    operation = {"method": "POST", "path": "/Users", "bulkId": "a", "data": user()}

    def send() -> None:
        barrier.wait()
        answers.append(scim.bulk(operation, Idempotency_Key="k").text)

    threads = [threading.Thread(target=send) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(answers) == 3
    assert len(set(answers)) == 1
    assert sites.sp.rows("select count(*) from sp_account") == [(1,)]


def test_a_user_name_that_two_take_at_once_is_taken_once(sites: Sites) -> None:
    scim = scim_client(sites.sp)
    statuses: list[int] = []
    barrier = threading.Barrier(3)

    def send(number: int) -> None:
        barrier.wait()
        statuses.append(scim.post("/Users", user(f"id-{number}", "alice")).status_int)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(statuses) == [201, 409, 409]
