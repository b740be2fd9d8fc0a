"""Every named check refuses its own attack, and without that check the attack gets through: no rule is a label."""

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from federation.errors import FederationError, Refused
from federation.saml import encryption, encryption_shape, signature, signature_shape
from federation.saml.checks import Check
from federation.saml.profiles import (
    sso_assertion_rules,
    sso_authn_rules,
    sso_request_rules,
    sso_response,
    sso_response_rules,
)
from tests import factories
from tests.attacks.catalogue import ENCRYPTION, RESPONSES, SIGNATURES, Attack, Rule
from tests.attacks.catalogue_requests import REQUESTS

FOR_THE_SP = (*RESPONSES, *SIGNATURES, *ENCRYPTION)
WITH_LISTS = (
    sso_response_rules,
    sso_assertion_rules,
    sso_authn_rules,
    sso_request_rules,
    signature_shape,
    encryption_shape,
)
MODULES = (*WITH_LISTS, sso_response, signature, encryption)


def receive(attack: Attack) -> object:
    message, expected = attack.message(), attack.expected()
    if attack in REQUESTS:
        assert not isinstance(message, bytes)
        return factories.accept_request(message, **expected)
    received = factories.posted(message) if isinstance(message, bytes) else message
    return sso_response.accept(received, factories.expectations(**expected))


def named(attack: Attack) -> str:
    return f"{attack.rule.__name__}: {attack.name}"


def allowing(*args: Any, **kwargs: Any) -> Check:
    """What stands in the place of a rule that is switched off."""
    return Check("off", "", "", "", ok=True)


def switch_off(rule: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in MODULES:
        for name, value in vars(module).items():
            if value is rule:
                monkeypatch.setattr(module, name, allowing)
            elif isinstance(value, tuple) and rule in value:
                monkeypatch.setattr(module, name, tuple(allowing if item is rule else item for item in value))


@pytest.mark.parametrize("attack", [*FOR_THE_SP, *REQUESTS], ids=named)
def test_the_attack_is_refused_by_its_check(attack: Attack) -> None:
    with pytest.raises(Refused) as caught:
        receive(attack)
    failed = [check.rule for check in caught.value.checks if not check.ok]
    assert failed == [caught.value.rule]
    assert caught.value.rule == attack.rule_name()


@pytest.mark.parametrize("attack", [*FOR_THE_SP, *REQUESTS], ids=named)
def test_without_the_check_the_attack_gets_through(attack: Attack, monkeypatch: pytest.MonkeyPatch) -> None:
    switch_off(attack.rule, monkeypatch)
    if attack.behind is None:
        assert receive(attack)
    else:
        with pytest.raises(FederationError) as caught:
            receive(attack)
        assert caught.value.rule == attack.behind


def rules_in(*modules: ModuleType) -> Iterator[Rule]:
    for module in modules:
        for value in vars(module).values():
            if isinstance(value, tuple):
                yield from (item for item in value if callable(item) and hasattr(item, "__wrapped__"))


def test_every_check_has_its_attack() -> None:
    rules = set(rules_in(*WITH_LISTS))
    assert len(rules) > 50
    assert rules <= {attack.rule for attack in (*FOR_THE_SP, *REQUESTS)}


def test_every_check_cites_its_clause() -> None:
    accepted = factories.accept_response(factories.response_xml(sign_assertion=True))
    assert all(check.reference.startswith(("SAML", "XML", "SDP", "IIP")) for check in accepted.checks)
