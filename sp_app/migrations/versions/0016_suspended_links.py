"""Accounts that are suspended because their identity provider was disconnected.

Revision ID: 0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from federation.storage.base import UTCDateTime

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sp_link", sa.Column("suspended_at", UTCDateTime(), nullable=True))


def downgrade() -> None:
    op.drop_column("sp_link", "suspended_at")
