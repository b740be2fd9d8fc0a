"""Databases for tests: a file of SQLite always, a schema of PostgreSQL where a server is given."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url, text

from federation.storage import engine as engines
from tests.live import require

POSTGRESQL_URL = "FEDERATION_TEST_POSTGRESQL_URL"
"""Names a superuser on a throw-away cluster, for instance postgresql+psycopg://postgres@127.0.0.1:5433/postgres."""

KINDS = ("sqlite", "postgresql")


@contextmanager
def database_url(kind: str, folder: Path) -> Iterator[str]:
    """The address of an empty database of its own; what PostgreSQL holds is dropped afterwards."""
    if kind == "sqlite":
        yield f"sqlite:///{folder}/test.sqlite"
        return
    given = os.environ.get(POSTGRESQL_URL)
    require(given is not None, f"no PostgreSQL: {POSTGRESQL_URL} is not set")
    assert given is not None
    schema = f"test_{secrets.token_hex(8)}"
    server = engines.create(given)
    with server.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    try:
        url = make_url(given).update_query_dict({"options": f"-csearch_path={schema}"})
        yield url.render_as_string(hide_password=False)
    finally:
        with server.begin() as connection:
            connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
        server.dispose()
