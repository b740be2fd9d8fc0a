"""The audit trail as text that no database parses, with the outlines of messages in a column of their own.

Revision ID: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from federation.storage.base import JSONObject as JSON

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    postgresql = op.get_bind().dialect.name == "postgresql"
    with op.batch_alter_table("audit_entry") as table:
        table.add_column(sa.Column("messages", sa.Text(), nullable=False, server_default="[]"))
        table.alter_column(
            "checks", existing_type=JSON, type_=sa.Text(), existing_nullable=False, postgresql_using="checks::text"
        )
    if postgresql:
        op.execute(
            "UPDATE audit_entry SET messages = detail ->> 'messages', detail = detail - 'messages'"
            " WHERE detail ? 'messages'"
        )
    else:
        op.execute(
            "UPDATE audit_entry SET messages = json_extract(detail, '$.messages'),"
            " detail = json_remove(detail, '$.messages') WHERE json_type(detail, '$.messages') IS NOT NULL"
        )
    with op.batch_alter_table("audit_entry") as table:
        table.alter_column("messages", server_default=None)


def downgrade() -> None:
    # What was written since is not brought into the old form: its checks would be rows without names.
    with op.batch_alter_table("audit_entry") as table:
        table.alter_column(
            "checks", existing_type=sa.Text(), type_=JSON, existing_nullable=False, postgresql_using="checks::jsonb"
        )
        table.drop_column("messages")
