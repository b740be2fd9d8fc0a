"""`python -m tests.conformance.page` writes docs/conformance.md from the ids and from the tests that carry them.

A test carries an id by `@pytest.mark.conformance("IIP-G01", ...)` on a function, a class or, as `pytestmark`, a module.
The sources are read, not run.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.conformance.ids import ALL, IIP, NOT_YET, SDP, Id

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "conformance.md"
LEVELS: Final = {"M": "must", "S": "should", "O": "may"}

INTRODUCTION: Final = """\
# Conformance

What this software proves of two profiles: the Kantara *SAML V2.0 Implementation Profile for Federation
Interoperability* 1.1 (IIP) and the *SAML V2.0 Deployment Profile for Federation Interoperability*, SAML2int (SDP).
Each line names the tests that carry the id; **open** means that no test carries it yet. Conformance is meant for sites
behind https; the demo's plain http on one machine is not.

This page is written by `python -m tests.conformance.page`, and a test fails when it is out of date.
"""


def proofs() -> dict[str, list[str]]:
    """Each id that a test carries, to the tests, as `path::name`."""
    found: dict[str, list[str]] = {}
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        source = file.read_text()
        if "conformance" not in source:
            continue
        place = file.relative_to(ROOT).as_posix()
        for name, ids in _carried(ast.parse(source)):
            for id_ in ids:
                found.setdefault(id_, []).append(f"{place}::{name}" if name else place)
    return found


def _carried(module: ast.Module) -> Iterator[tuple[str, list[str]]]:
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            for decorator in node.decorator_list:
                yield node.name, _ids(decorator)
    for statement in module.body:
        if isinstance(statement, ast.Assign) and getattr(statement.targets[0], "id", "") == "pytestmark":
            for node in ast.walk(statement.value):
                yield "", _ids(node)


def _ids(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.conformance":
        return [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
    return []


def open_musts() -> list[str]:
    """The musts that no test carries and that have no reason not to."""
    proven = proofs()
    excused = {id_ for ids in NOT_YET.values() for id_ in ids}
    return [entry.id for entry in ALL.values() if entry.level == "M" and entry.id not in proven.keys() | excused]


def render() -> str:
    """The whole page."""
    proven = proofs()
    parts = [INTRODUCTION]
    for title, table in (("Implementation profile", IIP), ("Deployment profile", SDP)):
        done = sum(entry.id in proven for entry in table)
        parts.append(f"## {title}\n\n{done} of {len(table)} ids are carried by tests.\n")
        parts.append("| id | level | role | subject | proof |\n| --- | --- | --- | --- | --- |")
        parts.append("\n".join(_row(entry, proven.get(entry.id, [])) for entry in table) + "\n")
    return "\n".join(parts)


def _row(entry: Id, tests: list[str]) -> str:
    reason = next((reason for reason, ids in NOT_YET.items() if entry.id in ids), None)
    proof = "<br>".join(f"`{test}`" for test in tests) or reason or "**open**"
    return f"| {entry.id} | {LEVELS[entry.level]} | {entry.role} | {entry.subject} | {proof} |"


if __name__ == "__main__":
    PAGE.write_text(render())
