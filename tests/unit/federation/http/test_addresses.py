"""Which addresses the outgoing client may connect to."""

from __future__ import annotations

import ipaddress

import pytest

from federation.http import Policy

PRIVATE = (
    "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "255.255.255.255",
    "224.0.0.1", "192.0.2.1", "fc00::1", "fe80::1", "ff02::1", "::", "::ffff:10.0.0.1", "64:ff9b::a00:1",
    "2002:0a00:0001::1", "2001:db8::1",
)  # fmt: skip
LOOPBACK = ("127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1")
PUBLIC = ("93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34")


def allows(policy: Policy, text: str) -> bool:
    return policy.allows(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", PUBLIC)
def test_a_public_address_is_allowed(text: str) -> None:
    assert allows(Policy(), text)


@pytest.mark.parametrize("text", [*PRIVATE, *LOOPBACK])
def test_any_other_is_refused_however_it_is_written(text: str) -> None:
    assert not allows(Policy(), text)


@pytest.mark.parametrize("text", LOOPBACK)
def test_loopback_is_allowed_where_the_settings_say_so(text: str) -> None:
    assert allows(Policy(allow_loopback=True), text)


@pytest.mark.parametrize("text", PRIVATE)
def test_and_nothing_else_with_it(text: str) -> None:
    assert not allows(Policy(allow_loopback=True), text)


def test_a_private_network_is_allowed_by_name() -> None:
    policy = Policy(networks=(ipaddress.ip_network("10.1.0.0/16"), ipaddress.ip_network("fc00::/64")))
    assert allows(policy, "10.1.2.3")
    assert allows(policy, "::ffff:10.1.2.3")
    assert allows(policy, "fc00::1")
    assert not allows(policy, "10.2.0.1")


def test_a_private_network_does_not_bring_loopback_with_it() -> None:
    assert not allows(Policy(networks=(ipaddress.ip_network("0.0.0.0/0"),)), "127.0.0.1")
