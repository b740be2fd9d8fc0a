"""What is known of a person, under the catalogue's keys: as much of it as will be told."""

from __future__ import annotations

from types import SimpleNamespace

from federation.attributes.catalogue import CATALOGUE
from idp_app.services import release

ALICE = SimpleNamespace(
    username="alice", display_name="", given_name="Alice", family_name="Archer", mail="alice@example.org", department=""
)
SUBJECT = release.Subject(ALICE, "id-of-alice", ("board", "staff"), "https://sp.example", b"s" * 32, "Example.org")


def test_everything_that_is_known_has_its_key_and_nothing_else_has_a_value() -> None:
    known = release.values_of(SUBJECT, CATALOGUE)
    identifiers = {key: known.pop(key) for key in ("pairwise_id", "subject_id")}
    assert known == {
        "home_organization": ("example.org",),
        "username": ("alice",),
        "display_name": ("Alice Archer",),
        "given_name": ("Alice",),
        "family_name": ("Archer",),
        "mail": ("alice@example.org",),
        "department": ("",),
        "groups": ("board", "staff"),
    }
    secret, scope = SUBJECT.secret, SUBJECT.scope
    assert identifiers == {
        "pairwise_id": (release.pairwise_id("id-of-alice", "https://sp.example", secret=secret, scope=scope),),
        "subject_id": (release.subject_id("id-of-alice", secret=secret, scope=scope),),
    }


def test_what_will_not_be_told_is_not_even_computed() -> None:
    without_secret = SUBJECT._replace(secret=b"")  # with which no identifier can be made
    assert release.values_of(without_secret, ("mail", "telephone")) == {"mail": ("alice@example.org",)}
