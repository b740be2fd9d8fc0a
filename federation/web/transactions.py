"""What happens to the request's transaction when a request is refused, or when it has to wait for others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pyramid.request import Request


@contextmanager
def instead(request: Request) -> Iterator[None]:
    """Take back everything the request wrote, and commit what is written inside in its place.

    It leaves a fresh transaction behind, so that whoever manages the request's transactions finds one to end. Where the
    application has no `request.tm` the block just runs.
    """
    tm = getattr(request, "tm", None)
    if tm is None:
        yield
        return
    tm.abort()
    tm.begin()
    try:
        yield
    except BaseException:
        tm.abort()
        tm.begin()
        raise
    tm.commit()
    tm.begin()


def commit_so_far(request: Request) -> None:
    """Commit what the request wrote, and begin a fresh transaction: nothing stays locked while we wait for others."""
    request.tm.commit()
    request.tm.begin()
