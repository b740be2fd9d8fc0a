"""The migrations make exactly what the models say, on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from federation.storage import engine as engines
from federation.storage import migrations
from idp_app.installation import SCRIPTS, VERSION_TABLE
from idp_app.models import Base
from tests.databases import KINDS, database_url


@pytest.mark.enable_socket
@pytest.mark.parametrize("kind", KINDS)
def test_a_migrated_database_is_what_the_models_say(kind: str, tmp_path: Path):
    with database_url(kind, tmp_path) as url:
        engine = engines.create(url)
        migrations.upgrade(engine, script_location=SCRIPTS, version_table=VERSION_TABLE)
        migrations.require_current(engine, script_location=SCRIPTS, version_table=VERSION_TABLE)
        with engine.connect() as connection:
            options = {"version_table": VERSION_TABLE, "compare_type": kind == "postgresql"}
            context = MigrationContext.configure(connection, opts=options)
            assert compare_metadata(context, Base.metadata) == []
            assert set(inspect(connection).get_table_names()) == {*Base.metadata.tables, VERSION_TABLE}
        engine.dispose()
