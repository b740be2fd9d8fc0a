"""Responses that wait to be fetched for an artifact."""

import sqlalchemy as sa
from alembic import op

from federation.storage.base import EncryptedText, UTCDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "held_message",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("message", EncryptedText(), nullable=False),
        sa.Column("expires", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connection.id"],
            name=op.f("fk_held_message_connection_id_connection"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_held_message")),
    )
    op.create_index(op.f("ix_held_message_connection_id"), "held_message", ["connection_id"], unique=False)
    op.create_index(op.f("ix_held_message_expires"), "held_message", ["expires"], unique=False)


def downgrade() -> None:
    op.drop_table("held_message")
