"""Checks: one rule, one named function, one clause, and a record of what it saw.

A profile is an ordered tuple of such functions. `run` walks it, keeps a `Check` for each, and raises `Refused` with the
whole list at the first that fails, so that a page, a log and the command line can all show the same object.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import NamedTuple, ParamSpec, TypeVar

from federation.errors import Malformed, Refused

P = ParamSpec("P")
T = TypeVar("T")
_new = tuple.__new__
MAX_TEXT = 300
"""Characters kept of each side of a check: a partner decides how long its values are."""


class Check(NamedTuple):
    """What one rule expected and what it received.

    `rule` is a dotted short name that is stable across releases, `reference` the clause or profile id. `expected` and
    `received` are short texts for an administrator; secret or personal values are masked by the rule itself.
    """

    rule: str
    reference: str
    expected: str
    received: str
    ok: bool


class Seen(NamedTuple):
    """What a rule function answers: the verdict, and both sides in words."""

    ok: bool
    expected: str
    received: str


def rule(name: str, reference: str) -> Callable[[Callable[P, Seen]], Callable[P, Check]]:
    """Make a function that answers `Seen` into a named rule that answers a `Check`.

    The rule carries its name and clause as attributes `rule` and `reference`, for lists of what is checked.
    """

    def decorate(function: Callable[P, Seen]) -> Callable[P, Check]:
        @wraps(function)
        def named(*args: P.args, **kwargs: P.kwargs) -> Check:
            ok, expected, received = function(*args, **kwargs)
            # As Check(...) does it, without a detour: a login makes some fifty of these.
            return _new(Check, (name, reference, expected[:MAX_TEXT], received[:MAX_TEXT], ok))

        named.__dict__.update(rule=name, reference=reference)
        return named

    return decorate


def run(
    rules: Sequence[Callable[P, Check]], before: Sequence[Check], *args: P.args, **kwargs: P.kwargs
) -> tuple[Check, ...]:
    """Run the rules in order and answer `before` plus every check made.

    Raises `Refused`, which carries all checks so far, at the first that fails.
    """
    checks = list(before)
    for check in rules:
        checks.append(check(*args, **kwargs))
        if not checks[-1].ok:
            raise Refused(checks)
    return tuple(checks)


def attempt(before: Sequence[Check], reference: str, step: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Take a step that may find its input malformed, and answer what it answers.

    Raises `Refused` then, with the checks made `before` and a last one that names the broken rule, so that a refusal
    for form is shown like every other.
    """
    try:
        return step(*args, **kwargs)
    except Malformed as error:
        failed = Check(
            error.rule,
            reference,
            expected="the form that the standard gives",
            received=error.reason[:MAX_TEXT],
            ok=False,
        )
        raise Refused([*before, failed]) from None
