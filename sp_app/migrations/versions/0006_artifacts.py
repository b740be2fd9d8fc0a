"""How responses are asked for, whether unsolicited ones come in, and requests that wait for their artifact.

Revision ID: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from federation.storage.base import UTCDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sp_idp_connection", sa.Column("response_binding", sa.Text(), nullable=False, server_default="post"))
    op.add_column(
        "sp_idp_connection", sa.Column("allow_unsolicited", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.create_table(
        "sp_held_request",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("message", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["sp_idp_connection.id"],
            name=op.f("fk_sp_held_request_connection_id_sp_idp_connection"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_sp_held_request")),
    )
    op.create_index(op.f("ix_sp_held_request_connection_id"), "sp_held_request", ["connection_id"], unique=False)
    op.create_index(op.f("ix_sp_held_request_expires_at"), "sp_held_request", ["expires_at"], unique=False)


def downgrade() -> None:
    op.drop_table("sp_held_request")
    op.drop_column("sp_idp_connection", "allow_unsolicited")
    op.drop_column("sp_idp_connection", "response_binding")
