# ruff: noqa: E501 — one icon, one line of path data
"""Icons as inline SVG: nothing to fetch, in the colour of the text beside them, and silent to a screen reader."""

from __future__ import annotations

from functools import cache
from typing import Final

from markupsafe import Markup

_PATHS: Final = {
    "check": "M5 12.5l4.5 4.5L19 7.5",
    "cross": "M6 6l12 12M18 6L6 18",
    "alert": "M12 4L2.8 19.5h18.4L12 4zM12 10v4.5M12 17v.1",
    "info": "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 11v5.5M12 7.6v.1",
    "lock": "M6 11h12v9.5H6zM8.5 11V7.5a3.5 3.5 0 0 1 7 0V11",
    "shield": "M12 3l7.5 2.8v5.7c0 4.6-3.1 7.9-7.5 9.5-4.4-1.6-7.5-4.9-7.5-9.5V5.8L12 3z",
    "person": "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 20.5c.8-3.8 4-6 8-6s7.2 2.2 8 6",
    "people": "M9 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 19.5c.6-3.3 3.2-5 6.5-5s5.9 1.7 6.5 5M15.5 4.8a3.5 3.5 0 0 1 0 6.4M17.5 14.8c2.2.7 3.6 2.3 4 4.7",
    "link": "M10 14a4 4 0 0 0 5.7 0l3.2-3.2a4 4 0 0 0-5.7-5.7l-1.4 1.4M14 10a4 4 0 0 0-5.7 0l-3.2 3.2a4 4 0 0 0 5.7 5.7l1.4-1.4",
    "key": "M8 19a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM11.3 11.4L20 3M16.5 6.4l3 3",
    "arrow": "M5 12h14M13 6l6 6-6 6",
    "back": "M19 12H5M11 6l-6 6 6 6",
    "out": "M14 4h6v6M20 4l-9 9M17 14v6H4V7h6",
    "sync": "M20 11a8 8 0 0 0-14.3-4M4 4v4h4M4 13a8 8 0 0 0 14.3 4M20 20v-4h-4",
    "list": "M4 6h16M4 12h16M4 18h10",
    "gear": "M4 7h9M17 7h3M4 17h3M11 17h9M15 9.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM9 19.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z",
    "plus": "M12 5v14M5 12h14",
    "clock": "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5.2l3.4 2",
    "home": "M4 11l8-7 8 7v9.5h-5.5V14h-5v6.5H4V11z",
    "document": "M6 3h8l4.5 4.5V21H6V3zM13.5 3v5h5M9 12.5h6.5M9 16.5h6.5",
}


@cache
def icon(name: str) -> Markup:
    """The named icon, 24 by 24 in its own units and one em and a quarter on the page."""
    return Markup(
        '<svg class="icon" viewBox="0 0 24 24" width="20" height="20" fill="none" stroke="currentColor" stroke-width="1.75"'
        ' stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false"><path d="{}"/></svg>'
    ).format(_PATHS[name])
