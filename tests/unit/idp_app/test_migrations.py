"""The migrations make exactly what the models say, on both databases."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from federation.storage import engine as engines
from federation.storage import migrations
from federation.storage.session import factory
from idp_app.installation import SCRIPTS, VERSION_TABLE
from idp_app.models import Base
from idp_app.services import audit
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


@pytest.mark.enable_socket
@pytest.mark.parametrize("kind", KINDS)
def test_what_the_audit_trail_held_before_is_read_as_what_it_holds_now(kind: str, tmp_path: Path):
    check = {"rule": "request.issuer", "reference": "SAML Core", "expected": "a", "received": "a", "ok": True}
    before = {"reference": "7KQ2-M4XD", "at": "2026-03-01 10:00:00.000000", "kind": "sso.issued"}
    before |= {
        "checks": json.dumps([check]),
        "detail": json.dumps({"encrypted": True, "messages": [{"kind": "Response"}]}),
    }
    with database_url(kind, tmp_path) as url:
        engine = engines.create(url)
        migrations.upgrade(engine, script_location=SCRIPTS, version_table=VERSION_TABLE, revision="0011")
        with engine.begin() as connection:
            cast = "CAST(:{} AS JSONB)" if kind == "postgresql" else ":{}"
            connection.execute(
                text(
                    "INSERT INTO audit_entry (reference, at, kind, checks, detail)"
                    f" VALUES (:reference, :at, :kind, {cast.format('checks')}, {cast.format('detail')})"
                ),
                before,
            )
        migrations.upgrade(engine, script_location=SCRIPTS, version_table=VERSION_TABLE)
        with factory(engine)() as session:
            (entry,) = audit.find(session, "7KQ2-M4XD")
        assert (entry.checks, entry.messages, entry.detail) == ([check], [{"kind": "Response"}], {"encrypted": True})
        engine.dispose()
