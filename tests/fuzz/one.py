"""One target under atheris, in a process of its own: `python -m tests.fuzz.one NAME LIBFUZZER_ARGUMENTS`.

NAME is a target's, or `module:function` for one from elsewhere.
"""

from __future__ import annotations

import importlib
import sys

import atheris

with atheris.instrument_imports(include=["federation"]):
    from tests.fuzz.targets import TARGETS, Target, tried


def target_of(name: str) -> Target:
    """The function that is meant."""
    module, _, function = name.partition(":")
    found: Target = getattr(importlib.import_module(module), function) if function else TARGETS[name]
    return found


def main(arguments: list[str]) -> None:
    """Fuzz until libFuzzer has had enough; it ends the process."""
    target = target_of(arguments[1])
    atheris.Setup([arguments[0], *arguments[2:]], lambda octets: tried(target, octets))
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv)
