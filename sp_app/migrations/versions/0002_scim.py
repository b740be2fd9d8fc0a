"""SCIM: users, their addresses, groups, members, answers to repeated requests.

Revision ID: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from federation.storage.base import JSONObject as JSON
from federation.storage.base import UTCDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INSTANT = UTCDateTime()


def upgrade() -> None:
    op.create_table(
        "sp_scim_user",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("user_name_key", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("document", JSON, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("modified_at", INSTANT, nullable=False),
        connection("sp_scim_user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sp_scim_user")),
        sa.UniqueConstraint("connection_id", "user_name_key", name=op.f("uq_sp_scim_user_connection_id_user_name_key")),
    )
    index("sp_scim_user", "connection_id", "external_id")
    index("sp_scim_user", "connection_id", "id")
    op.create_table(
        "sp_scim_email",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("value_key", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["sp_scim_user.id"], name=op.f("fk_sp_scim_email_user_id_sp_scim_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "value_key", name=op.f("pk_sp_scim_email")),
    )
    index("sp_scim_email", "value_key")
    op.create_table(
        "sp_scim_group",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("display_name_key", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("document", JSON, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("modified_at", INSTANT, nullable=False),
        connection("sp_scim_group"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sp_scim_group")),
    )
    index("sp_scim_group", "connection_id", "display_name_key")
    index("sp_scim_group", "connection_id", "external_id")
    index("sp_scim_group", "connection_id", "id")
    op.create_table(
        "sp_scim_member",
        sa.Column("group_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"],
            ["sp_scim_group.id"],
            name=op.f("fk_sp_scim_member_group_id_sp_scim_group"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["sp_scim_user.id"], name=op.f("fk_sp_scim_member_user_id_sp_scim_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("group_id", "user_id", name=op.f("pk_sp_scim_member")),
    )
    index("sp_scim_member", "user_id")
    op.create_table(
        "sp_scim_answer",
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("answered_at", INSTANT, nullable=False),
        connection("sp_scim_answer"),
        sa.PrimaryKeyConstraint("connection_id", "key", name=op.f("pk_sp_scim_answer")),
    )
    index("sp_scim_answer", "answered_at")


def connection(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["connection_id"],
        ["sp_idp_connection.id"],
        name=op.f(f"fk_{table}_connection_id_sp_idp_connection"),
        ondelete="CASCADE",
    )


def index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns), unique=False)


def downgrade() -> None:
    for table in ("sp_scim_answer", "sp_scim_member", "sp_scim_group", "sp_scim_email", "sp_scim_user"):
        op.drop_table(table)
