"""Documents that roll."""

import hashlib
from datetime import timedelta

import pytest

from federation.saml.metadata import rolling
from tests.metadata_factories import NOW, rsa_key, sp_entity

KEY = rsa_key("ours")
VALIDITY = timedelta(days=14)


def own(now=NOW, **more):
    return rolling.own(sp_entity(**more), signing_key=KEY, now=now, validity=VALIDITY)


def test_our_own_document_is_the_same_within_a_period_and_rolls_on_after_it():
    first, same, later = (own(NOW + timedelta(minutes=minutes)) for minutes in (0, 59, 60))
    assert first == same
    assert first.valid_until == NOW + VALIDITY
    assert later.valid_until == NOW + VALIDITY + timedelta(hours=1)
    assert later.etag != first.etag


def test_it_changes_with_what_it_says():
    assert own().etag != own(entity_id="urn:other").etag


def test_a_document_is_made_once_for_each_period_and_content():
    shelf, made = rolling.Shelf(), []

    def make():
        made.append(1)
        return own()

    for made_of, minutes in (("a", 0), ("a", 59), ("b", 59), ("b", 60), ("b", 61)):
        shelf.current("own", made_of, NOW + timedelta(minutes=minutes), make)
    assert len(made) == 3


def test_each_coding_has_a_tag_of_its_own():
    body = b"<x/>"
    tag, compressed = rolling.entity_tag(body), rolling.entity_tag(body, "gzip")
    assert tag == f'"{hashlib.sha256(body).hexdigest()[:40]}"'
    assert compressed == tag[:-1] + '-gzip"'


@pytest.mark.parametrize(
    ("header", "current"),
    [
        ('"abc"', True),
        ('W/"abc"', True),
        ('"x", "abc"', True),
        ('"x",W/"abc" , "y"', True),
        ("*", True),
        ("", False),
        ("abc", False),
        ('"abcd"', False),
        ('"abc-gzip"', False),
    ],
)
def test_a_conditional_request_names_what_it_has(header, current):
    assert rolling.is_current(header, '"abc"') is current
