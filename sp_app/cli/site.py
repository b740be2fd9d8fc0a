"""What commands need of a site: its settings, a unit of work on its database, the application with its addresses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from federation.cli.configuration import ConfigFile

if TYPE_CHECKING:
    from pyramid.request import Request
    from sqlalchemy.orm import Session

    from sp_app.provider import Provider
    from sp_app.settings import SPSettings


def settings_of(config: ConfigFile) -> SPSettings:
    """The settings. Raises `ConfigurationError` with every mistake."""
    from sp_app.settings import read

    return read(config.settings())


@contextmanager
def unit_of_work(config: ConfigFile) -> Iterator[Session]:
    """One transaction on the site's database, committed at the end. Raises `ConfigurationError` if it is not ready."""
    from federation.storage import engine as engines
    from federation.storage import session
    from sp_app import database

    engine = engines.create(settings_of(config).database_url)
    try:
        database.require_current(engine)
        with session.unit_of_work(session.factory(engine)) as work:
            yield work
    finally:
        engine.dispose()


@contextmanager
def request_in(config: ConfigFile) -> Iterator[Request]:
    """A request to the application that nobody sent, in one transaction: what has to reach its own accounts needs one.

    Committed at the end, taken back on any error.
    """
    from pyramid.paster import bootstrap

    with bootstrap(str(config)) as environment:
        request = environment["request"]
        with request.tm:
            yield request


def provider_in(config: ConfigFile) -> Provider:
    """The service provider as its application makes it: only the application knows its addresses."""
    from pyramid.paster import get_app

    from sp_app.provider import provider_of

    return provider_of(get_app(str(config)).registry)


def now() -> datetime:
    """The instant at which a command runs."""
    return datetime.now(UTC)
