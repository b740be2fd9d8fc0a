"""The migrations make exactly what the models say, on both databases."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, sql, text

from federation.errors import Refused
from federation.storage import engine as engines
from federation.storage import migrations
from federation.storage.base import JSONObject, UTCDateTime
from federation.storage.session import factory
from idp_app.installation import SCRIPTS, VERSION_TABLE
from idp_app.models import Base
from idp_app.services import audit, questions
from idp_app.services.questions import Question, Waiting
from tests.databases import KINDS, database_url
from tests.idp_factories import NOW


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


@pytest.mark.enable_socket
@pytest.mark.parametrize("kind", KINDS)
def test_a_request_that_waits_during_an_upgrade_waits_on_and_is_still_no_new_one(kind: str, tmp_path: Path):
    with database_url(kind, tmp_path) as url:
        engine = engines.create(url)
        migrations.upgrade(engine, script_location=SCRIPTS, version_table=VERSION_TABLE, revision="0015")
        question = Question("_1", "https://sp.example/acs", relay_state="deep link")
        before = {"key": "the key", "connection_id": "c", "request_id": "_1", "digest": b"d", "browser_hash": b"b"}
        with engine.begin() as connection:
            types = {"received": UTCDateTime(), "expires": UTCDateTime(), "waiting": JSONObject}
            table = sql.table("received_request", *(sql.column(name, types.get(name)) for name in (*before, *types)))
            times = {"received": NOW, "expires": NOW + timedelta(hours=1)}
            connection.execute(table.insert().values(**before, **times, waiting=question.to_json()))
        migrations.upgrade(engine, script_location=SCRIPTS, version_table=VERSION_TABLE)
        with factory(engine)() as session:
            waiting = questions.claim(session, "the key", browser_hash=b"b", now=NOW)
            assert waiting == Waiting("the key", "c", question, NOW, b"b")
            again: dict[str, Any] = {"connection_id": "c", "checks": (), "now": NOW, "window": timedelta(hours=1)}
            assert questions.remember(session, question, digest=b"d", browser_hash=b"b", **again) == waiting
            with pytest.raises(Refused):
                questions.remember(session, question, digest=b"another", browser_hash=b"b", **again)
        engine.dispose()
