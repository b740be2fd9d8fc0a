"""Logout requests that were accepted: the replay guard."""

import sqlalchemy as sa
from alembic import op

from federation.storage.base import UTCDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "received_logout",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("expires", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_received_logout")),
    )
    op.create_index(op.f("ix_received_logout_expires"), "received_logout", ["expires"], unique=False)


def downgrade() -> None:
    op.drop_table("received_logout")
