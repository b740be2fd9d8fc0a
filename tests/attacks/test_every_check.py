"""Every named check refuses its own attack, and without that check the attack gets through: no rule is a label.

A rule is what `federation.saml.checks.rule` made, in the toolkit and in both apps. Its attacks are in a module
`catalogue*.py` beside this one. Each has `ATTACKS`, and `judge`, which lets our own code decide on one of them: it
answers something, or raises.
"""

import importlib
import pkgutil
import sys
from collections.abc import Iterator
from functools import cache
from types import FunctionType, ModuleType
from typing import Any

import pytest

import federation
import idp_app
import sp_app
from federation.errors import FederationError, Refused
from federation.saml.checks import Rule, Seen, rule
from tests import attacks, factories
from tests.attacks.catalogue import Attack

CATALOGUES = [
    importlib.import_module(f"{attacks.__name__}.{found.name}")
    for found in pkgutil.iter_modules(attacks.__path__)
    if found.name.startswith("catalogue")
]
PACKAGES = (federation, idp_app, sp_app)
CLAUSES = ("RFC 7522", "SAML", "XML", "SDP", "IIP", "IDPDISC", "Metadata Query Protocol", "Connect by invitation")
CASES = [(catalogue, attack) for catalogue in CATALOGUES for attack in catalogue.ATTACKS]


def named(value: object) -> str:
    return f"{value.rule.__name__}: {value.name}" if isinstance(value, Attack) else str(vars(value)["__name__"])[-12:]


@cache
def every_module() -> tuple[ModuleType, ...]:
    """Every module of the toolkit and of the apps, but the steps of their migrations: those are no modules."""
    for package in PACKAGES:
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations" not in found.name and not found.name.endswith(".__main__"):
                importlib.import_module(found.name)
    roots = tuple(f"{package.__name__}." for package in PACKAGES)
    return tuple(module for name, module in list(sys.modules.items()) if name.startswith(roots))


def every_rule() -> Iterator[FunctionType]:
    """Every named rule, where it is defined."""
    for module in every_module():
        for value in vars(module).values():
            if isinstance(value, FunctionType) and hasattr(value, "rule") and value.__module__ == module.__name__:
                yield value


@rule("off", "")
def allowing(*args: Any, **kwargs: Any) -> Seen:
    """What stands in the place of a rule that is switched off."""
    return True, "", ""


def switch_off(rule: Rule[...], monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace a rule wherever it stands, by itself or in a list."""
    for module in every_module():
        for name, value in list(vars(module).items()):
            if value is rule:
                monkeypatch.setattr(module, name, allowing)
            elif isinstance(value, tuple) and any(item is rule for item in value):
                monkeypatch.setattr(module, name, tuple(allowing if item is rule else item for item in value))


@pytest.mark.parametrize(("catalogue", "attack"), CASES, ids=named)
def test_the_attack_is_refused_by_its_check(catalogue: Any, attack: Attack) -> None:
    with pytest.raises(Refused) as caught:
        catalogue.judge(attack)
    failed = [check.rule for check in caught.value.checks if not check.ok]
    assert failed == [caught.value.rule]
    assert caught.value.rule == attack.rule_name()


@pytest.mark.parametrize(("catalogue", "attack"), CASES, ids=named)
def test_without_the_check_the_attack_gets_through(
    catalogue: Any, attack: Attack, monkeypatch: pytest.MonkeyPatch
) -> None:
    switch_off(attack.rule, monkeypatch)
    if attack.behind is None:
        assert catalogue.judge(attack)
    else:
        with pytest.raises(Exception) as caught:
            catalogue.judge(attack)
        error = caught.value
        assert attack.behind == (error.rule if isinstance(error, FederationError) else type(error).__name__)


def test_every_check_has_its_attack() -> None:
    attacked = {attack.rule for _, attack in CASES}
    labels = [f"{rule.__module__}.{rule.__name__}" for rule in every_rule() if rule not in attacked]
    assert labels == [], "each of these rules needs an attack in one of tests/attacks/catalogue*.py"
    assert len(attacked) > 100


def test_every_check_cites_its_clause() -> None:
    uncited = [rule for rule in every_rule() if not vars(rule)["reference"].startswith(CLAUSES)]
    assert uncited == []
    accepted = factories.accept_response(factories.response_xml(sign_assertion=True))
    assert all(check.reference.startswith(CLAUSES) for check in accepted.checks)
