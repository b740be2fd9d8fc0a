"""Presets of connections: named departures from the strict default."""

import sqlalchemy as sa
from alembic import op

from federation.storage.base import JSONObject as JSON

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sp_idp_connection", sa.Column("presets", JSON, server_default="[]", nullable=False))


def downgrade() -> None:
    op.drop_column("sp_idp_connection", "presets")
