"""Sources of metadata with their entities, and versions of each connection's metadata.

A partner need not have a connection any more, so what names one is no foreign key.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from federation.storage.base import JSONObject as JSON
from federation.storage.base import UTCDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

INSTANT = UTCDateTime()
PARTNERS = (
    ("participation", "connection_id"),
    ("received_request", "connection_id"),
    ("held_message", "connection_id"),
    ("logout_step", "connection_id"),
    ("logout_run", "requester_id"),
)
VERSION = sa.table(
    "metadata_version",
    *(
        sa.column(name)
        for name in (
            "entity_id",
            "number",
            "state",
            "document",
            "trust",
            "fingerprints",
            "origin",
            "why",
            "changes",
            "misses",
            "valid_until",
            "added",
            "added_by",
            "live_since",
            "decided",
            "decided_by",
        )
    ),
)


def upgrade() -> None:
    _make_tables()
    # SQLite adds a column in place; making the table anew would delete whatever refers to it.
    op.add_column("connection", sa.Column("metadata_version", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("connection", sa.Column("metadata_restriction", sa.LargeBinary(), nullable=True))
    names = ("entity_id", "metadata_xml", "trust", "trust_fingerprints", "misses", "valid_until")
    columns: dict[str, sa.ColumnClause[object]] = {
        name: sa.column(name) for name in (*names, "trusted_at", "trusted_by")
    }
    live = sa.select(
        columns["entity_id"],
        sa.literal(1),
        sa.literal("live"),
        columns["metadata_xml"],
        sa.case((columns["trust"] == "signed", "signature"), else_="confirmed keys"),
        columns["trust_fingerprints"],
        sa.literal("a file"),
        sa.literal("connected"),
        sa.literal([], JSON),
        columns["misses"],
        columns["valid_until"],
        columns["trusted_at"],
        columns["trusted_by"],
        columns["trusted_at"],
        columns["trusted_at"],
        columns["trusted_by"],
    ).select_from(sa.table("connection", *columns.values()))
    op.execute(VERSION.insert().from_select([column.name for column in VERSION.columns], live))
    for table, column in PARTNERS:
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_constraint(op.f(f"fk_{table}_{column}_connection"), type_="foreignkey")


def downgrade() -> None:
    for table, column in PARTNERS:
        op.execute(f"DELETE FROM {table} WHERE {column} NOT IN (SELECT id FROM connection)")  # noqa: S608 (ours)
        with op.batch_alter_table(table) as batch_op:
            batch_op.create_foreign_key(
                op.f(f"fk_{table}_{column}_connection"), "connection", [column], ["id"], ondelete="CASCADE"
            )
    op.drop_column("connection", "metadata_restriction")
    op.drop_column("connection", "metadata_version")
    op.drop_table("metadata_version")
    op.drop_table("metadata_entity")
    op.drop_table("metadata_absence")
    op.drop_table("metadata_source")


def _make_tables() -> None:
    op.create_table(
        "metadata_source",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("entity_id", sa.Text(), nullable=True),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("precedence", sa.Integer(), nullable=False),
        sa.Column("signer_fingerprints", JSON, nullable=False),
        sa.Column("signer_certificates", JSON, nullable=False),
        sa.Column("named_host", sa.Text(), nullable=True),
        sa.Column("max_validity", sa.Integer(), nullable=False),
        sa.Column("exceptions", JSON, nullable=False),
        sa.Column("shortest_interval", sa.Integer(), nullable=False),
        sa.Column("longest_interval", sa.Integer(), nullable=False),
        sa.Column("selection", JSON, nullable=False),
        sa.Column("widening", sa.Text(), nullable=False),
        sa.Column("defaults", JSON, nullable=False),
        sa.Column("created", INSTANT, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("due", INSTANT, nullable=False),
        sa.Column("claimed_until", INSTANT, nullable=True),
        sa.Column("progress", sa.Text(), nullable=True),
        sa.Column("last_try", INSTANT, nullable=True),
        sa.Column("last_success", INSTANT, nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("etag", sa.Text(), nullable=True),
        sa.Column("last_modified", sa.Text(), nullable=True),
        sa.Column("validated", sa.Text(), nullable=True),
        sa.Column("valid_until", INSTANT, nullable=True),
        sa.Column("entities", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_metadata_source")),
        sa.UniqueConstraint("name_key", name=op.f("uq_metadata_source_name_key")),
    )
    op.create_table(
        "metadata_absence",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("until", INSTANT, nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"],
            ["metadata_source.id"],
            name=op.f("fk_metadata_absence_source_id_metadata_source"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("key", "source_id", name=op.f("pk_metadata_absence")),
    )
    op.create_index(op.f("ix_metadata_absence_until"), "metadata_absence", ["until"], unique=False)
    op.create_table(
        "metadata_entity",
        sa.Column("entity_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("is_idp", sa.Boolean(), nullable=False),
        sa.Column("is_sp", sa.Boolean(), nullable=False),
        sa.Column("registrar", sa.Text(), nullable=True),
        sa.Column("warnings", sa.Integer(), nullable=False),
        sa.Column("valid_until", INSTANT, nullable=True),
        sa.Column("due", INSTANT, nullable=True),
        sa.Column("changed", INSTANT, nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"],
            ["metadata_source.id"],
            name=op.f("fk_metadata_entity_source_id_metadata_source"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("entity_id", "source_id", name=op.f("pk_metadata_entity")),
    )
    for column in ("key", "name_key", "source_id"):
        op.create_index(op.f(f"ix_metadata_entity_{column}"), "metadata_entity", [column], unique=False)
    op.create_table(
        "metadata_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entity_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("trust", sa.Text(), nullable=False),
        sa.Column("fingerprints", JSON, nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("changes", JSON, nullable=False),
        sa.Column("misses", JSON, nullable=False),
        sa.Column("valid_until", INSTANT, nullable=True),
        sa.Column("added", INSTANT, nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.Column("renewed", INSTANT, nullable=True),
        sa.Column("live_since", INSTANT, nullable=True),
        sa.Column("decided", INSTANT, nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("due", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_metadata_version")),
        sa.UniqueConstraint("entity_id", "number", name=op.f("uq_metadata_version_entity_id_number")),
    )
    op.create_index(op.f("ix_metadata_version_state"), "metadata_version", ["state"], unique=False)
