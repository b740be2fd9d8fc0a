"""What becomes of the accounts at a site when its connection ends.

Revision ID: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("connection", sa.Column("ending", sa.String(64), nullable=True))
    op.add_column("connection", sa.Column("ending_accounts", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("connection", "ending_accounts")
    op.drop_column("connection", "ending")
