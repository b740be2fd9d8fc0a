"""Options of connections: what one partner needs that differs from the default."""

import sqlalchemy as sa
from alembic import op

from federation.storage.base import JSONObject as JSON

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("connection", sa.Column("options", JSON, server_default="{}", nullable=False))


def downgrade() -> None:
    op.drop_column("connection", "options")
