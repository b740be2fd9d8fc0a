"""The gate: what comes in is limited in size and readable as text before any view sees it.

It stands in front of each route's root factory: right after the route is known, before the first byte of the body is
read. Whatever is later undecodable is therefore our own mistake, and shows as one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final
from urllib.parse import parse_qsl

from pyramid.httpexceptions import HTTPException, HTTPMethodNotAllowed, HTTPRequestEntityTooLarge
from pyramid.request import Request
from webob.multidict import MultiDict

from federation.errors import Malformed
from federation.web.scope import RouteRules, Scope

MAX_FIELDS: Final = 2000
_URLENCODED: Final = ("application/x-www-form-urlencoded", "")
_MULTIPART: Final = "multipart/form-data"
_METHODS_WITHOUT_FORM: Final = ("GET", "HEAD", "OPTIONS", "TRACE")

_NUL_OR_NOT_ASCII: Final = re.compile("%(?:00|[89A-Fa-f])")

RootFactory = Callable[[Request], Any]


def behind_gate(factory: RootFactory, scope: Scope, rules: RouteRules) -> RootFactory:
    """A root factory that admits the request first."""

    def admitted(request: Request) -> Any:
        admit(request, rules, scope.body_limit(rules))
        return factory(request)

    return admitted


def admit(request: Request, rules: RouteRules, limit: int) -> None:
    """Check one request. Raises HTTPMethodNotAllowed, HTTPRequestEntityTooLarge or Malformed (rules `http.*`)."""
    method = request.method
    if rules.acts and method == "HEAD":
        # Pyramid sends it to the view for GET, which would use up the message (RFC 9110 9.2.1).
        raise HTTPMethodNotAllowed
    limit_body(request, limit)
    try:
        texts = _address(request)
        if method not in _METHODS_WITHOUT_FORM:
            texts += _form(request, files=rules.files)
    except UnicodeDecodeError:
        raise Malformed("http.encoding", "the address or the form is not UTF-8 text") from None
    except OSError:
        raise Malformed("http.body", "the body ended before its announced length") from None
    if any("\0" in text for text in texts):
        raise Malformed("http.encoding", "the address or the form holds a NUL character")


def limit_body(request: Request, limit: int) -> None:
    """Refuse a body announced as too large, and stop reading one that turns out to be (chunked, or a lie)."""
    announced = request.environ.get("CONTENT_LENGTH")
    if not announced:
        request.environ["wsgi.input"] = LimitedInput(request.environ["wsgi.input"], limit)
    elif not (announced.isascii() and announced.isdigit()):
        raise Malformed("http.content_length", "the length of the body is not a number")
    elif int(announced) > limit:
        raise HTTPRequestEntityTooLarge
    request.request_body_tempfile_limit = limit  # what fits stays in memory


def _address(request: Request) -> list[str]:
    """The texts of the path and the query, unless it is plain to see that there is nothing to find fault with."""
    path, query = request.environ.get("PATH_INFO", ""), request.environ.get("QUERY_STRING", "")
    if query.count("&") >= MAX_FIELDS:
        raise Malformed("http.form", f"more than {MAX_FIELDS} fields")
    both = path + query
    if both.isascii() and "\0" not in both and not _NUL_OR_NOT_ASCII.search(query):
        return []
    return [request.path_info, *(text for field in request.GET.items() for text in field)]


def _form(request: Request, *, files: bool) -> list[str]:
    """The texts of a form, if the body is one."""
    if request.content_type in _URLENCODED:
        return _urlencoded(request)
    return _multipart(request, files=files) if request.content_type == _MULTIPART else []


def _urlencoded(request: Request) -> list[str]:
    """Read the form ourselves and leave it where `request.POST` looks first: WebOb would replace what is not UTF-8."""
    if request.charset.lower() not in ("utf-8", "utf8"):
        raise Malformed("http.encoding", "the form is not UTF-8 text")
    text = request.body.decode("utf-8")
    if text.count("&") >= MAX_FIELDS:
        raise Malformed("http.form", f"more than {MAX_FIELDS} fields")
    fields = parse_qsl(text, keep_blank_values=True, encoding="utf-8", errors="strict")
    request.environ["webob._parsed_post_vars"] = (MultiDict(fields), request.body_file_raw)
    return [part for field in fields for part in field]


def _multipart(request: Request, *, files: bool) -> list[str]:
    """Let WebOb read the form. Its parser raises whatever a broken body makes it stumble over: none is our mistake."""
    if request.body.count(b"isposition") > MAX_FIELDS:
        raise Malformed("http.form", f"more than {MAX_FIELDS} fields")
    try:
        fields = list(request.POST.items())
    except (HTTPException, OSError, UnicodeDecodeError):
        raise
    except Exception as error:
        raise Malformed("http.form", "the form cannot be read") from error
    brought = [value for _, value in fields if not isinstance(value, str)]
    request.add_finished_callback(lambda _request: [value.file.close() for value in brought if hasattr(value, "file")])
    if not files and brought:
        raise Malformed("http.form", "a file came in the place of a text")
    texts = [
        part if isinstance(part, str) else str(getattr(part, "filename", "")) for field in fields for part in field
    ]
    if any("\N{REPLACEMENT CHARACTER}" in text for text in texts):  # what WebOb puts for octets that are not UTF-8
        raise Malformed("http.encoding", "the form is not UTF-8 text")
    return texts


class LimitedInput:
    """A body without an announced length, read up to a limit. Raises HTTPRequestEntityTooLarge beyond it."""

    def __init__(self, stream: Any, limit: int) -> None:
        self._stream = stream
        self._left = limit

    def read(self, size: int = -1) -> bytes:
        """Read up to `size` bytes."""
        return self._count(self._stream.read(self._wanted(size)))

    def readline(self, size: int = -1) -> bytes:
        """Read up to the end of a line."""
        return self._count(self._stream.readline(self._wanted(size)))

    def readlines(self, _hint: int = -1) -> list[bytes]:
        """Read all lines."""
        return list(self)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def _wanted(self, size: int) -> int:
        return self._left + 1 if size < 0 else min(size, self._left + 1)

    def _count(self, data: bytes) -> bytes:
        self._left -= len(data)
        if self._left < 0:
            raise HTTPRequestEntityTooLarge
        return data
