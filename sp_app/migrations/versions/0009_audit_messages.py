"""The outlines of messages in the audit trail.

Revision ID: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from federation.storage.base import JSONObject as JSON

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # What happened before this release was noted without its messages.
    with op.batch_alter_table("sp_audit") as table:
        table.add_column(sa.Column("messages", JSON, nullable=False, server_default="[]"))
    with op.batch_alter_table("sp_audit") as table:
        table.alter_column("messages", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("sp_audit") as table:
        table.drop_column("messages")
