"""The age of the newest document that was taken in from a source: an older one brings nothing back.

Revision ID: 0017
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from federation.storage.base import UTCDateTime

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

SOURCE = sa.table("sp_metadata_source", sa.column("valid_until"), sa.column("newest_until"))


def upgrade() -> None:
    op.add_column("sp_metadata_source", sa.Column("newest_published", UTCDateTime(), nullable=True))
    op.add_column("sp_metadata_source", sa.Column("newest_until", UTCDateTime(), nullable=True))
    op.execute(sa.update(SOURCE).values(newest_until=SOURCE.c.valid_until))


def downgrade() -> None:
    op.drop_column("sp_metadata_source", "newest_until")
    op.drop_column("sp_metadata_source", "newest_published")
