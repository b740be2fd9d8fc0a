"""Entities of sources: by an artifact's SourceID, by what people look for; documents brought as sources; progress.

Revision ID: 0013
"""

from __future__ import annotations

import hashlib

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_ENTITY = sa.table(
    "sp_metadata_entity", *map(sa.column, ("source_id", "entity_id", "sha1", "found_by", "name_key", "digest"))
)


def upgrade() -> None:
    op.add_column("sp_metadata_source", sa.Column("progress_done", sa.Integer(), nullable=True))
    op.add_column("sp_metadata_source", sa.Column("progress_total", sa.Integer(), nullable=True))
    op.add_column("sp_metadata_entity", sa.Column("sha1", sa.Text(), nullable=False, server_default=""))
    op.add_column("sp_metadata_entity", sa.Column("found_by", sa.Text(), nullable=False, server_default=""))
    op.add_column("sp_metadata_entity", sa.Column("hidden", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("sp_metadata_version", sa.Column("source_id", sa.Text(), nullable=True))
    op.add_column("sp_idp_connection", sa.Column("source_id", sa.Text(), nullable=True))
    _fill_in()
    op.create_index(op.f("ix_sp_metadata_entity_sha1"), "sp_metadata_entity", ["sha1"], unique=False)
    op.create_table(
        "sp_metadata_part",
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("octets", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"],
            ["sp_metadata_source.id"],
            name=op.f("fk_sp_metadata_part_source_id_sp_metadata_source"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("number", "source_id", name=op.f("pk_sp_metadata_part")),
    )


def downgrade() -> None:
    op.drop_table("sp_metadata_part")
    op.drop_index(op.f("ix_sp_metadata_entity_sha1"), "sp_metadata_entity")
    op.drop_column("sp_idp_connection", "source_id")
    op.drop_column("sp_metadata_version", "source_id")
    for column in ("hidden", "found_by", "sha1"):
        op.drop_column("sp_metadata_entity", column)
    for column in ("progress_total", "progress_done"):
        op.drop_column("sp_metadata_source", column)


def _fill_in() -> None:
    """What can be said of the entities that are here; the rest comes when their sources are read anew, at once."""
    connection = op.get_bind()
    for row in connection.execute(sa.select(_ENTITY.c.source_id, _ENTITY.c.entity_id, _ENTITY.c.name_key)).all():
        connection.execute(
            _ENTITY.update()
            .where(_ENTITY.c.source_id == row.source_id, _ENTITY.c.entity_id == row.entity_id)
            .values(
                sha1=hashlib.sha1(row.entity_id.encode(), usedforsecurity=False).hexdigest(),
                found_by=row.name_key,
                digest="",
            )
        )
    op.execute(
        "UPDATE sp_metadata_source SET due = created, etag = NULL, last_modified = NULL, validated = NULL "
        "WHERE entity_id IS NULL"
    )
    op.execute("UPDATE sp_metadata_entity SET due = changed WHERE due IS NOT NULL")
