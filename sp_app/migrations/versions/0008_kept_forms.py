"""Forms that were sent without a session, kept until their sender has signed in.

Revision ID: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from federation.storage.base import UTCDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sp_kept_form",
        sa.Column("handle_hash", sa.Text(), nullable=False),
        sa.Column("binding_hash", sa.Text(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("handle_hash", name=op.f("pk_sp_kept_form")),
    )
    op.create_index(op.f("ix_sp_kept_form_expires_at"), "sp_kept_form", ["expires_at"], unique=False)


def downgrade() -> None:
    op.drop_table("sp_kept_form")
