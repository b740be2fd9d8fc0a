"""Each sign-in wrote the index on when an audit entry was made, which their order tells anyway.

Revision ID: 0017
"""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index(op.f("ix_audit_entry_at"), "audit_entry")


def downgrade() -> None:
    op.create_index(op.f("ix_audit_entry_at"), "audit_entry", ["at"])
