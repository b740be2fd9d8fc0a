"""Checks: one rule, one named function, one clause, and a record of what it saw.

A profile is an ordered tuple of such functions. `run` walks it, keeps a `Check` for each, and raises `Refused` with the
whole list at the first that fails, so that a page, a log and the command line can all show the same object.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, ParamSpec, Protocol, TypeVar, TypeVarTuple, cast

from federation.errors import Malformed, Refused

P = ParamSpec("P")
T = TypeVar("T")
Ts = TypeVarTuple("Ts")
_new = tuple.__new__
MAX_TEXT = 300
"""Characters kept of each side of a check: a partner decides how long its values are."""
_SHOWN = slice(MAX_TEXT)


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


Seen = tuple[bool, str, str]
"""What a rule answers: the verdict, and both sides in words, what was expected and what was received."""


class Rule(Protocol[*Ts]):
    """A function that judges one thing, and carries the name of its rule and the clause it comes from."""

    rule: str
    reference: str

    def __call__(self, *args: *Ts) -> Seen:
        """Judge."""


def rule(name: str, reference: str) -> Callable[[Callable[[*Ts], Seen]], Rule[*Ts]]:
    """Name a rule, and the clause it comes from: attributes `rule` and `reference` of the function that judges."""

    def label(function: Callable[[*Ts], Seen]) -> Rule[*Ts]:
        function.__dict__.update(rule=name, reference=reference)
        return cast("Rule[*Ts]", function)

    return label


def run(rules: Sequence[Rule[*Ts]], before: Sequence[Check], *args: *Ts) -> tuple[Check, ...]:
    """Run the rules in order and answer `before` plus a check of every rule that was run.

    Raises `Refused`, which carries all checks so far, at the first that fails.
    """
    checks = list(before)
    for each in rules:
        ok, expected, received = each(*args)
        # As Check(...) does it, without a detour: a login makes some fifty of these.
        checks.append(_new(Check, (each.rule, each.reference, expected[_SHOWN], received[_SHOWN], ok)))
        if not ok:
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
