"""Choosing an identity provider, and what a request asked for beyond signing in.

Revision ID: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from federation.storage.base import JSONObject as JSON
from federation.storage.base import UTCDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sp_pending_choice",
        sa.Column("handle_hash", sa.Text(), nullable=False),
        sa.Column("binding_hash", sa.Text(), nullable=False),
        sa.Column("wish", JSON, nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("handle_hash", name=op.f("pk_sp_pending_choice")),
    )
    op.create_index(op.f("ix_sp_pending_choice_expires_at"), "sp_pending_choice", ["expires_at"], unique=False)
    # Requests that wait while this release is installed asked for nothing.
    with op.batch_alter_table("sp_pending_request") as table:
        table.add_column(sa.Column("force_authn", sa.Boolean(), nullable=False, server_default=sa.false()))
        table.add_column(sa.Column("class_refs", JSON, nullable=False, server_default="[]"))
    with op.batch_alter_table("sp_pending_request") as table:
        table.alter_column("force_authn", server_default=None)
        table.alter_column("class_refs", server_default=None)
