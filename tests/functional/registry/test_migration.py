"""What was connected before there were versions has its first one afterwards, and still refers to what it did."""

from __future__ import annotations

import json
from datetime import datetime

from sqlalchemy import Engine, inspect, text

from federation.storage import engine as engines
from federation.storage import migrations
from idp_app import installation
from sp_app import database as sp_database

AT = "2026-03-01 12:00:00.000000"


def insert(engine: Engine, table: str, **values: object) -> None:
    """A row of an older release: every column that it must have, with something in it."""
    row = dict(values)
    for column in inspect(engine).get_columns(table):
        name, kind = column["name"], str(column["type"]).upper()
        if name in row or column["nullable"] or column["default"] is not None:
            continue
        if "BLOB" in kind or "BYTEA" in kind:
            row[name] = b"<xml/>"
        elif "JSON" in kind:
            row[name] = json.dumps({})
        elif "INT" in kind:
            row[name] = 1
        elif "BOOL" in kind:
            row[name] = False
        elif "DATE" in kind or "TIME" in kind:
            row[name] = datetime.fromisoformat(AT + "+00:00") if engine.dialect.name != "sqlite" else AT
        else:
            row[name] = "x"
    columns, named = ", ".join(row), ", ".join(f":{name}" for name in row)
    with engine.begin() as connection:
        connection.execute(text(f"INSERT INTO {table} ({columns}) VALUES ({named})"), row)


def rows(engine: Engine, sql: str) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def test_an_identity_provider_s_connections_keep_what_they_had(database: str):
    engine = engines.create(database)
    where = {"script_location": installation.SCRIPTS, "version_table": installation.VERSION_TABLE}
    migrations.upgrade(engine, **where, revision="0007")
    insert(engine, "connection", id="c", entity_id="https://sp.example.org", trust="signed", metadata_xml=b"<old/>")
    insert(engine, "received_request", key="r", connection_id="c")
    insert(engine, "provisioning_pending", connection_id="c", person_id="p")
    migrations.upgrade(engine, **where)
    assert rows(engine, "SELECT entity_id, number, state, trust FROM metadata_version") == [
        ("https://sp.example.org", 1, "live", "signature")
    ]
    assert rows(engine, "SELECT metadata_version, metadata_restriction FROM connection") == [(1, None)]
    assert rows(engine, "SELECT key FROM received_request") == [("r",)]
    assert rows(engine, "SELECT person_id FROM provisioning_pending") == [("p",)]
    engine.dispose()


def test_a_service_provider_s_versions_keep_their_numbers(database: str):
    engine = engines.create(database)
    where = sp_database._WHERE
    migrations.upgrade(engine, **where, revision="0006")
    insert(engine, "sp_idp_connection", id="c", entity_id="https://idp.example.org", metadata_version=2)
    for number in (1, 2):
        insert(
            engine, "sp_idp_metadata", id=number, connection_id="c", version=number, document=b"<v%d/>" % number,
            trust="signature",
        )  # fmt: skip
    insert(engine, "sp_pending_request", handle_hash="h", connection_id="c")
    insert(engine, "sp_scim_token", id="t", connection_id="c")
    migrations.upgrade(engine, **where)
    assert rows(engine, "SELECT entity_id, number, state FROM sp_metadata_version ORDER BY number") == [
        ("https://idp.example.org", 1, "superseded"),
        ("https://idp.example.org", 2, "live"),
    ]
    [(document, revision)] = rows(engine, "SELECT metadata_xml, revision FROM sp_idp_connection")
    assert (bytes(document), revision) == (b"<v2/>", 1)  # type: ignore[arg-type]
    assert rows(engine, "SELECT handle_hash FROM sp_pending_request") == [("h",)]
    assert rows(engine, "SELECT id FROM sp_scim_token") == [("t",)]
    engine.dispose()
