"""`federation idp …`: each command by its arguments, its words and its exit code."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from federation.cli.main import run
from federation.saml.metadata.entity import Endpoint
from federation.saml.metadata.reading import read_document
from federation.saml.names import Binding
from idp_app import settings as idp_settings
from idp_app.installation import Installation
from idp_app.services import connections, people, switch
from tests.idp_factories import Clock, FakeSP, make_idp, make_installation

INI = """\
[app:main]
use = egg:saml-federation#idp
idp.public_url = http://localhost:6543
idp.allow_http_loopback = true
idp.scope = example.org
idp.database_url = sqlite:///%(here)s/idp.sqlite
idp.keys_directory = %(here)s/keys
idp.password_memory_kib = 8
idp.password_time_cost = 1
idp.password_parallelism = 1
"""
PEOPLE = """\
username,display_name,mail,department,groups,audiences,guest
alice,Alice Archer,alice@example.org,Physics,board;staff,Staff,no
bob,Bob Baker,bob@example.org,,,Learners,
"""


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str


Command = Callable[..., Outcome]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The folder of a site that is ready, with its ini."""
    make_installation(tmp_path).engine.dispose()
    (tmp_path / "idp.ini").write_text(INI)
    return tmp_path


@pytest.fixture
def federation(site: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run `federation idp -c INI …`."""

    def command(*arguments: str, stdin: str = "") -> Outcome:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        capsys.readouterr()
        code = run(["idp", "-c", str(site / "idp.ini"), *arguments])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return command


@pytest.fixture
def with_people(site: Path, federation: Command) -> None:
    """Two people in two audiences."""
    (site / "people.csv").write_text(PEOPLE)
    for name in ("Staff", "Learners"):
        assert federation("audience", "create", name).code == 0
    done = federation("import-people", str(site / "people.csv"), "--password-file", "-", stdin="a long password\n")
    assert done.code == 0, done.err


def opened(site: Path) -> Installation:
    """The site as the next process finds it."""
    return Installation.open(idp_settings.read({**_raw(site)}))


def _raw(site: Path) -> dict[str, str]:
    lines = (line.partition(" = ") for line in INI.splitlines() if line.startswith("idp."))
    return {name: value.replace("%(here)s", str(site)) for name, _, value in lines}


def metadata(site: Path, sp: FakeSP | None = None, *, signed: bool = True) -> str:
    """A file with a service provider's metadata."""
    sp = sp or FakeSP()
    document = sp.metadata(datetime.now(UTC))
    if not signed:
        start, _, rest = document.partition(b"<ds:Signature")
        document = start + rest.partition(b"</ds:Signature>")[2]
    path = site / "sp.xml"
    path.write_bytes(document)
    return str(path)


def connect(site: Path, federation: Command, *more: str, sp: FakeSP | None = None) -> Outcome:
    """Connect a service provider whose key is pinned."""
    sp = sp or FakeSP()
    arguments = ("--name", sp.name, "--audience", "Staff", "--release", "directory")
    return federation("connect", metadata(site, sp), *arguments, "--signer-fingerprint", sp.fingerprint, *more)


# The site -------------------------------------------------------------------------------------------------------------


def test_upgrade_makes_keys_for_its_user_alone_and_a_second_run_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "idp.ini").write_text(INI)
    assert run(["idp", "-c", str(tmp_path / "idp.ini"), "upgrade"]) == 0
    made = {path: path.read_bytes() for path in (tmp_path / "keys").iterdir()}
    assert len(made) == 5
    assert all(path.stat().st_mode & 0o077 == 0 for path in made)
    assert run(["idp", "-c", str(tmp_path / "idp.ini"), "upgrade"]) == 0
    assert made == {path: path.read_bytes() for path in (tmp_path / "keys").iterdir()}
    assert capsys.readouterr().out.count("Made ") == 5


def test_everything_else_asks_for_the_upgrade_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "idp.ini").write_text(INI)
    assert run(["idp", "-c", str(tmp_path / "idp.ini"), "enable"]) == 1
    assert "run the upgrade command first" in capsys.readouterr().err


def test_a_database_that_is_none_gives_one_sentence(site: Path, federation: Command) -> None:
    (site / "idp.sqlite").write_bytes(b"no database at all" * 100)
    for command in ("upgrade", "status"):
        done = federation(command)
        assert done.code == 1
        assert done.err.startswith("Error: the database sqlite:///")
        assert done.err.count("\n") == 1


def test_the_federation_is_off_until_it_is_enabled(federation: Command) -> None:
    assert json.loads(federation("status", "--json").out)["enabled"] is False
    assert federation("enable").out == "The federation is on.\n"
    assert federation("enable").out == "The federation is on already.\n"
    assert json.loads(federation("status", "--json").out)["enabled"] is True
    assert federation("disable").out == "The federation is off.\n"


def test_status_tells_what_there_is(site: Path, federation: Command, with_people: None) -> None:
    connect(site, federation)
    assert json.loads(federation("status", "--json").out) == {
        "enabled": False,
        "people": 2,
        "audiences": ["Learners", "Staff"],
        "connections": [
            {
                "name": "Intranet",
                "entity_id": "http://localhost:6544/saml/metadata",
                "state": "active",
                "provisioning": False,
            }
        ],
    }
    assert "Connections: Intranet (active)" in federation("status").out


def test_metadata_is_published_to_a_file_and_the_fingerprint_printed(site: Path, federation: Command) -> None:
    assert federation("publish", str(site / "idp.xml")).code == 0
    [entity] = read_document((site / "idp.xml").read_bytes())
    assert entity.entity_id == "http://localhost:6543/saml/metadata"
    assert federation("fingerprint").out.strip() == opened(site).keys.fingerprint
    assert federation("publish", str(site / "nowhere" / "idp.xml")).code == 1


def test_purge_says_what_went(federation: Command) -> None:
    assert federation("purge").out.startswith("requests: 0, ")


# People ---------------------------------------------------------------------------------------------------------------


def test_people_are_imported_once_and_recognised_the_second_time(
    site: Path, federation: Command, with_people: None
) -> None:
    assert federation("import-people", str(site / "people.csv")).out == "2 people: 0 new, 0 changed, 2 unchanged\n"
    (site / "people.csv").write_text(PEOPLE.replace("Physics", "Chemistry"))
    assert federation("import-people", str(site / "people.csv")).out == "2 people: 0 new, 1 changed, 1 unchanged\n"


def test_every_bad_line_is_listed_and_nothing_is_imported(site: Path, federation: Command) -> None:
    (site / "people.csv").write_text("username,audiences,guest\nx y,,\nerin,Nowhere,\nfrank,,maybe\ngina,,\nGINA,,\n")
    done = federation("import-people", str(site / "people.csv"))
    assert done.code == 1
    for line in (2, 3, 4, 6):
        assert f"people.csv: line {line}: " in done.err
    assert "Error: nothing was imported: 4 lines cannot be used" in done.err
    assert json.loads(federation("status", "--json").out)["people"] == 0


def test_a_file_that_is_not_there_is_misuse(federation: Command) -> None:
    assert federation("import-people", "nowhere.csv").code == 2


def test_a_first_password_that_is_too_short_imports_nobody(site: Path, federation: Command) -> None:
    (site / "people.csv").write_text("username\nerin\n")
    done = federation("import-people", str(site / "people.csv"), "--password-file", "-", stdin="short")
    assert done.code == 1
    assert "at least 8 characters" in done.err
    assert json.loads(federation("status", "--json").out)["people"] == 0


def test_a_person_is_suspended_and_reinstated(federation: Command, with_people: None) -> None:
    assert federation("suspend", "Alice").out == "Alice is suspended.\n"
    assert federation("suspend", "alice").out == "alice is suspended already.\n"
    assert federation("reinstate", "alice").out == "alice is reinstated.\n"
    done = federation("suspend", "nobody")
    assert (done.code, done.err) == (1, "Error: there is no person 'nobody'\n")


def test_the_first_administrator_is_made_by_a_command(site: Path, federation: Command) -> None:
    done = federation("make-administrator", "root", "--password-file", "-", stdin="a long password")
    assert done.out == "root is an administrator.\n"
    assert federation("make-administrator", "root").out == "root is an administrator already.\n"
    done = federation("remove-administrator", "root")
    assert done.code == 1
    assert "last administrator" in done.err
    installation = opened(site)
    with installation.sessions() as session:
        person = people.find(session, "root")
    assert installation.passwords.verify(person.password_hash, "a long password")
    installation.engine.dispose()


def test_an_administrator_with_a_bad_password_is_not_made(federation: Command) -> None:
    assert federation("make-administrator", "root", "--password-file", "-", stdin="short").code == 1
    assert json.loads(federation("status", "--json").out)["people"] == 0


def test_a_password_is_set(site: Path, federation: Command, with_people: None) -> None:
    assert federation("set-password", "alice", "--password-file", "-", stdin="another password").code == 0
    installation = opened(site)
    with installation.sessions() as session:
        person = people.find(session, "alice")
    assert installation.passwords.verify(person.password_hash, "another password")
    installation.engine.dispose()


def test_audiences_are_made_filled_and_listed(federation: Command, with_people: None) -> None:
    assert federation("audience", "create", "STAFF").out == "Audience Staff is there already.\n"
    assert federation("audience", "add", "Learners", "alice", "bob").out == "1 added to Learners.\n"
    assert federation("audience", "remove", "Staff", "alice").out == "1 removed from Staff.\n"
    assert json.loads(federation("audience", "list", "--json").out) == [
        {"name": "Learners", "members": 2},
        {"name": "Staff", "members": 0},
    ]
    assert federation("audience", "add", "Nowhere", "alice").code == 1
    assert federation("audience", "add", "Staff").code == 2


# Connections ----------------------------------------------------------------------------------------------------------


def test_signed_metadata_is_connected_by_its_pinned_key(site: Path, federation: Command, with_people: None) -> None:
    done = connect(site, federation)
    assert done.code == 0, done.err
    assert "Connected Intranet (http://localhost:6544/saml/metadata)." in done.out
    assert "misses: the SP has no privacy statement" in done.out
    again = connect(site, federation)
    assert "Updated Intranet" in again.out


def test_signed_metadata_is_refused_when_another_key_is_pinned(
    site: Path, federation: Command, with_people: None
) -> None:
    arguments = ("--name", "Intranet", "--audience", "Staff", "--release", "directory")
    done = federation("connect", metadata(site), *arguments, "--signer-fingerprint", "AA:" * 31 + "AA")
    assert done.code == 1
    assert "metadata.signature.signer" in done.err
    assert json.loads(federation("connections", "--json").out) == []


def test_unsigned_metadata_shows_its_fingerprints_first_and_is_connected_when_they_are_confirmed(
    site: Path, federation: Command, with_people: None
) -> None:
    arguments = ("--name", "Intranet", "--audience", "Staff", "--release", "directory")
    file = metadata(site, signed=False)
    done = federation("connect", file, *arguments)
    assert done.code == 1
    assert "nothing was changed" in done.err
    assert FakeSP().fingerprint in done.out
    assert json.loads(federation("connections", "--json").out) == []
    shown = [line.split()[-1] for line in done.out.splitlines() if line.count(":") == 31]
    confirmed = [argument for value in shown for argument in ("--fingerprint", value.lower().replace(":", ""))]
    done = federation("connect", file, *arguments, *confirmed)
    assert done.code == 0, done.err
    [described] = json.loads(federation("connections", "--json").out)
    assert described["trust"] == "confirmed"
    assert described["misses"][0]["rule"] == "metadata.unsigned"


def test_an_unsigned_copy_is_no_update_of_what_a_signature_vouched_for(
    site: Path, federation: Command, with_people: None
) -> None:
    connect(site, federation)
    arguments = ("--name", "Intranet", "--audience", "Staff", "--release", "directory")
    assert "Updated Intranet" in federation("connect", metadata(site), *arguments).out
    done = federation("connect", metadata(site, signed=False), *arguments)
    assert done.code == 1
    assert "metadata.signature.present" in done.err
    stranger = replace(FakeSP(), key_name="stranger")
    assert federation("connect", metadata(site, stranger), *arguments).code == 1
    assert federation("connect", metadata(site, stranger), *arguments, "--fingerprint", stranger.fingerprint).code == 0


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--audience", "Nowhere", "there is no audience 'Nowhere'"),
        ("--release", "everything", "no release preset is called 'everything'"),
        ("--name", " ", "must not be empty"),
        ("--fingerprint", "no fingerprint", "fingerprint"),
    ],
)
def test_a_wrong_word_in_connect_changes_nothing(
    site: Path, federation: Command, with_people: None, option: str, value: str, words: str
) -> None:
    chosen = {"--name": "Intranet", "--audience": "Staff", "--release": "directory", option: value}
    arguments = [argument for pair in chosen.items() for argument in pair]
    done = federation("connect", metadata(site), *arguments, "--signer-fingerprint", FakeSP().fingerprint)
    assert done.code == 1
    assert words in done.err
    assert json.loads(federation("connections", "--json").out) == []


def test_a_document_that_is_no_metadata_is_refused(site: Path, federation: Command, with_people: None) -> None:
    arguments = ("--name", "Intranet", "--audience", "Staff", "--release", "directory")
    for content in (b"", b"hello", b"<hello/>", metadata_of_ourselves(site)):
        (site / "wrong.xml").write_bytes(content)
        assert federation("connect", str(site / "wrong.xml"), *arguments).code == 1
    assert federation("connect", str(site / "wrong.xml")).code == 2


def metadata_of_ourselves(site: Path) -> bytes:
    """A service provider that calls itself what we are called."""
    ourselves = replace(FakeSP(), origin="http://localhost:6543")
    return ourselves.metadata(datetime.now(UTC))


def test_expired_metadata_is_refused(site: Path, federation: Command, with_people: None) -> None:
    sp = FakeSP()
    document = sp.metadata(datetime.now(UTC) - timedelta(days=3), validity=timedelta(days=1))
    (site / "sp.xml").write_bytes(document)
    arguments = ("--name", "Intranet", "--audience", "Staff", "--release", "directory")
    done = federation("connect", str(site / "sp.xml"), *arguments, "--signer-fingerprint", sp.fingerprint)
    assert done.code == 1
    assert "valid_until" in done.err


def test_two_connections_cannot_have_one_name(site: Path, federation: Command, with_people: None) -> None:
    connect(site, federation)
    other = replace(FakeSP(), origin="http://localhost:6599")
    done = connect(site, federation, sp=other)
    assert done.code == 1
    assert "is the name of the connection to" in done.err


def test_the_provisioning_address_and_token_are_kept_sealed(site: Path, federation: Command, with_people: None) -> None:
    url = "http://localhost:6544/scim/v2"
    (site / "token").write_text("secret-token\n")
    assert connect(site, federation, "--scim-url", url, "--scim-token-file", str(site / "token")).code == 0
    assert b"secret-token" not in (site / "idp.sqlite").read_bytes()
    installation = opened(site)
    with installation.sessions() as session:
        connection = connections.find(session, "intranet")
        assert connection.provisioning_token is not None
        plain = installation.secret_box.decrypt(
            connection.provisioning_token, context=connections.token_context(connection)
        )
    installation.engine.dispose()
    assert plain == "secret-token"
    assert json.loads(federation("connections", "Intranet", "--json").out)["provisioning_url"] == url


@pytest.mark.parametrize("url", ["http://elsewhere.example/scim", "https://a.example/scim?x=1", "ftp://a.example", "x"])
def test_an_address_that_is_not_safe_is_refused(site: Path, federation: Command, with_people: None, url: str) -> None:
    connect(site, federation)
    done = federation("provision-to", "Intranet", "--url", url, "--token-file", "-", stdin="token")
    assert done.code == 1
    assert "SCIM address" in done.err


def test_address_and_token_belong_together(site: Path, federation: Command, with_people: None) -> None:
    assert connect(site, federation, "--scim-url", "http://localhost:6544/scim/v2").code == 2


def test_a_connection_is_paused_resumed_and_ended(site: Path, federation: Command, with_people: None) -> None:
    connect(site, federation)
    assert federation("pause", "Intranet").out == "Intranet is paused.\n"
    assert "paused" in federation("connections").out
    assert federation("resume", "Intranet").out == "Intranet is active.\n"
    ended = federation("disconnect", "Intranet", "--accounts", "keep", "--confirm", "Intranet")
    assert ended.out == "Intranet is disconnected: 0 accounts at Intranet stay as they are.\n"
    assert json.loads(federation("connections", "--json").out) == []
    done = federation("resume", "Intranet")
    assert (done.code, "connect it again" in done.err) == (1, True)
    assert connect(site, federation).code == 0


def test_a_connection_is_ended_by_who_types_which_one(site: Path, federation: Command, with_people: None) -> None:
    token = site / "token"
    token.write_text("secret\n")
    connect(site, federation, "--scim-url", "http://localhost:6544/scim/v2", "--scim-token-file", str(token))
    assert federation("disconnect", "Intranet", "--confirm", "Intranet").code == 2, "nobody's accounts by default"
    done = federation("disconnect", "Intranet", "--accounts", "suspend", "--dry-run", "--json")
    entity_id = FakeSP().entity_id
    assert json.loads(done.out) == {
        "name": "Intranet",
        "entity_id": entity_id,
        "state": "active",
        "choice": "suspend",
        "possible": ["keep", "suspend", "delete"],
        "accounts": 0,
        "active": 0,
        "groups": 0,
        "people_lately": 0,
    }
    wrong = federation("disconnect", "Intranet", "--accounts", "delete", "--confirm", "Intra")
    assert (wrong.code, f"type {entity_id} to confirm" in wrong.err) == (1, True)
    wrong = federation("disconnect", "Intranet", "--accounts", "delete", stdin="yes\n")
    assert (wrong.code, "0 accounts at Intranet will be deleted" in wrong.err) == (1, True)
    assert "everything is kept" in wrong.err
    assert json.loads(federation("connections", "Intranet", "--json").out)["state"] == "active"
    done = federation("disconnect", "Intranet", "--accounts", "suspend", "--json", stdin=f"{entity_id}\n")
    assert (done.code, json.loads(done.out)["state"]) == (0, "disconnecting")
    assert "disconnecting" in federation("connections").out
    assert federation("resume", "Intranet").code == 1
    assert federation("enable").code == 0
    assert federation("worker", "--once").code == 0
    shown = json.loads(federation("connections", "Intranet", "--json").out)
    assert (shown["state"], shown["ending"], shown["provisioning_url"]) == ("disconnected", "suspend", None)
    again = federation("disconnect", "Intranet", "--accounts", "keep", "--confirm", "Intranet")
    assert (again.code, "was disconnected before" in again.err) == (1, True)


def test_one_connection_is_shown_in_full(site: Path, federation: Command, with_people: None) -> None:
    connect(site, federation)
    shown = federation("connections", "Intranet").out
    assert "audiences: Staff" in shown
    assert "release: directory" in shown
    assert f"fingerprints: {FakeSP().fingerprint}" in shown
    assert federation("connections", "Nowhere").code == 1


def test_the_identifiers_of_a_person_are_listed_for_each_connection(
    site: Path, federation: Command, with_people: None
) -> None:
    connect(site, federation)
    found = json.loads(federation("identifiers", "alice", "--json").out)
    assert found["Intranet"].endswith("@example.org")
    assert found["Intranet"] in federation("identifiers", "alice").out


def test_the_switch_of_the_command_is_the_switch_of_the_site(site: Path, federation: Command) -> None:
    federation("enable")
    installation = opened(site)
    with installation.sessions() as session:
        assert switch.is_on(session)
    installation.engine.dispose()


def test_help_is_quick_because_nothing_heavy_is_imported(site: Path) -> None:
    heavy = "{'sqlalchemy', 'pyramid', 'lxml', 'pydantic', 'argon2'}"
    code = f"import sys, idp_app.cli; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_sessions_are_listed_and_ended_by_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock(datetime.now(UTC))
    idp = make_idp(tmp_path, clock=clock, logout_timeout=timedelta(seconds=1))
    (tmp_path / "idp.ini").write_text(INI)
    command = ["idp", "-c", str(tmp_path / "idp.ini")]
    endpoint = Endpoint(Binding.SOAP, "http://localhost:9/slo")
    dead = idp.connect(FakeSP("Dead", "http://localhost:9", options={"single_logout": [endpoint]}))
    browser = idp.sign_in("alice")
    dead.accept(browser.get(dead.redirect_url(clock())), idp.entity, clock())
    idp.sign_in("alice")
    assert run([*command, "sessions", "alice", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert sorted(each["sites"] for each in listed) == ["", "Dead"]
    [without] = [each["session"] for each in listed if not each["sites"]]
    assert run([*command, "end-sessions", "alice", "--session", without]) == 0
    assert "Sign out" in browser.get("/").text
    assert run([*command, "end-sessions", "alice"]) == 1
    assert "1 session of alice ended.\n  Dead: unreachable" in capsys.readouterr().out
    assert "Sign out" not in browser.get("/").text
    assert run([*command, "end-sessions", "alice"]) == 0
    assert "0 sessions" in capsys.readouterr().out
    idp.installation.engine.dispose()


def test_numbers_for_monitoring_are_printed_or_written_to_a_file(
    site: Path, federation: Command, with_people: None
) -> None:
    assert connect(site, federation).code == 0
    printed = federation("metrics")
    assert printed.code == 0, printed.err
    assert 'federation_key_expires_in_seconds{key="signing",state="in use",use="signing"}' in printed.out
    assert f'federation_partner_key_expires_in_seconds{{certificate="{FakeSP().fingerprint}"' in printed.out
    for line in ("federation_reviews_waiting 0.0", 'federation_key_warnings{level="warning"} 1.0'):
        assert line in printed.out.splitlines()
    assert "federation_provisioning_waiting" in printed.out
    path = site / "federation.prom"
    assert federation("metrics", "--file", str(path)).out == ""
    assert path.read_text().startswith("# HELP federation_key_expires_in_seconds")
    assert [each.name for each in site.iterdir() if "prom." in each.name] == []
    refused = federation("metrics", "--file", str(site / "no" / "such" / "folder"))
    assert (refused.code, refused.out) == (1, "")
    assert "cannot be written" in refused.err
