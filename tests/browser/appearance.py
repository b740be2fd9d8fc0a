"""How a page looks and whether everybody can use it: screenshots, axe, and room at 400 % zoom."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page

from tests.demo_sites import ROOT

SCREENSHOTS = ROOT / "var/screenshots"
"""Git-ignored; kept after the run, to be looked at."""

WCAG_2_2_AA = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]


@dataclass(frozen=True)
class Look:
    """One way in which a page can be shown. `rules` are axe's rules that can only be judged in it; None for all."""

    name: str
    width: int = 1280
    height: int = 800
    color_scheme: Literal["light", "dark"] = "light"
    rules: tuple[str, ...] | None = None


LOOKS = (
    Look("light"),
    Look("dark", color_scheme="dark", rules=("color-contrast", "link-in-text-block")),
    # A window of 1280 x 1024 CSS pixels at 400 % zoom (WCAG 1.4.10, Reflow).
    Look("zoomed", width=320, height=256, rules=("target-size", "scrollable-region-focusable")),
)


def examine(page: Page, name: str) -> list[str]:
    """Show the page in every look, keep a picture of each, and answer what keeps somebody from using it."""
    found: list[str] = []
    for look in LOOKS:
        page.emulate_media(color_scheme=look.color_scheme, reduced_motion="reduce")
        page.set_viewport_size({"width": look.width, "height": look.height})
        photograph(page, look.name, name)
        found += [f"{name}, {look.name}: {barrier}" for barrier in barriers(page, look)]
    return found


def photograph(page: Page, folder: str, name: str) -> Path:
    """Keep a picture of the whole page."""
    path = SCREENSHOTS / folder / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=path, full_page=True)
    return path


def barriers(page: Page, look: Look) -> list[str]:
    """axe's findings (WCAG 2.2 AA and its best practice), and whether the page scrolls in two directions."""
    only = {"type": "tag", "values": WCAG_2_2_AA} if look.rules is None else {"type": "rule", "values": look.rules}
    found = Axe().run(page, options={"runOnly": only, "resultTypes": ["violations"]})
    barriers = [
        f"{violation['id']}: {violation['help']}: {[node['target'] for node in violation['nodes']]}"
        for violation in found.response["violations"]
    ]
    wide, room = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    if wide > room:
        barriers.append(f"reflow: the page is {wide} px wide in a window of {room} px (WCAG 1.4.10)")
    return barriers
