"""What must not be in the tree, and how long a module may be."""

from __future__ import annotations

import ast
import re

import pytest

from tests.house.repository import files, text

CODE = ("federation", "idp_app", "sp_app")
LONGEST_MODULE = 400
LONGEST_TEST = 600


def modules(*tops: str):
    return [path for path in files() if path.suffix == ".py" and path.parts[0] in tops]


def found(pattern: str, *, but: tuple[str, ...] = ()) -> list[str]:
    """Each place where the pattern stands in the tree: `file:line: text`."""
    return [
        f"{path}:{number}: {line.strip()[:100]}"
        for path in files()
        if str(path) not in but and path.parts[0] not in but
        for number, line in enumerate((text(path) or "").splitlines(), 1)
        if re.search(pattern, line)
    ]


@pytest.mark.parametrize(("tops", "limit"), [(CODE, LONGEST_MODULE), (("tests",), LONGEST_TEST)])
def test_no_module_is_too_long_for_one_subject(tops, limit):
    lengths = {str(path): len((text(path) or "").splitlines()) for path in modules(*tops)}
    assert {path: length for path, length in lengths.items() if length > limit} == {}


def test_every_module_says_what_it_is_for():
    sources = {path: text(path) or "" for path in modules(*CODE) if "versions" not in path.parts}
    silent = [str(path) for path, source in sources.items() if source and not ast.get_docstring(ast.parse(source))]
    assert silent == []


def test_no_path_of_one_machine_is_in_the_tree():
    assert found(r"(?<![\w.$}])/(?:work|farm|root|home/\w+)/(?!\$)") == []


def test_no_package_registry_is_named_in_the_tree():
    hosts = ["py" + r"pi\.org", "python" + r"hosted\.org", "regis" + r"try\.npmjs", "deb" + r"\.debian\.org"]
    assert found("|".join(hosts)) == []


def test_no_private_key_is_in_the_tree():
    assert found("BEGIN [A-Z ]*PRIVATE" + " KEY") == []
    assert [str(path) for path in files() if path.suffix in {".pem", ".key", ".sqlite", ".p12"}] == []


def test_nothing_is_left_for_later():
    words = "TO" + "DO|FIX" + "ME|XX" + "X\\b|NotImplemented" + "Error"
    assert found(rf"\b(?:{words})", but=("pyproject.toml",)) == []


def test_every_exception_from_the_linter_says_why():
    """A code alone (`noqa: S105`) names the rule, not the reason. mypy's codes are required by its own settings."""
    assert found(r"#\s*noqa(?::\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*)?\s*$") == []
