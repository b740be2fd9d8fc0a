"""Single logout: sign-outs that began here, logout requests that came, the last part of a NameID.

Revision ID: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from federation.storage.base import JSONObject as JSON
from federation.storage.base import UTCDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

INSTANT = UTCDateTime()


def upgrade() -> None:
    op.add_column("sp_session", sa.Column("sp_provided_id", sa.Text(), nullable=True))
    op.create_table(
        "sp_sign_out",
        sa.Column("handle_hash", sa.Text(), nullable=False),
        sa.Column("idp_entity_id", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("began_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("answered_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("handle_hash", name=op.f("pk_sp_sign_out")),
        sa.UniqueConstraint("request_id", name=op.f("uq_sp_sign_out_request_id")),
    )
    index("sp_sign_out", "expires_at")
    op.create_table(
        "sp_remembered_logout",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject_key", sa.Text(), nullable=False),
        sa.Column("name_id_format", sa.Text(), nullable=True),
        sa.Column("name_qualifier", sa.Text(), nullable=True),
        sa.Column("sp_name_qualifier", sa.Text(), nullable=True),
        sa.Column("session_indexes", JSON, nullable=False),
        sa.Column("issued_at", INSTANT, nullable=False),
        sa.Column("keep_until", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sp_remembered_logout")),
    )
    index("sp_remembered_logout", "subject_key")
    index("sp_remembered_logout", "keep_until")


def index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns), unique=False)


def downgrade() -> None:
    op.drop_table("sp_remembered_logout")
    op.drop_table("sp_sign_out")
    op.drop_column("sp_session", "sp_provided_id")
