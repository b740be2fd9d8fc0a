"""Each sign-in wrote the index on when a request expires, and one clearing a while later read it: the table will do.

Revision ID: 0015
"""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index(op.f("ix_received_request_expires"), "received_request")


def downgrade() -> None:
    op.create_index(op.f("ix_received_request_expires"), "received_request", ["expires"])
