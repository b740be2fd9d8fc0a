"""What the two commands install: exact versions, by hash, from wherever the machine gets its packages."""

from __future__ import annotations

import re
from importlib.metadata import requires

import pytest
import xmlsec
from lxml import etree

from tests.house.repository import ROOT

LOCKS = ("requirements.lock", "requirements-test.lock")


def pins(lock: str) -> dict[str, set[str]]:
    """Name to versions (a package may differ by Python version)."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"(?m)^([a-z0-9-]+)(?:\[[a-z0-9,-]+\])?==([^ ;\\]+)", (ROOT / lock).read_text()):
        found.setdefault(name, set()).add(version)
    return found


def wanted(extra: str | None) -> set[str]:
    """Names that setup.py asks for, of the run or of an extra."""
    lines = [line for line in requires("saml-federation") or [] if ("extra ==" in line) == (extra is not None)]
    lines = [line for line in lines if extra is None or re.search(rf"extra == ['\"]{extra}['\"]", line)]
    return {re.match(r"[\w.-]+", line)[0].lower().replace("_", "-").replace(".", "-") for line in lines}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_index_and_no_host(lock):
    text = (ROOT / lock).read_text()
    assert re.findall(r"(?m)^--(?!only-binary).*|.*://.*", text) == []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_in_a_lock_has_hashes(lock):
    blocks = re.split(r"(?m)^(?=[a-z0-9-]+(?:\[[a-z0-9,-]+\])?==)", (ROOT / lock).read_text())[1:]
    assert [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block] == []


def test_the_test_lock_holds_the_run_lock_in_the_same_versions():
    run, test = pins("requirements.lock"), pins("requirements-test.lock")
    assert {name: test.get(name) for name in run} == run


def test_what_setup_asks_for_is_in_the_locks():
    assert wanted(None) | wanted("build") <= set(pins("requirements.lock"))
    assert wanted("test") <= set(pins("requirements-test.lock"))


def test_what_is_tested_is_what_the_lock_names():
    from importlib.metadata import version

    pinned = pins("requirements.lock")
    differing = {name: version(name) for name in wanted(None) if version(name) not in pinned[name]}
    assert differing == {}


def test_lxml_and_xmlsec_share_a_libxml2():
    """Trees pass from one to the other in memory: two different libraries would crash, or read them differently."""
    assert etree.LIBXML_VERSION == etree.LIBXML_COMPILED_VERSION
    assert xmlsec.get_libxml_version() == xmlsec.get_libxml_compiled_version() == etree.LIBXML_VERSION


@pytest.mark.parametrize("lock", LOCKS)
def test_the_pair_is_installed_from_wheels_alone(lock):
    """Built on this machine, each would link to whatever libxml2 it finds."""
    assert {"--only-binary lxml", "--only-binary xmlsec"} <= set((ROOT / lock).read_text().splitlines())
