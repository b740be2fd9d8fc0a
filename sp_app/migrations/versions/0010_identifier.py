"""What people of an identity provider are known by.

Revision ID: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sp_idp_connection", sa.Column("identifier", sa.Text(), nullable=False, server_default="pairwise-id"))


def downgrade() -> None:
    op.drop_column("sp_idp_connection", "identifier")
