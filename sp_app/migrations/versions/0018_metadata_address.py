"""The address of our metadata that is made for one identity provider: who fetches from it has read it.

Revision ID: 0018
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("sp_idp_connection") as table:
        table.add_column(sa.Column("metadata_tag", sa.Text(), nullable=True))
        table.create_index("ix_sp_idp_connection_metadata_tag", ["metadata_tag"], unique=True)


def downgrade() -> None:
    with op.batch_alter_table("sp_idp_connection") as table:
        table.drop_index("ix_sp_idp_connection_metadata_tag")
        table.drop_column("metadata_tag")
