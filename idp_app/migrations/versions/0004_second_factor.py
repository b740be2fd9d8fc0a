"""A second factor, and what a session remembers of it."""

import sqlalchemy as sa
from alembic import op

from federation.storage.base import EncryptedText, UTCDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "second_factor",
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("secret", EncryptedText(), nullable=False),
        sa.Column("since", UTCDateTime(), nullable=False),
        sa.Column("last_step", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_second_factor_person_id_person"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_second_factor")),
    )
    op.create_table(
        "recovery_code",
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_recovery_code_person_id_person"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person_id", "code_hash", name=op.f("pk_recovery_code")),
    )
    op.add_column("sign_in_session", sa.Column("second_method", sa.Text(), nullable=True))
    op.add_column("sign_in_session", sa.Column("second_instant", UTCDateTime(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("sign_in_session") as table:
        table.drop_column("second_instant")
        table.drop_column("second_method")
    op.drop_table("recovery_code")
    op.drop_table("second_factor")
