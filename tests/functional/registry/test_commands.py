"""`federation idp metadata …`: sources, refresh, reviews, by arguments, words and exit codes; and the worker."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from federation.cli.main import run
from federation.storage.session import unit_of_work
from idp_app.services import audiences
from idp_app.services.act import Act
from tests.functional.idp.test_commands import INI
from tests.functional.registry.test_offered import OLD
from tests.idp_factories import FakeSP, make_installation
from tests.registry_factories import PIN, Server, aggregate, plain

LIBRARY = FakeSP(name="Library", origin="http://localhost:6545")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    installation = make_installation(tmp_path)
    with unit_of_work(installation.sessions) as session:
        audiences.create(session, "Staff", Act(installation.clock(), "test", "TEST-0001"))
    installation.engine.dispose()
    (tmp_path / "idp.ini").write_text(INI)
    return tmp_path


def federation(site: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run(["idp", "-c", str(site / "idp.ini"), *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_source_is_added_refreshed_shown_and_removed(site: Path, server: Server, capsys: pytest.CaptureFixture[str]):
    now = datetime.now(UTC)
    url = server.put("/all.xml", aggregate([LIBRARY.metadata(now)], now))
    add = ("metadata", "add-source", "Example", "--url", url, "--signer", PIN, "--audience", "Staff")
    assert federation(site, capsys, *add)[0] == 0
    assert federation(site, capsys, *add) == (1, "", "Error: there is a source called Example already\n")
    code, out, _ = federation(site, capsys, "metadata", "refresh")
    assert (code, out) == (0, "Example: 1 of 1 entities: 1 added, 0 changed, 0 removed\n")
    code, out, _ = federation(site, capsys, "metadata", "entities", "libr", "--json")
    assert [each["entity_id"] for each in json.loads(out)] == [LIBRARY.entity_id]
    server.fail("/all.xml")
    code, out, err = federation(site, capsys, "metadata", "refresh", "Example")
    assert (code, out) == (1, "")
    assert "the answer has the status 503" in err
    code, out, _ = federation(site, capsys, "metadata", "sources", "--json")
    assert (code, json.loads(out)[0]["health"]) == (1, "late")
    assert federation(site, capsys, "metadata", "remove-source", "Example", "--yes")[0] == 0
    assert federation(site, capsys, "metadata", "sources")[1].splitlines()[2:] == []


def test_what_a_source_offers_gets_a_connection_and_what_is_brought_is_confirmed(
    site: Path, server: Server, capsys: pytest.CaptureFixture[str]
):
    now = datetime.now(UTC)
    url = server.put("/all.xml", aggregate([OLD.metadata(now), LIBRARY.metadata(now)], now))
    add = ("metadata", "add-source", "Example", "--url", url, "--signer", PIN, "--audience", "Staff")
    assert federation(site, capsys, *add, "--preset", "no-such")[0] == 1
    assert federation(site, capsys, *add, "--option", "name-id=persistent")[0] == 0
    federation(site, capsys, "metadata", "refresh")
    code, _, err = federation(site, capsys, "connect-from", "Example", OLD.entity_id)
    assert (code, "legacy-cbc or plain would allow it" in err) == (1, True)
    code, out, _ = federation(site, capsys, "connect-from", "Example", OLD.entity_id, "--preset", "legacy-cbc")
    assert (code, out.splitlines()[0]) == (0, f"Connected Old cipher ({OLD.entity_id}); its metadata follows Example.")
    shown = json.loads(federation(site, capsys, "connections", "Old cipher", "--json")[1])
    assert (shown["options"], shown["audiences"]) == (["preset legacy-cbc", "name-id=persistent"], ["Staff"])
    assert federation(site, capsys, "connect-from", "Example", OLD.entity_id)[0] == 1
    assert federation(site, capsys, "connect-from", "Example", "https://nobody.example.org")[0] == 1
    # Its own, unsigned document is nothing that the federation vouches for.
    file = site / "old.xml"
    file.write_text(plain(replace(OLD, asks_for=("mail",)).metadata(now)))
    code, out, _ = federation(site, capsys, "metadata", "bring", OLD.entity_id, str(file))
    assert code == 0
    assert "Nothing vouches for it yet" in out
    assert federation(site, capsys, "metadata", "bring", LIBRARY.entity_id, str(file))[0] == 1
    assert federation(site, capsys, "metadata", "accept", "2")[0] == 1
    assert federation(site, capsys, "metadata", "confirm", "2", "--fingerprint", "AA" * 32)[0] == 1
    whole = next(iter(json.loads(federation(site, capsys, "metadata", "reviews", "2", "--json")[1])["to_confirm"]))
    assert whole in federation(site, capsys, "metadata", "reviews", "2")[1]
    assert federation(site, capsys, "metadata", "confirm", "2", "--fingerprint", whole)[0] == 0
    assert federation(site, capsys, "metadata", "accept", "2")[0] == 0


def test_the_worker_refreshes_what_is_due_in_another_process(
    site: Path, server: Server, capsys: pytest.CaptureFixture[str]
):
    now = datetime.now(UTC)
    file = site / "all.xml"
    file.write_bytes(aggregate([LIBRARY.metadata(now)], now))
    add = ("metadata", "add-source", "A file", "--file", str(file), "--signer", PIN, "--audience", "Staff")
    assert federation(site, capsys, *add)[0] == 0
    assert federation(site, capsys, "worker", "--once")[0] == 0
    code, out, _ = federation(site, capsys, "metadata", "sources", "A file", "--json")
    shown = json.loads(out)
    assert (code, shown["health"], shown["entities"]) == (0, "good", 1)
    assert datetime.fromisoformat(shown["due"]) > now + timedelta(hours=1)


def test_misuse_is_told(site: Path, capsys: pytest.CaptureFixture[str]):
    assert federation(site, capsys, "metadata", "add-source", "X")[0] == 2
    assert federation(site, capsys, "metadata", "add-source", "X", "--url", "http://example.org/x")[0] == 1
    assert federation(site, capsys, "metadata", "schedule", "1", "--at", "soon")[0] == 2
    assert federation(site, capsys, "metadata", "accept", "1")[0] == 1
    assert federation(site, capsys, "metadata", "versions", "https://nobody.example.org")[0] == 1
    assert federation(site, capsys, "metadata", "reviews")[0] == 0
