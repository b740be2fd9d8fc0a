"""How a page looks and whether everybody can use it: screenshots, axe, and room at 400 % zoom."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page

from tests.demo_sites import ROOT

SCREENSHOTS = ROOT / "var/screenshots"
"""Git-ignored; kept after the run, to be looked at."""

WCAG_2_2_AA = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]


@dataclass(frozen=True)
class Look:
    """One way in which a page can be shown."""

    name: str
    width: int = 1280
    height: int = 800
    color_scheme: str = "light"

    @property
    def options(self) -> dict[str, object]:
        """The browser context's options for this look."""
        return {
            "viewport": {"width": self.width, "height": self.height},
            "color_scheme": self.color_scheme,
            "reduced_motion": "reduce",
        }


LOOKS = (
    Look("light"),
    Look("dark", color_scheme="dark"),
    # A window of 1280 x 1024 CSS pixels at 400 % zoom (WCAG 1.4.10, Reflow).
    Look("zoomed", width=320, height=256),
)


def photograph(page: Page, folder: str, name: str) -> Path:
    """Keep a picture of the whole page."""
    path = SCREENSHOTS / folder / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=path, full_page=True)
    return path


def barriers(page: Page) -> list[str]:
    """What keeps somebody from using the page: axe's findings for WCAG 2.2 AA, and scrolling in two directions."""
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": WCAG_2_2_AA}, "resultTypes": ["violations"]})
    barriers = [
        f"{violation['id']}: {violation['help']}: {[node['target'] for node in violation['nodes']]}"
        for violation in found.response["violations"]
    ]
    wide = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    if wide[0] > wide[1]:
        barriers.append(f"reflow: the page is {wide[0]} px wide in a window of {wide[1]} px (WCAG 1.4.10)")
    return barriers
