"""The commands, as an administrator types them, on a site of their own."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from federation.cli.main import run as federation
from federation.errors import ConfigurationError, FederationError, InvalidInput
from federation.saml.metadata import trust
from federation.storage import engine as engines
from federation.storage.session import factory, unit_of_work
from sp_app.accounts import Profile
from sp_app.accounts.sql import SqlAccountStore
from sp_app.cli import site as cli_site
from sp_app.cli import sp
from sp_app.services import audit
from sp_app.services.linking import Linking
from tests.registry_factories import PIN, aggregate
from tests.sp_factories import ALICE, NOW, Clock, FakeIdP, site_settings, write_keys


@pytest.fixture(autouse=True)
def _standing_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("accounts", "connections", "tokens", "upkeep"):
        monkeypatch.setattr(f"sp_app.cli.{module}.now", lambda: NOW)


@pytest.fixture
def ini(tmp_path: Path) -> Path:
    """The settings of a site, with keys (making them takes long) and without a database."""
    write_keys(tmp_path / "keys")
    lines = [f"{name} = {value}" for name, value in site_settings(tmp_path).items()]
    file = tmp_path / "site.ini"
    file.write_text("[app:sp]\nuse = egg:saml-federation#sp\n" + "\n".join(lines) + "\n")
    return file


@pytest.fixture
def idp() -> FakeIdP:
    return FakeIdP(Clock())


def run(ini: Path, *arguments: str) -> Result:
    """Run a command; what it raises is the test's business, as it is the `federation` command's."""
    return CliRunner().invoke(sp, ["-c", str(ini), *arguments], catch_exceptions=False)


@pytest.fixture
def connected(ini: Path, idp: FakeIdP, tmp_path: Path) -> Path:
    """The same site with a database and one identity provider."""
    run(ini, "upgrade")
    (tmp_path / "idp.xml").write_bytes(idp.metadata())
    run(ini, "connect", str(tmp_path / "idp.xml"), "--fingerprint", idp.fingerprint)
    return ini


def test_upgrade_can_be_repeated(ini: Path) -> None:
    for _ in range(2):
        assert "up to date" in run(ini, "upgrade").output


def test_without_a_database_each_command_says_what_to_do(ini: Path) -> None:
    with pytest.raises(ConfigurationError, match="run the upgrade command first"):
        run(ini, "status")


def test_a_broken_database_is_one_sentence(ini: Path, tmp_path: Path) -> None:
    (tmp_path / "site.sqlite").write_bytes(b"this is no database" * 100)
    with pytest.raises(ConfigurationError) as caught:
        run(ini, "upgrade")
    assert len(str(caught.value).splitlines()) == 1


def test_the_switch(connected: Path) -> None:
    assert json.loads(run(connected, "status", "--json").output)["enabled"] is False
    assert "on" in run(connected, "enable").output
    assert json.loads(run(connected, "status", "--json").output)["enabled"] is True
    run(connected, "disable")
    assert "Federation is off." in run(connected, "status").output


def test_published_metadata_is_what_a_partner_accepts(connected: Path, tmp_path: Path) -> None:
    pin = run(connected, "fingerprint").output.strip()
    run(connected, "publish", str(tmp_path / "metadata" / "sp.xml"))
    document = (tmp_path / "metadata" / "sp.xml").read_bytes()
    trusted = trust.verify(document, now=NOW, own_entity_id="x:y", role="sp", signer_fingerprints=[pin])
    assert trusted.entity.entity_id == "https://intranet.example.org/saml/metadata"
    assert b"EntityDescriptor" in run(connected, "publish", "-").stdout_bytes


def test_connecting_needs_a_confirmed_fingerprint_and_shows_it(ini: Path, idp: FakeIdP, tmp_path: Path) -> None:
    run(ini, "upgrade")
    (tmp_path / "idp.xml").write_bytes(idp.metadata())
    with pytest.raises(ConfigurationError, match=idp.fingerprint):
        run(ini, "connect", str(tmp_path / "idp.xml"))
    result = run(ini, "connect", str(tmp_path / "idp.xml"), "--name", "Head office", "--fingerprint", idp.fingerprint)
    assert "Head office (https://idp.example.org/saml/metadata) is connected, metadata version 1." in result.output
    assert "version 2" in run(ini, "connect", str(tmp_path / "idp.xml")).output


def test_connecting_to_nonsense_is_refused(ini: Path, tmp_path: Path) -> None:
    run(ini, "upgrade")
    (tmp_path / "idp.xml").write_bytes(b"<html>")
    with pytest.raises(FederationError):
        run(ini, "connect", str(tmp_path / "idp.xml"))


def test_a_connection_can_be_paused_and_resumed(connected: Path, idp: FakeIdP) -> None:
    run(connected, "pause", idp.entity_id)
    assert json.loads(run(connected, "status", "--json").output)["connections"][0]["state"] == "paused"
    run(connected, "resume", idp.entity_id)
    assert json.loads(run(connected, "status", "--json").output)["connections"][0]["state"] == "active"
    with pytest.raises(ConfigurationError):
        run(connected, "pause", "https://unknown.example.org")


def test_a_connection_is_ended_by_who_types_which_one(
    connected: Path, idp: FakeIdP, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = engines.create(f"sqlite:///{tmp_path / 'site.sqlite'}")
    with unit_of_work(factory(engine)) as session:
        linking = Linking(session, SqlAccountStore(session, now=NOW), idp_entity_id=idp.entity_id, now=NOW)
        linking.sign_in(ALICE, Profile(display_name="Alice Archer"))
    engine.dispose()
    token = run(connected, "scim-token", "create", "push").output.strip()
    assert token

    def disconnect(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = federation(["sp", "-c", str(connected), "disconnect", idp.entity_id, *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    assert disconnect("--confirm", idp.entity_id)[0] == 2, "nobody's accounts by default"
    assert disconnect("--accounts", "suspend", "--dry-run")[:2] == (0, "1 account will be suspended.\n")
    code, _, error = disconnect("--accounts", "delete", "--confirm", "Example")
    assert (code, f"type {idp.entity_id} to confirm; everything is kept" in error) == (1, True)
    assert json.loads(run(connected, "accounts", "--json").output)[0]["active"] is True
    code, out, _ = disconnect("--accounts", "suspend", "--confirm", "example university", "--json")
    assert code == 0
    assert json.loads(out) == {
        "name": "Example University",
        "entity_id": idp.entity_id,
        "state": "disconnected",
        "choice": "suspend",
        "accounts": 1,
        "active": 1,
        "administrators": 0,
        "shared": 0,
        "sessions": 0,
        "tokens": 1,
    }
    assert json.loads(run(connected, "accounts", "--json").output)[0]["active"] is False
    status = json.loads(run(connected, "status", "--json").output)
    assert (status["connections"], status["scim_tokens"]) == ([], [])
    assert disconnect("--accounts", "keep", "--confirm", idp.entity_id)[0] == 1
    assert "version 2" in run(connected, "connect", str(tmp_path / "idp.xml"), "--fingerprint", idp.fingerprint).output
    asked = CliRunner().invoke(sp, ["-c", str(connected), "disconnect", idp.entity_id, "--accounts", "keep"], "x\n")
    assert isinstance(asked.exception, InvalidInput)
    assert "1 account stays as it is, sessions that end: 0" in asked.output


def test_a_token_is_shown_once(connected: Path) -> None:
    token = run(connected, "scim-token", "create", "push").output.strip()
    assert token.startswith("scim_")
    listed = run(connected, "scim-token", "list").output
    assert "push" in listed
    assert token not in listed
    assert json.loads(run(connected, "status", "--json").output)["scim_tokens"] == ["push"]
    assert "Revoked 1." in run(connected, "scim-token", "revoke", "push").output
    with pytest.raises(ConfigurationError):
        run(connected, "scim-token", "revoke", "push")


def test_a_token_needs_a_connection(ini: Path) -> None:
    run(ini, "upgrade")
    with pytest.raises(ConfigurationError, match="connect the identity provider first"):
        run(ini, "scim-token", "create", "push")


def test_accounts_and_administrators(connected: Path, idp: FakeIdP, tmp_path: Path) -> None:
    engine = engines.create(f"sqlite:///{tmp_path / 'site.sqlite'}")
    with unit_of_work(factory(engine)) as session:
        linking = Linking(session, SqlAccountStore(session, now=NOW), idp_entity_id=idp.entity_id, now=NOW)
        linking.provision(ALICE, Profile(username="alice", display_name="Alice Archer"), active=True)
        audit.record(session, kind=audit.REFUSED, reference="7KQ2-M4XD", at=NOW, detail="a reason")
    engine.dispose()
    assert "Alice Archer is an administrator now." in run(connected, "make-administrator", "alice").output
    assert "active, administrator" in run(connected, "accounts").output
    run(connected, "remove-administrator", ALICE)
    (account,) = json.loads(run(connected, "accounts", "--json").output)
    assert account["administrator"] is False
    assert account["links"] == [{"idp": idp.entity_id, "identifier": ALICE}]
    assert "a reason" in run(connected, "explain", "7kq2-m4xd").output
    with pytest.raises(ConfigurationError):
        run(connected, "explain", "AAAA-AAAA")


def test_the_worker_purges(connected: Path) -> None:
    assert "Purged: 0 requests" in run(connected, "worker", "--once").output


def test_commands_stand_on_the_clock_of_the_machine() -> None:
    assert cli_site.now().tzinfo is not None


def test_how_messages_travel_is_shown_and_changed(connected: Path, idp: FakeIdP) -> None:
    shown = "requests by redirect, responses by post, unsolicited ones refused"
    assert shown in run(connected, "options", idp.entity_id).output
    changed = run(connected, "options", idp.entity_id, "--request-binding", "post", "--allow-unsolicited").output
    assert "requests by post, responses by post, unsolicited ones allowed" in changed
    assert "unsolicited ones refused" in run(connected, "options", idp.entity_id, "--refuse-unsolicited").output
    with pytest.raises(FederationError, match="no artifact resolution service"):
        run(connected, "options", idp.entity_id, "--response-binding", "artifact")
    with pytest.raises(FederationError, match="takes no requests by artifact"):
        run(connected, "options", idp.entity_id, "--request-binding", "artifact")
    with pytest.raises(ConfigurationError, match="no connection"):
        run(connected, "options", "https://nobody.example/")


def test_an_identity_provider_that_a_source_offers_gets_a_connection(connected: Path, tmp_path: Path) -> None:
    other = FakeIdP(Clock(), entity_id="https://other.example.net/idp", sso_url="https://other.example.net/sso")
    now = datetime.now(UTC)
    (tmp_path / "all.xml").write_bytes(aggregate([other.metadata()], now))
    add = ("metadata", "add-source", "Federation", "--file", str(tmp_path / "all.xml"), "--signer", PIN)
    assert run(connected, *add).exit_code == 0
    assert run(connected, "metadata", "refresh").exit_code == 0
    shown = run(connected, "connect-from", "Federation", other.entity_id, "--name", "Other")
    assert shown.output == "Other (https://other.example.net/idp) is connected; its metadata follows Federation.\n"
    with pytest.raises(FederationError, match="already"):
        run(connected, "connect-from", "Federation", other.entity_id)
    with pytest.raises(ConfigurationError, match="no identity provider"):
        run(connected, "connect-from", "Federation", "https://nobody.example.net")
