"""What clearing and counting look for is found by an index again: ids told the time only while no clock was ever wrong.

Revision ID: 0018
"""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(op.f("ix_audit_entry_at"), "audit_entry", ["at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_audit_entry_at"), "audit_entry")
