"""`federation idp|sp invite …`, `accept-invitation`, `keys …` and the workers: their words, JSON and exit codes."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from federation.cli.main import run
from federation.storage.secrets import generate_key
from idp_app.services import connections
from tests.factories import key_pair
from tests.idp_factories import FakeSP, make_idp
from tests.sp_factories import make_site
from tests.strangers import Two, strangers

SPEED = {"password_memory_kib": "8", "password_time_cost": "1", "password_parallelism": "1"}


@dataclass
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> object:
        return json.loads(self.out)


@dataclass
class Commands:
    """`federation APP -c INI …` on one site."""

    app: str
    ini: Path
    capsys: pytest.CaptureFixture[str]
    settings: dict[str, str] = field(default_factory=dict)

    def write(self, **settings: str) -> Commands:
        self.settings.update(settings)
        lines = [f"{self.app}.{name} = {value}" for name, value in self.settings.items()]
        section = "[app:main]" if self.app == "idp" else "[app:sp]"
        self.ini.write_text("\n".join([section, f"use = egg:saml-federation#{self.app}", *lines, ""]))
        return self

    def __call__(self, *arguments: str) -> Done:
        self.capsys.readouterr()
        try:
            code, end = run([self.app, "-c", str(self.ini), *arguments]), ""
        except SystemExit as error:  # an application that cannot start ends the process with one sentence
            code, end = 1, str(error)
        said = self.capsys.readouterr()
        return Done(code, said.out, said.err + end)


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    """The service provider's worker listens to signals; the tests go on without it."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


def idp_commands(folder: Path, url: str, capsys: pytest.CaptureFixture[str]) -> Commands:
    return Commands("idp", folder / "idp.ini", capsys).write(
        public_url=url,
        allow_http_loopback="true",
        scope="example.org",
        database_url=f"sqlite:///{folder}/idp.sqlite",
        keys_directory=str(folder / "keys"),
        **SPEED,
    )


def sp_commands(folder: Path, url: str, capsys: pytest.CaptureFixture[str]) -> Commands:
    return Commands("sp", folder / "sp.ini", capsys).write(
        public_url=url,
        site_name="Intranet",
        allow_http_loopback="true",
        database_url=f"sqlite:///{folder}/site.sqlite",
        keys_directory=str(folder / "keys"),
    )


# Invitations ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    """Strangers whose clocks go right: commands have no other."""
    with strangers(tmp_path) as both:
        both.idp.clock.now = both.sp.clock.now = datetime.now(UTC)
        yield both


def test_an_invitation_from_its_link_to_the_connection(
    two: Two, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    idp = idp_commands(tmp_path / "idp", two.idp.installation.settings.public_url, capsys)
    sp = sp_commands(tmp_path / "sp", two.sp.origin, capsys)
    create = ("invite", "create", "Intranet", "--release", "directory")
    assert idp(*create).code == 2
    assert idp(*create, "--audience", "Staff", "--days", "31").code == 2
    assert (idp(*create, "--audience", "Nobody").code, idp("invite", "list", "--json").json) == (1, [])
    assert idp("invite", "create", "Intranet", "--release", "all", "--audience", "Staff").code == 1
    made = idp(*create, "--audience", "Staff")
    link = made.out.strip()
    assert (made.code, urlsplit(link).query.startswith("key=")) == (0, True)
    (listed,) = idp("invite", "list", "--json").json
    assert (listed["name"], listed["state"], listed["fingerprint"]) == ("Intranet", "open", None)
    assert link.partition("?")[0].rpartition("/")[2] not in idp("invite", "list", "--json").out
    early = idp("invite", "confirm", "Intranet")
    assert (early.code, "nobody has taken up" in early.err) == (1, True)

    wrong = sp("accept-invitation", "--yes", link[:-4] + "0000")
    assert (wrong.code, "not signed by the key" in wrong.err) == (1, True)
    assert sp("accept-invitation", "--yes", "nonsense").code == 1
    assert sp("accept-invitation", "--no", link).code == 2
    assert sp("accept-invitation").code == 0
    begun = sp("accept-invitation", "--yes", link)
    own = two.sp.provider.keys.fingerprint
    assert (begun.code, own in begun.out, "when its administrator has confirmed too" in begun.out) == (0, True, True)
    assert sp("worker", "--once").code == 0
    assert two.connections() == (0, 0)

    (listed,) = idp("invite", "list", "--json").json
    assert (listed["state"], listed["fingerprint"]) == ("waiting for you", own)
    other = idp("invite", "confirm", "Intranet", "--fingerprint", two.idp.installation.keys.fingerprint)
    assert (other.code, own in other.err) == (1, True)
    assert idp("invite", "confirm", "Intranet", "--fingerprint", "nonsense").code == 1
    confirmed = idp("invite", "confirm", "Intranet", "--fingerprint", own)
    assert (confirmed.code, confirmed.out) == (0, f"Connected Intranet ({two.sp.provider.entity_id}).\n")
    worked = sp("worker", "--once")
    assert (worked.code, "is connected by its invitation." in worked.out) == (0, True)
    assert two.connections() == (1, 1)

    used = idp("invite", "void", "Intranet")
    assert (used.code, "disconnect the connection instead" in used.err) == (1, True)
    assert idp("invite", "void", "Unknown").code == 1
    idp("invite", "create", "Later", "--release", "directory", "--audience", "Staff")
    assert idp("invite", "void", "Later").out == "The invitation Later is void.\n"
    assert idp("invite", "void", "Later").out == "The invitation Later is void already.\n"
    assert [each["state"] for each in idp("invite", "list", "--json").json] == ["void", "connected"]


# Keys -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("app", ["idp", "sp"])
def test_a_key_from_its_making_to_its_end(app: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if app == "idp":
        idp = make_idp(tmp_path)
        idp.connect(FakeSP())
        partner, commands = FakeSP().entity_id, idp_commands(tmp_path, "http://localhost:6543", capsys)
        idp.installation.engine.dispose()
    else:
        site = make_site(tmp_path)
        partner, commands = site.idp.entity_id, sp_commands(tmp_path, "https://intranet.example.org", capsys)
        site.provider.engine.dispose()
    listed = {each["name"]: each["state"] for each in commands("keys", "list", "--json").json}
    assert listed["signing"] == listed["encryption"] == "in use"
    assert commands("keys", "prepare", "something").code == 2
    prepared = commands("keys", "prepare", "signing")
    name = prepared.out.split()[1].rstrip(",")
    assert (prepared.code, prepared.out.endswith(f"keys publish {name}\n")) == (0, True)
    assert commands("keys", "publish", "unknown").code == 1
    assert commands("keys", "promote", name).code == 1, "it is not published"
    assert commands("keys", "publish", name).code == 0

    found = commands("keys", "status", "--json")
    lagging = {each["name"]: [one["entity_id"] for one in each["laggards"]] for each in found.json["keys"]}
    assert (found.code, found.json["level"], lagging[name]) == (3, "warning", [partner])
    told = commands("keys", "status", "--text")
    assert (told.code, "load this metadata again" in told.out) == (3, True)
    early = commands("keys", "promote", name)
    assert (early.code, "nothing shows yet" in early.err) == (1, True)
    assert commands("keys", "promote", name, "--on", "soon").code == 2
    assert commands("keys", "promote", name, "--share", "101").code == 2
    assert commands("keys", "confirm", "https://nobody.example.org").code == 1
    assert commands("keys", "confirm", partner).code == 0
    assert commands("keys", "promote", name, "--on", "2026-01-01").out == f"The worker promotes {name}.\n"
    assert commands("worker", "--once").code == 0
    listed = {each["name"]: each["state"] for each in commands("keys", "list", "--json").json}
    assert (listed[name], listed["signing"]) == ("in use", "published")
    assert commands("keys", "retire", name).code == 1, "it is in use"
    assert commands("keys", "retire", "signing").out == "signing is gone.\n"
    assert not (tmp_path / "keys" / "signing.key.pem").exists()

    assert commands("keys", "seal").code == 1, "without a secret"
    commands.write(keys_secret=generate_key())
    assert commands("keys", "seal").out.startswith("Sealed ")
    assert commands("keys", "seal").out == "All are sealed.\n"
    assert (commands("keys", "status").code, commands("keys", "status").out) == (0, "Nothing is to be done.\n")
    commands.write(keys_secret=generate_key())
    other = commands("keys", "status")
    assert (other.code, "sealed with another key" in other.err) == (1, True)


def expiring(days: float) -> bytes:
    """A certificate (DER) that expires in so many days from now."""
    private, _ = key_pair("other-sp")
    key = serialization.load_pem_private_key(private, None)
    name, now = x509.Name([]), datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=400)).not_valid_after(now + timedelta(days=days))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def test_the_exit_code_warns_60_30_14_7_and_1_days_before_a_partners_key_expires(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    idp = make_idp(tmp_path)
    commands = idp_commands(tmp_path, "http://localhost:6543", capsys).write(keys_secret=generate_key())
    assert commands("keys", "seal").code == 0
    for days, code, within in (
        (61, 0, None),
        (59.9, 3, "60 days"),
        (29.9, 3, "30 days"),
        (13.9, 3, "14 days"),
        (6.9, 4, "7 days"),
        (0.9, 4, "a day"),
        (-1, 4, None),
    ):
        partner = FakeSP("Learning", "http://localhost:6545", key_name="other-sp", encrypts=False)
        partner = replace(partner, options={"signing_certificates": [expiring(days)]})
        with idp.work() as session:
            for known in connections.every(session):
                session.delete(known)
        idp.connect(partner)
        found = commands("keys", "status")
        assert found.code == code, days
        assert within is None or f"The signing certificate of Learning expires within {within}" in found.out
        assert (days < 0) == ("expired on" in found.out)
        assert ("Nothing is to be done" in found.out) == (code == 0)
    idp.installation.engine.dispose()
