"""The gate: what comes in is limited in size and readable as text before any view sees it.

It stands right after the route is known, before the first byte of the body is read. Whatever is later undecodable is
therefore our own mistake, and shows as one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from pyramid.config import Configurator
from pyramid.events import BeforeTraversal
from pyramid.httpexceptions import HTTPRequestEntityTooLarge
from pyramid.request import Request

from federation.errors import Malformed
from federation.web.scope import body_limit, rules_for

MAX_FIELDS: Final = 2000
_FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")
_METHODS_WITHOUT_BODY: Final = ("GET", "HEAD", "OPTIONS", "TRACE")


def admit(event: BeforeTraversal) -> None:
    """Check one request. Raises HTTPRequestEntityTooLarge or Malformed (rules `http.*`)."""
    request = event.request
    if rules_for(request) is None:
        return
    limit_body(request, body_limit(request))
    require_text(request)


def limit_body(request: Request, limit: int) -> None:
    """Refuse a body announced as too large, and stop reading one that turns out to be (chunked, or a lie)."""
    announced = request.environ.get("CONTENT_LENGTH") or ""
    if announced and not (announced.isascii() and announced.isdigit()):
        raise Malformed("http.content_length", "the length of the body is not a number")
    if announced and int(announced) > limit:
        raise HTTPRequestEntityTooLarge
    if not announced:
        request.environ["wsgi.input"] = LimitedInput(request.environ["wsgi.input"], limit)


def require_text(request: Request) -> None:
    """Decode path, query and form once. Raises Malformed where they are not UTF-8 text without NUL."""
    try:
        _require_few(request.query_string.encode("latin-1"))
        texts = [request.path_info, *_flat(request.GET)]
        if request.method not in _METHODS_WITHOUT_BODY and request.content_type in _FORMS:
            _require_few(request.body)
            texts += _flat(request.POST)
    except UnicodeDecodeError:
        raise Malformed("http.encoding", "the address or the form is not UTF-8 text") from None
    except OSError:
        raise Malformed("http.body", "the body ended before its announced length") from None
    except (ValueError, LookupError, AttributeError, TypeError):
        # What WebOb's form parser raises on a broken multipart body or an unknown charset.
        raise Malformed("http.form", "the form cannot be read") from None
    if any("\0" in text for text in texts):
        raise Malformed("http.encoding", "the address or the form holds a NUL character")


def _require_few(octets: bytes) -> None:
    """Each field costs far more than its octets: count them before anything is built from them."""
    if octets.count(b"&") + octets.count(b"Content-Disposition") >= MAX_FIELDS:
        raise Malformed("http.form", f"more than {MAX_FIELDS} fields")


def _flat(fields: Any) -> Iterator[str]:
    for name, value in fields.items():
        yield name
        yield value if isinstance(value, str) else value.filename


class LimitedInput:
    """A body without an announced length, read up to a limit. Raises HTTPRequestEntityTooLarge beyond it."""

    def __init__(self, stream: Any, limit: int) -> None:
        self._stream = stream
        self._left = limit

    def read(self, size: int = -1) -> bytes:
        """Read up to `size` bytes."""
        wanted = self._left + 1 if size < 0 else min(size, self._left + 1)
        return self._count(self._stream.read(wanted))

    def readline(self, size: int = -1) -> bytes:
        """Read up to the end of a line."""
        wanted = self._left + 1 if size < 0 else min(size, self._left + 1)
        return self._count(self._stream.readline(wanted))

    def readlines(self, _hint: int = -1) -> list[bytes]:
        """Read all lines."""
        return list(self)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def _count(self, data: bytes) -> bytes:
        self._left -= len(data)
        if self._left < 0:
            raise HTTPRequestEntityTooLarge
        return data


def includeme(config: Configurator) -> None:
    """Stand at the gate of our routes."""
    config.add_subscriber(admit, BeforeTraversal)
