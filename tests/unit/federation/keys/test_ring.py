"""The ring of a site's own keys: what is loaded, published and used in each state, and what is gone for good."""

from __future__ import annotations

import base64
from datetime import timedelta
from itertools import count
from pathlib import Path
from threading import Thread

import pytest

from federation.errors import ConfigurationError, PolicyRefusal
from federation.keys import index as indexes
from federation.keys.desk import Desk
from federation.keys.expiry import Level, Partner
from federation.keys.files import KeyFiles
from federation.keys.ring import Ring, create_missing
from federation.saml import certificates
from federation.storage.secrets import generate_key
from tests.factories import key_pair
from tests.sp_factories import NOW, write_keys

VALIDITY = timedelta(days=21)
OTHER = "https://other.example.org/saml"


@pytest.fixture(autouse=True)
def _quick_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Making RSA keys takes long; which they are does not matter here, as long as they differ."""
    numbers = count()
    generate = certificates.generate

    def quick(name: str, **more: object) -> tuple[bytes, bytes]:
        return key_pair(f"quick-{next(numbers)}") if name == "Intranet" else generate(name, **more)

    monkeypatch.setattr(certificates, "generate", quick)


def desk(folder: Path, *, days: float = 0, secrets: tuple[str, ...] = (), partners: tuple[Partner, ...] = ()) -> Desk:
    return Desk(
        ring=Ring(KeyFiles.of(folder, secrets)),
        partners=partners,
        now=NOW + timedelta(days=days),
        validity=VALIDITY,
        common_name="Intranet",
        metadata_url="https://intranet.example.org/saml/metadata",
        record=lambda _kind, _detail: None,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_keys(tmp_path / "keys")
    return tmp_path / "keys"


def test_missing_keys_are_made_for_our_eyes_only(tmp_path: Path) -> None:
    files = KeyFiles.of(tmp_path / "keys")
    made = create_missing(files, common_name="Intranet", now=NOW)
    assert made == ("signing.key.pem", "signing.crt.pem", "encryption.key.pem", "encryption.crt.pem")
    assert files.directory.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in files.directory.iterdir()} == {0o600}
    assert Ring(files).current().fingerprint.count(":") == 31
    before = {path: path.read_bytes() for path in files.directory.iterdir()}
    assert create_missing(files, common_name="Intranet", now=NOW) == ()
    assert {path: path.read_bytes() for path in files.directory.iterdir()} == before


def test_missing_or_open_keys_are_one_sentence(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "none").mkdir()
    with pytest.raises(ConfigurationError, match="missing: run the upgrade command first"):
        Ring(KeyFiles.of(tmp_path / "none")).current()
    (folder / "signing.key.pem").chmod(0o644)
    with pytest.raises(ConfigurationError, match="open to other users"):
        Ring(KeyFiles.of(folder)).current()


def test_keys_do_not_show_themselves(folder: Path) -> None:
    assert "PRIVATE" not in repr(Ring(KeyFiles.of(folder)).current())


def test_without_an_index_further_encryption_keys_stand_behind_the_first(tmp_path: Path) -> None:
    write_keys(tmp_path / "keys", "encryption-2027", "encryption-2025", "signing-2027")
    loaded = Ring(KeyFiles.of(tmp_path / "keys")).current()
    expected = [key_pair(f"sp-{name}") for name in ("encryption", "encryption-2025", "encryption-2027")]
    assert list(loaded.encryption_certificates) == [certificates.load_certificate(public) for _, public in expected]
    assert len(loaded.decryption) == 3
    assert len(loaded.signing_certificates) == 1, "a signing key that somebody put there is only prepared"


def test_a_signing_key_goes_through_its_states_and_other_processes_follow(folder: Path) -> None:
    here, elsewhere = desk(folder), Ring(KeyFiles.of(folder))
    old = elsewhere.current()
    made = here.prepare("signing")
    assert elsewhere.current().signing_certificates == old.signing_certificates, "prepared: nobody sees it"
    with pytest.raises(PolicyRefusal, match="publish it first"):
        here.promote(made.name)

    here.publish(made.name)
    published = elsewhere.current()
    assert published.signing.public_key == old.signing.public_key
    assert len(published.signing_certificates) == 2
    assert published.following is not None

    here.promote(made.name)
    promoted = elsewhere.current()
    assert promoted.signing.public_key == published.following.public_key
    assert set(promoted.signing_certificates) == set(published.signing_certificates), "what is on its way verifies"
    assert promoted.fingerprint == old.fingerprint, "who pinned the key of our metadata can still refresh"
    with pytest.raises(PolicyRefusal, match="promote another one first"):
        here.retire(made.name)

    here.retire("signing")
    retired = elsewhere.current()
    assert retired.signing_certificates == (promoted.certificate,)
    assert retired.metadata_signing.public_key == retired.signing.public_key
    assert not (folder / "signing.key.pem").exists()
    assert [row.state for row in here.status().rows if row.record.name == "signing"] == ["retired"]


def test_an_encryption_key_that_was_taken_over_from_opens_what_is_on_its_way_until_it_is_retired(folder: Path) -> None:
    here, ring = desk(folder), Ring(KeyFiles.of(folder))
    made = here.prepare("encryption")
    here.publish(made.name)
    assert len(ring.current().encryption_certificates) == len(ring.current().decryption) == 2
    here.promote(made.name)
    promoted = ring.current()
    assert promoted.encryption_certificates == (ring.files.certificate(made.name),), (
        "nobody new encrypts to the old one"
    )
    assert len(promoted.decryption) == 2

    with pytest.raises(PolicyRefusal, match="may hold a copy"):
        desk(folder, days=20).retire("encryption")
    desk(folder, days=21).retire("encryption")
    assert [key.public_key for key in ring.current().decryption] == [promoted.decryption[0].public_key]


def test_a_retired_key_never_comes_back_under_any_name(folder: Path) -> None:
    private, certificate = (folder / "encryption.key.pem").read_bytes(), (folder / "encryption.crt.pem").read_bytes()
    here = desk(folder)
    made = here.prepare("encryption")
    here.publish(made.name)
    here.promote(made.name)
    here.retire("encryption", at_once=True)
    for name in ("encryption", "encryption-restored"):
        for ending, content in (("key", private), ("crt", certificate)):
            (folder / f"{name}.{ending}.pem").write_bytes(content)
            (folder / f"{name}.{ending}.pem").chmod(0o600)
    ring = Ring(KeyFiles.of(folder))
    assert len(ring.current().decryption) == 1
    assert certificates.load_certificate(certificate) not in ring.current().encryption_certificates
    ring.sweep()
    assert not list(folder.glob("encryption.*")) + list(folder.glob("encryption-restored.*"))


def test_nobody_is_left_behind_unless_somebody_says_so(folder: Path) -> None:
    partners = (
        Partner("https://idp.example.org", "Example University", ("help@example.org",)),
        Partner(OTHER, "Other"),
    )
    here = desk(folder, partners=partners)
    name = here.prepare("signing").name
    here.publish(name)
    with pytest.raises(PolicyRefusal, match="Example University, Other"):
        here.promote(name)
    later = desk(folder, days=1, partners=partners)
    later.confirm(OTHER, "olga")
    row = next(each for each in later.status().rows if each.record.name == name)
    assert [each.name for each in row.laggards] == ["Example University"]
    assert row.record.fingerprint in later.text_to(row.laggards[0], row.record)
    with pytest.raises(PolicyRefusal, match="no connection"):
        later.confirm("https://nobody.example", "olga")

    later.plan(name, on=None, share=51)
    assert later.advance() == [], "half of them know it"
    later.plan(name, on=NOW + timedelta(days=2), share=None)
    assert later.advance() == []
    assert desk(folder, days=2, partners=partners).advance() == [name]


def test_every_copy_without_the_key_has_expired_after_our_own_validity(folder: Path) -> None:
    partners = (Partner(OTHER, "Other"),)
    name = desk(folder, partners=partners).prepare("signing").name
    desk(folder, partners=partners).publish(name)
    after = desk(folder, days=21, partners=partners)
    assert next(row.state for row in after.status().rows if row.record.name == name) == "seen"
    after.promote(name)
    assert after.ring.current().index.current("signing").name == name


def test_knowledge_only_grows() -> None:
    index = indexes.know(indexes.Index(), OTHER, NOW, "asked", NOW)
    assert indexes.know(index, OTHER, NOW - timedelta(days=1), "asked", NOW) is index
    assert indexes.from_json(indexes.to_json(index)) == index
    with pytest.raises(ConfigurationError, match="damaged"):
        indexes.from_json(b"{")


def test_sealed_files_open_with_the_secret_alone_and_with_an_older_one_until_they_are_sealed_again(
    folder: Path,
) -> None:
    first, second = generate_key(), generate_key()
    plain = Ring(KeyFiles.of(folder)).current()
    assert desk(folder).status().level is Level.WARNING
    assert len(desk(folder, secrets=(first,)).seal()) == 2
    assert desk(folder, secrets=(first,)).status().level is Level.GOOD
    assert b"PRIVATE" not in b"".join(path.read_bytes() for path in folder.iterdir())
    assert Ring(KeyFiles.of(folder, (first,))).current().signing.public_key == plain.signing.public_key
    for secrets in ((), (second,)):
        with pytest.raises(ConfigurationError, match="sealed"):
            Ring(KeyFiles.of(folder, secrets)).current()
    assert desk(folder, secrets=(second, first)).seal() == ["encryption.key.pem", "signing.key.pem"]
    assert desk(folder, secrets=(second, first)).seal() == []
    made = desk(folder, secrets=(second,)).prepare("signing")
    assert Ring(KeyFiles.of(folder, (second,))).files.is_sealed(f"{made.name}.key.pem")
    swapped = folder / "encryption.key.pem"
    swapped.write_bytes((folder / "signing.key.pem").read_bytes())
    with pytest.raises(ConfigurationError, match="belongs elsewhere"):
        Ring(KeyFiles.of(folder, (second,))).current()


def test_changes_of_many_at_once_are_all_kept(folder: Path) -> None:
    def note(number: int) -> None:
        Ring(KeyFiles.of(folder)).change(lambda index: indexes.know(index, f"{OTHER}{number}", NOW, "asked", NOW))

    threads = [Thread(target=note, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(Ring(KeyFiles.of(folder)).index().known) == 8


def test_a_key_that_is_not_what_the_index_says_is_not_used(folder: Path) -> None:
    ring = Ring(KeyFiles.of(folder))
    ring.change(lambda index: indexes.know(index, OTHER, NOW, "asked", NOW))
    for ending, content in zip(("key", "crt"), key_pair("stranger"), strict=True):
        (folder / f"signing.{ending}.pem").write_bytes(content)
    with pytest.raises(ConfigurationError, match="another key than"):
        Ring(KeyFiles.of(folder)).current()


@pytest.mark.parametrize(
    ("left", "days", "level"),
    [
        (61, None, Level.GOOD),
        (60, 60, Level.WARNING),
        (30, 30, Level.WARNING),
        (14, 14, Level.WARNING),
        (7, 7, Level.CRITICAL),
        (1, 1, Level.CRITICAL),
        (0, 0, Level.CRITICAL),
    ],
)
def test_an_expiry_is_announced_60_30_14_7_and_1_days_before(
    folder: Path, left: int, days: int | None, level: Level
) -> None:
    secret = generate_key()
    desk(folder, secrets=(secret,)).seal()
    _, public = key_pair("sp-signing")
    until = certificates.container_of(certificates.load_certificate(public)).not_after
    found = desk(folder, days=(until - NOW).total_seconds() / 86400 - left, secrets=(secret,)).status()
    about = [each.days for each in found.findings if each.about == "signing"]
    assert about == ([] if days is None else [days])
    assert max((each.level for each in found.findings if each.about == "signing"), default=Level.GOOD) is level


def test_the_secret_has_32_octets(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match="32 random bytes"):
        KeyFiles.of(folder, (base64.b64encode(b"short").decode(),))
