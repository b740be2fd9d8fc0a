"""The audit trail as text that no database parses.

Revision ID: 0015
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from federation.storage.base import JSONObject as JSON

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("sp_audit") as table:
        for name in ("checks", "messages"):
            table.alter_column(
                name, existing_type=JSON, type_=sa.Text(), existing_nullable=False, postgresql_using=f"{name}::text"
            )


def downgrade() -> None:
    # What was written since is not brought into the old form: its checks would be rows without names.
    with op.batch_alter_table("sp_audit") as table:
        for name in ("checks", "messages"):
            table.alter_column(
                name, existing_type=sa.Text(), type_=JSON, existing_nullable=False, postgresql_using=f"{name}::jsonb"
            )
