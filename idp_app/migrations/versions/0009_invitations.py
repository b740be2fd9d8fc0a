"""Invitations; the token endpoint of partners that are provisioned without a shared secret."""

import sqlalchemy as sa
from alembic import op

from federation.storage.base import JSONObject, UTCDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("connection", sa.Column("provisioning_token_url", sa.Text(), nullable=True))
    op.create_table(
        "invitation",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("audiences", JSONObject, nullable=False),
        sa.Column("release", sa.Text(), nullable=False),
        sa.Column("created", UTCDateTime(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("expires", UTCDateTime(), nullable=False),
        sa.Column("voided", UTCDateTime(), nullable=True),
        sa.Column("proposed", UTCDateTime(), nullable=True),
        sa.Column("document", sa.LargeBinary(), nullable=True),
        sa.Column("entity_id", sa.Text(), nullable=True),
        sa.Column("display_name", sa.Text(), nullable=True),
        sa.Column("fingerprint", sa.Text(), nullable=True),
        sa.Column("scim_url", sa.Text(), nullable=True),
        sa.Column("token_url", sa.Text(), nullable=True),
        sa.Column("partner_agreed", UTCDateTime(), nullable=True),
        sa.Column("agreed", UTCDateTime(), nullable=True),
        sa.Column("agreed_by", sa.Text(), nullable=True),
        sa.Column("connection_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connection.id"],
            name=op.f("fk_invitation_connection_id_connection"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_invitation_token_hash")),
    )


def downgrade() -> None:
    op.drop_table("invitation")
    op.drop_column("connection", "provisioning_token_url")
