"""The migrations make exactly what the models say, on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from federation.storage import engine as engines
from sp_app import database
from sp_app.models import Base
from tests.databases import KINDS, database_url

VERSIONS = "sp_alembic_version"


@pytest.mark.enable_socket
@pytest.mark.parametrize("kind", KINDS)
def test_a_migrated_database_is_what_the_models_say(kind: str, tmp_path: Path) -> None:
    with database_url(kind, tmp_path) as url:
        engine = engines.create(url)
        database.upgrade(engine)
        database.require_current(engine)
        with engine.connect() as connection:
            options = {"version_table": VERSIONS, "compare_type": kind == "postgresql"}
            context = MigrationContext.configure(connection, opts=options)
            assert compare_metadata(context, Base.metadata) == []
            assert set(inspect(connection).get_table_names()) == {*Base.metadata.tables, VERSIONS}
        engine.dispose()
