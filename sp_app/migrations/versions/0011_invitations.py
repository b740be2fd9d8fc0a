"""Invitations that were taken up, and tokens that end.

Revision ID: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from federation.storage.base import UTCDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sp_invitation",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("entity_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("begun_at", UTCDateTime(), nullable=False),
        sa.Column("begun_by", sa.Text(), nullable=False),
        sa.Column("agreed_at", UTCDateTime(), nullable=True),
        sa.Column("agreed_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sp_invitation")),
        sa.UniqueConstraint("address", name=op.f("uq_sp_invitation_address")),
    )
    with op.batch_alter_table("sp_scim_token") as table:
        table.add_column(sa.Column("expires_at", UTCDateTime(), nullable=True))
    op.create_index(op.f("ix_sp_scim_token_expires_at"), "sp_scim_token", ["expires_at"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_sp_scim_token_expires_at"), table_name="sp_scim_token")
    with op.batch_alter_table("sp_scim_token") as table:
        table.drop_column("expires_at")
    op.drop_table("sp_invitation")
