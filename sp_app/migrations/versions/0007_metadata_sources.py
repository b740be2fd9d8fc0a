"""Sources of metadata with their entities, and versions of each connection's metadata.

A partner need not have a connection any more, so what names one is no foreign key.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from federation.storage.base import JSONObject as JSON
from federation.storage.base import UTCDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

INSTANT = UTCDateTime()
VERSION = sa.table(
    "sp_metadata_version",
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
    names = ("connection_id", "version", "document", "trust", "fingerprints", "misses", "trusted_by", "added_at")
    old = sa.table("sp_idp_metadata", *(sa.column(name) for name in names))
    connection = sa.table(
        "sp_idp_connection", *(sa.column(name) for name in ("id", "entity_id", "metadata_version", "valid_until"))
    )
    is_live = old.c.version == connection.c.metadata_version
    every = sa.select(
        connection.c.entity_id,
        old.c.version,
        sa.case((is_live, "live"), else_="superseded"),
        old.c.document,
        old.c.trust,
        old.c.fingerprints,
        sa.literal("a file"),
        sa.literal("connected"),
        sa.literal([], JSON),
        old.c.misses,
        sa.case((is_live, connection.c.valid_until)),
        old.c.added_at,
        old.c.trusted_by,
        old.c.added_at,
        old.c.added_at,
        old.c.trusted_by,
    ).select_from(old.join(connection, connection.c.id == old.c.connection_id))
    op.execute(VERSION.insert().from_select([column.name for column in VERSION.columns], every))
    # SQLite adds a column in place; making the table anew would delete whatever refers to it.
    op.add_column("sp_idp_connection", sa.Column("metadata_xml", sa.LargeBinary(), nullable=False, server_default=""))
    op.add_column("sp_idp_connection", sa.Column("metadata_restriction", sa.LargeBinary(), nullable=True))
    op.add_column("sp_idp_connection", sa.Column("revision", sa.Integer(), nullable=False, server_default="1"))
    op.execute(
        "UPDATE sp_idp_connection SET metadata_xml = (SELECT document FROM sp_idp_metadata WHERE "
        "connection_id = sp_idp_connection.id AND version = sp_idp_connection.metadata_version)"
    )
    op.drop_table("sp_idp_metadata")
    with op.batch_alter_table("sp_pending_request") as batch_op:
        batch_op.drop_constraint(op.f("fk_sp_pending_request_connection_id_sp_idp_connection"), type_="foreignkey")


def downgrade() -> None:
    op.execute("DELETE FROM sp_pending_request WHERE connection_id NOT IN (SELECT id FROM sp_idp_connection)")
    with op.batch_alter_table("sp_pending_request") as batch_op:
        batch_op.create_foreign_key(
            op.f("fk_sp_pending_request_connection_id_sp_idp_connection"),
            "sp_idp_connection",
            ["connection_id"],
            ["id"],
            ondelete="CASCADE",
        )
    op.create_table(
        "sp_idp_metadata",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("trust", sa.Text(), nullable=False),
        sa.Column("fingerprints", JSON, nullable=False),
        sa.Column("misses", JSON, nullable=False),
        sa.Column("trusted_by", sa.Text(), nullable=False),
        sa.Column("added_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["sp_idp_connection.id"],
            name=op.f("fk_sp_idp_metadata_connection_id_sp_idp_connection"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sp_idp_metadata")),
        sa.UniqueConstraint("connection_id", "version", name=op.f("uq_sp_idp_metadata_connection_id_version")),
    )
    op.execute(
        "INSERT INTO sp_idp_metadata (connection_id, version, document, trust, fingerprints, misses, trusted_by, "
        "added_at) SELECT c.id, v.number, v.document, v.trust, v.fingerprints, v.misses, v.added_by, v.added "
        "FROM sp_metadata_version v JOIN sp_idp_connection c ON c.entity_id = v.entity_id"
    )
    op.drop_column("sp_idp_connection", "revision")
    op.drop_column("sp_idp_connection", "metadata_restriction")
    op.drop_column("sp_idp_connection", "metadata_xml")
    op.drop_table("sp_metadata_version")
    op.drop_table("sp_metadata_entity")
    op.drop_table("sp_metadata_absence")
    op.drop_table("sp_metadata_source")


def _make_tables() -> None:
    op.create_table(
        "sp_metadata_source",
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
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sp_metadata_source")),
        sa.UniqueConstraint("name_key", name=op.f("uq_sp_metadata_source_name_key")),
    )
    op.create_table(
        "sp_metadata_absence",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("until", INSTANT, nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"],
            ["sp_metadata_source.id"],
            name=op.f("fk_sp_metadata_absence_source_id_sp_metadata_source"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("key", "source_id", name=op.f("pk_sp_metadata_absence")),
    )
    op.create_index(op.f("ix_sp_metadata_absence_until"), "sp_metadata_absence", ["until"], unique=False)
    op.create_table(
        "sp_metadata_entity",
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
            ["sp_metadata_source.id"],
            name=op.f("fk_sp_metadata_entity_source_id_sp_metadata_source"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("entity_id", "source_id", name=op.f("pk_sp_metadata_entity")),
    )
    for column in ("key", "name_key", "source_id"):
        op.create_index(op.f(f"ix_sp_metadata_entity_{column}"), "sp_metadata_entity", [column], unique=False)
    op.create_table(
        "sp_metadata_version",
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
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sp_metadata_version")),
        sa.UniqueConstraint("entity_id", "number", name=op.f("uq_sp_metadata_version_entity_id_number")),
    )
    op.create_index(op.f("ix_sp_metadata_version_state"), "sp_metadata_version", ["state"], unique=False)
