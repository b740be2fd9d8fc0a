"""Ask everybody about thousands of messages and print the differences: `python -m tests.differential [--record]`."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor

from tests import factories
from tests.differential import requests
from tests.differential.comparing import RECORDED, Comparison, compare, recorded
from tests.differential.kinds import Message, changed, said
from tests.interop.pysaml2_party import now

PARTS = {"some changed": 4, "many changed": 32, "more changed": 32}
ASKED_ROUNDS = 4
"""Rounds of changes in each part, and in `asked`, which is about requests. `make test` asks about some."""


def part(name: str) -> Comparison:
    """Compare one part."""
    instant = now()
    messages: Iterable[Message]
    match name:
        case "said":
            messages = said(instant)
        case "asked":
            messages = [*requests.asked(instant), *requests.changed(instant, ASKED_ROUNDS, name)]
        case _:
            messages = changed(instant, PARTS[name], name)
    return compare(messages, instant)


def main() -> int:
    """Compare, print, and record or check; answer the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.differential", description=__doc__)
    parser.add_argument("--record", action="store_true", help="write what is found into recorded.json")
    arguments = parser.parse_args()
    began = time.monotonic()
    factories.signing_key("idp")
    with ProcessPoolExecutor(2) as pool:
        names = ["said", "asked", *PARTS]
        comparisons = dict(zip(names, pool.map(part, names), strict=True))
    for name, comparison in comparisons.items():
        print(f"\n== {name}: {comparison.messages} messages, we accept {comparison.accepted.total()}")
        print("\n".join(comparison.table()))
    print(f"\n{sum(found.messages for found in comparisons.values())} messages in {time.monotonic() - began:.0f} s")
    found = {name: comparison.as_json() for name, comparison in comparisons.items()}
    if arguments.record:
        RECORDED.write_text(json.dumps(found, indent=2) + "\n")
    elif found != recorded():
        print("This is not what recorded.json says: look at each difference, then run with --record")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
