"""Where a person lands after signing in: always a path of this site, never an address that somebody else chose."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

MAX_LENGTH: Final = 2000
# Printable ASCII only: browsers drop tabs and newlines, read backslashes as slashes, and treat "//host" as an address.
_PATH: Final = re.compile(r"/(?![/\\])[!-~]*")


def is_safe(target: str) -> bool:
    """Whether a target is an absolute path of this site: what follows it in a Location header cannot leave the site."""
    if len(target) > MAX_LENGTH or not _PATH.fullmatch(target) or "\\" in target:
        return False
    parts = urlsplit(target)
    return not parts.scheme and not parts.netloc
