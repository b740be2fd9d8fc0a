"""The stylesheet: what can be read from it without a browser (tests/browser looks at the pages)."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

CSS = files("federation.web").joinpath("static/federation.css").read_text("utf-8")
SCHEMES = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)[:2]
LIGHT, DARK = (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", scheme)) for scheme in SCHEMES)

TEXT_ON = [
    ("ink", "paper"),
    ("ink", "surface"),
    ("ink", "sunken"),
    ("ink-soft", "paper"),
    ("ink-soft", "surface"),
    ("ink-soft", "sunken"),
    ("accent", "paper"),
    ("accent", "surface"),
    ("accent-ink", "accent"),
    ("accent-ink", "accent-strong"),
    ("accent-strong", "accent-wash"),
    ("bad", "surface"),
    ("bad", "paper"),
    *((tone, f"{tone}-wash") for tone in ("good", "waiting", "bad", "info")),
    *(("ink", f"{tone}-wash") for tone in ("good", "waiting", "bad", "info")),
]
EDGES_ON = [
    ("line-strong", "surface"),
    ("line-strong", "paper"),
    ("focus", "surface"),
    ("focus", "paper"),
    ("bad", "surface"),
]


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXT_ON)
def test_text_can_be_read(scheme: dict[str, str], text: str, ground: str) -> None:
    assert contrast(scheme[text], scheme[ground]) >= 4.5


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("edge", "ground"), EDGES_ON)
def test_edges_of_what_one_uses_can_be_seen(scheme: dict[str, str], edge: str, ground: str) -> None:
    assert contrast(scheme[edge], scheme[ground]) >= 3


def test_both_schemes_name_the_same_colours() -> None:
    assert LIGHT.keys() == DARK.keys()


def test_below_the_tokens_nothing_names_a_colour() -> None:
    rules = CSS[CSS.index("/* Elements") :]
    assert re.findall(r"#[0-9a-f]{6}\b|rgb\(", rules) == []


def test_nothing_comes_from_elsewhere() -> None:
    assert "url(" not in CSS
    assert "@import" not in CSS
