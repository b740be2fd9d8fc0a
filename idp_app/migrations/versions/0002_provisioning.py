"""Provisioning: the outbox, what waits, what partners hold, leases, the log."""

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
        "provisioning_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=True),
        sa.Column("connection_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provisioning_change")),
    )
    op.create_table(
        "provisioning_log",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=True),
        sa.Column("group_id", sa.Text(), nullable=True),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("attributes", JSON, nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provisioning_log")),
    )
    op.create_index(op.f("ix_provisioning_log_at"), "provisioning_log", ["at"], unique=False)
    op.create_index(
        op.f("ix_provisioning_log_connection_id_at"), "provisioning_log", ["connection_id", "at"], unique=False
    )
    op.create_index(op.f("ix_provisioning_log_person_id_at"), "provisioning_log", ["person_id", "at"], unique=False)
    op.create_table(
        "provisioning_account",
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("remote_id", sa.Text(), nullable=True),
        sa.Column("version", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("document", JSON, nullable=False),
        sa.Column("intended", JSON, nullable=True),
        sa.Column("created", INSTANT, nullable=False),
        sa.Column("modified", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connection.id"],
            name=op.f("fk_provisioning_account_connection_id_connection"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("connection_id", "person_id", name=op.f("pk_provisioning_account")),
        sa.UniqueConstraint(
            "connection_id", "external_id", name=op.f("uq_provisioning_account_connection_id_external_id")
        ),
    )
    op.create_table(
        "provisioning_group",
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("group_id", sa.Text(), nullable=False),
        sa.Column("remote_id", sa.Text(), nullable=True),
        sa.Column("version", sa.Text(), nullable=True),
        sa.Column("document", JSON, nullable=False),
        sa.Column("intended", JSON, nullable=True),
        sa.Column("deleting", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("not_before", INSTANT, nullable=True),
        sa.Column("created", INSTANT, nullable=False),
        sa.Column("modified", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connection.id"],
            name=op.f("fk_provisioning_group_connection_id_connection"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("connection_id", "group_id", name=op.f("pk_provisioning_group")),
    )
    op.create_table(
        "provisioning_member",
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("group_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connection.id"],
            name=op.f("fk_provisioning_member_connection_id_connection"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("connection_id", "group_id", "person_id", name=op.f("pk_provisioning_member")),
    )
    op.create_index(
        op.f("ix_provisioning_member_connection_id_person_id"),
        "provisioning_member",
        ["connection_id", "person_id"],
        unique=False,
    )
    op.create_table(
        "provisioning_pending",
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("not_before", INSTANT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connection.id"],
            name=op.f("fk_provisioning_pending_connection_id_connection"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("connection_id", "person_id", name=op.f("pk_provisioning_pending")),
    )
    op.create_index(
        op.f("ix_provisioning_pending_connection_id_not_before"),
        "provisioning_pending",
        ["connection_id", "not_before"],
        unique=False,
    )
    op.create_table(
        "provisioning_stream",
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("fencing", sa.Integer(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("leased_until", INSTANT, nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("not_before", INSTANT, nullable=True),
        sa.Column("quarantined", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("last_success", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connection.id"],
            name=op.f("fk_provisioning_stream_connection_id_connection"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("connection_id", name=op.f("pk_provisioning_stream")),
    )


def downgrade() -> None:
    for table in ("stream", "pending", "member", "group", "account", "log", "change"):
        op.drop_table(f"provisioning_{table}")
