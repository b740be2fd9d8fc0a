"""Whatever is changed in a valid message: it is refused within the error tree, or it still means what was signed.

Deterministic: the same messages in every run, but for keys. `FEDERATION_TEST_EXAMPLES=20` makes twenty times as many.
"""

import os
import random
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from federation.errors import FederationError
from federation.saml.bindings import post
from tests.attacks import mutations
from tests.attacks.deliveries import Delivery, all_deliveries, named, read_response
from tests.attacks.mutations import DOCUMENTS, OCTETS, QUERIES, Choose, Octets

MORE = int(os.environ.get("FEDERATION_TEST_EXAMPLES", "1"))
NAMES = [delivery.name for delivery in all_deliveries()]
STEADY = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=60 * MORE,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


def alphabet(delivery: Delivery) -> tuple[Octets, ...]:
    """The changes that suit what a delivery carries."""
    return tuple(QUERIES if delivery.is_query else DOCUMENTS)


def verdict(delivery: Delivery, octets: bytes) -> str:
    """Refused, or accepted with the same meaning; anything else fails the test."""
    try:
        read = delivery.read(octets)
    except FederationError as error:
        return error.rule
    assert read == delivery.read(delivery.octets), f"{delivery.name} was read otherwise than it was signed"
    return "accepted"


@pytest.mark.parametrize("name", NAMES)
@STEADY
@given(data=st.data())
def test_no_combination_of_changes_is_accepted_with_another_meaning(name: str, data: st.DataObject) -> None:
    delivery = named(name)

    def choose(options):  # type: ignore[no-untyped-def]
        return data.draw(st.sampled_from(options))

    octets = delivery.octets
    for change in data.draw(st.lists(st.sampled_from(alphabet(delivery)), min_size=1, max_size=4)):
        octets = change(octets, choose)
    verdict(delivery, octets)


@pytest.mark.parametrize("name", NAMES)
def test_hundreds_of_single_changes_are_refused_or_mean_the_same(name: str) -> None:
    delivery = named(name)
    choose: Choose = random.Random(name).choice
    seen = Counter(
        verdict(delivery, change(delivery.octets, choose)) for change in alphabet(delivery) for _ in range(40 * MORE)
    )
    assert seen["accepted"] > 0, "some changes change nothing that was signed"
    assert len(seen) > 8, "and the others are refused for many reasons"


@pytest.mark.parametrize("name", [name for name in NAMES if "encrypted" not in name])
def test_every_octet_counts_or_does_not_matter(name: str) -> None:
    """One bit of every seventh octet: most make the message another one, the rest stand outside what is signed."""
    delivery = named(name)
    for position in range(0, len(delivery.octets), max(1, 7 // MORE)):
        bit = 1 << position % 8
        octets = delivery.octets
        verdict(delivery, octets[:position] + bytes([octets[position] ^ bit]) + octets[position + 1 :])


@STEADY
@given(data=st.data())
def test_noise_in_base64_is_white_space_or_a_refusal(data: st.DataObject) -> None:
    delivery = named("response: signed")

    def choose(options):  # type: ignore[no-untyped-def]
        return data.draw(st.sampled_from(options))

    text = mutations.noisy_base64(delivery.octets, choose)
    try:
        received = post.decode([("SAMLResponse", text), ("RelayState", data.draw(st.text(max_size=20)))])
    except FederationError:
        return
    verdict(delivery, received.xml)


@pytest.mark.parametrize("name", NAMES)
@seed(7)
@STEADY
@given(octets=st.one_of(st.binary(max_size=200), st.text(max_size=100).map(lambda text: f"<a>{text}</a>".encode())))
def test_what_is_no_message_at_all_is_refused_within_the_error_tree(name: str, octets: bytes) -> None:
    with pytest.raises(FederationError):
        named(name).read(octets)


def test_the_property_would_notice() -> None:
    """A receiver that reads the first NameID of whatever document verified somewhere fails the property."""
    genuine = named("response: assertion signed")

    def careless(octets: bytes) -> object:
        read_response(genuine.octets, whole=False)
        return b"mallory" in octets

    careless_delivery = Delivery("careless", genuine.octets, careless)
    choose: Choose = random.Random(1).choice
    evil = mutations.in_tree(mutations.evil_twin)
    forged = next(octets for octets in (evil(genuine.octets, choose) for _ in range(100)) if b"mallory" in octets)
    with pytest.raises(AssertionError, match="read otherwise"):
        verdict(careless_delivery, forged)


def test_every_kind_of_change_changes_something() -> None:
    delivery = named("response: both signed")
    choose: Choose = random.Random(3).choice
    for change in (*OCTETS, *map(mutations.in_tree, mutations.TREES)):
        assert any(change(delivery.octets, choose) != delivery.octets for _ in range(20)), change
