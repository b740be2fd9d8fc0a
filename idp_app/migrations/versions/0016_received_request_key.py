"""A received request that is answered at once is one row and no more: the replay guard is the table's primary key.

Revision ID: 0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

TABLE = "received_request"
GUARD = ["connection_id", "request_id"]
HELD = sa.text("key IS NOT NULL")


def upgrade() -> None:
    with op.batch_alter_table(TABLE, table_kwargs={"sqlite_with_rowid": False}) as table:
        table.drop_constraint(op.f("uq_received_request_connection_id_request_id"), type_="unique")
        table.drop_constraint(op.f("pk_received_request"), type_="primary")
        table.alter_column("key", existing_type=sa.Text(), nullable=True)
        table.create_primary_key(op.f("pk_received_request"), GUARD)
    op.create_index(
        op.f("ix_received_request_key"), TABLE, ["key"], unique=True, sqlite_where=HELD, postgresql_where=HELD
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_received_request_key"), TABLE)
    # Each needs a key again; nobody asks for those by it.
    op.execute("UPDATE received_request SET key = connection_id || ' ' || request_id WHERE key IS NULL")
    with op.batch_alter_table(TABLE, table_kwargs={"sqlite_with_rowid": True}) as table:
        table.drop_constraint(op.f("pk_received_request"), type_="primary")
        table.alter_column("key", existing_type=sa.Text(), nullable=False)
        table.create_primary_key(op.f("pk_received_request"), ["key"])
        table.create_unique_constraint(op.f("uq_received_request_connection_id_request_id"), GUARD)
