"""Logout of every site: the run and its steps, and names exactly as issued."""

import sqlalchemy as sa
from alembic import op

from federation.storage.base import JSONObject, UTCDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _participation("session_id", "connection_id", "name_id_format", "name_id")
    op.create_table(
        "logout_run",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=True),
        sa.Column("by_browser", sa.Boolean(), nullable=False),
        sa.Column("browser_hash", sa.LargeBinary(), nullable=True),
        sa.Column("requester_id", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("relay_state", sa.Text(), nullable=True),
        sa.Column("asynchronous", sa.Boolean(), nullable=False),
        sa.Column("begun", UTCDateTime(), nullable=False),
        sa.Column("expires", UTCDateTime(), nullable=False),
        sa.Column("contacted", UTCDateTime(), nullable=True),
        sa.Column("finished", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["requester_id"],
            ["connection.id"],
            name=op.f("fk_logout_run_requester_id_connection"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_logout_run")),
    )
    op.create_index(op.f("ix_logout_run_browser_hash"), "logout_run", ["browser_hash"], unique=False)
    op.create_index(op.f("ix_logout_run_expires"), "logout_run", ["expires"], unique=False)
    op.create_table(
        "logout_step",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("run_key", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("name_id", JSONObject, nullable=False),
        sa.Column("session_indexes", JSONObject, nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("binding", sa.Text(), nullable=True),
        sa.Column("until", UTCDateTime(), nullable=True),
        sa.Column("answered", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connection.id"],
            name=op.f("fk_logout_step_connection_id_connection"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["run_key"], ["logout_run.key"], name=op.f("fk_logout_step_run_key_logout_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_logout_step")),
    )
    op.create_index(op.f("ix_logout_step_run_key"), "logout_step", ["run_key"], unique=False)


def downgrade() -> None:
    op.drop_table("logout_step")
    op.drop_table("logout_run")
    _participation("session_id", "connection_id", "name_id_format", further=())


QUALIFIERS = ("name_qualifier", "sp_name_qualifier", "sp_provided_id")


def _participation(*primary_key: str, further: tuple[str, ...] = QUALIFIERS) -> None:
    """Make the table anew, with another primary key and with or without the qualifiers, and take the rows over.

    A row is a live session's: what does not fit the narrower key is left behind.
    """
    op.rename_table("participation", "participation_before")
    op.drop_index(op.f("ix_participation_name_id"), table_name="participation_before")
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(op.f("pk_participation"), "participation_before", type_="primary")
        for column, table in (("connection_id", "connection"), ("session_id", "sign_in_session")):
            name = op.f(f"fk_participation_{column}_{table}")
            op.drop_constraint(name, "participation_before", type_="foreignkey")
    op.create_table(
        "participation",
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("name_id_format", sa.Text(), nullable=False),
        sa.Column("name_id", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=True) for name in further),
        sa.Column("session_index", sa.Text(), nullable=False),
        sa.Column("first_issued", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connection.id"],
            name=op.f("fk_participation_connection_id_connection"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["sign_in_session.id"],
            name=op.f("fk_participation_session_id_sign_in_session"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(*primary_key, name=op.f("pk_participation")),
    )
    op.create_index(op.f("ix_participation_name_id"), "participation", ["name_id"], unique=False)
    kept = "session_id, connection_id, name_id_format, name_id, session_index, first_issued"
    op.execute(
        f"INSERT INTO participation ({kept}) SELECT {kept} FROM participation_before WHERE true "  # noqa: S608 - no value in it comes from outside
        "ON CONFLICT DO NOTHING"
    )
    op.drop_table("participation_before")
