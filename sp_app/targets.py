"""Where a person lands after signing in: always a path of this site, never an address that somebody else chose."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final
from urllib.parse import quote, urlsplit

from federation.errors import PolicyRefusal

MAX_LENGTH: Final = 2000
# Printable ASCII only: browsers drop tabs and newlines, read backslashes as slashes, and treat "//host" as an address.
_PATH: Final = re.compile(r"/(?![/\\])[!-~]*")


NOT_SIGNED_IN: Final = "saml_signed_in=no"
"""What a page's query says after a sign-in in which nobody was to be asked came to nothing: it need not ask again."""


def is_marked(target: str) -> bool:
    """Whether a page's address says that."""
    return NOT_SIGNED_IN in urlsplit(target).query.split("&")


def marked(target: str) -> str:
    """The page's address, saying so."""
    if is_marked(target):
        return target
    page, hash_sign, fragment = target.partition("#")
    return f"{page}{'&' if '?' in page else '?'}{NOT_SIGNED_IN}{hash_sign}{fragment}"


def unmarked(target: str) -> str:
    """The page's address without it: whoever signs in for good comes to the page itself."""
    page, hash_sign, fragment = target.partition("#")
    path, _, query = page.partition("?")
    kept = "&".join(part for part in query.split("&") if part and part != NOT_SIGNED_IN)
    return f"{path}{'?' if kept else ''}{kept}{hash_sign}{fragment}" if is_marked(target) else target


def is_safe(target: str) -> bool:
    """Whether a target is an absolute path of this site: what follows it in a Location header cannot leave the site."""
    if len(target) > MAX_LENGTH or not _PATH.fullmatch(target) or "\\" in target:
        return False
    parts = urlsplit(target)
    return not parts.scheme and not parts.netloc


def safe_target(target: str | None, *, origin: str, endpoints: Collection[str], default: str) -> str:
    """The page that a link asked for, as a path of this site; `default` where it asked for none.

    Letters beyond ASCII are escaped as a browser would: who wrote the link may have escaped its page once too few. An
    absolute address of our own `origin` counts as its path (the Request Initiator protocol lets a link name one).
    The federation's own `endpoints` are no pages: a link to one of them could send a browser round in circles. Raises
    `PolicyRefusal` for a target that could lead away from this site.
    """
    if not target:
        return default
    path = target.removeprefix(origin) if target.startswith(f"{origin}/") else target
    path = "".join(quote(each) if each == " " or (each.isprintable() and not each.isascii()) else each for each in path)
    if not is_safe(path):
        raise PolicyRefusal("login.target", "the page to return to is not a path of this site")
    return default if path.partition("?")[0].partition("#")[0] in endpoints else path
