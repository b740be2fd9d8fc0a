"""Accounts, links, connections, sign-ins, sessions, tokens, audit, and the switch.

Revision ID: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from federation.storage.base import JSONObject as JSON
from federation.storage.base import UTCDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

INSTANT = UTCDateTime()


def upgrade() -> None:
    op.create_table(
        "sp_account",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=True),
        sa.Column("username_key", sa.Text(), nullable=True),
        sa.Column("display_name", sa.Text(), nullable=True),
        sa.Column("given_name", sa.Text(), nullable=True),
        sa.Column("family_name", sa.Text(), nullable=True),
        sa.Column("mail", sa.Text(), nullable=True),
        sa.Column("department", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("administrator", sa.Boolean(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("modified_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sp_account")),
        sa.UniqueConstraint("username_key", name=op.f("uq_sp_account_username_key")),
    )
    op.create_table(
        "sp_audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("idp_entity_id", sa.Text(), nullable=True),
        sa.Column("account_id", sa.Text(), nullable=True),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("checks", JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sp_audit")),
    )
    op.create_index(op.f("ix_sp_audit_at"), "sp_audit", ["at"], unique=False)
    op.create_index(op.f("ix_sp_audit_reference"), "sp_audit", ["reference"], unique=False)
    op.create_table(
        "sp_idp_connection",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("entity_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("metadata_version", sa.Integer(), nullable=False),
        sa.Column("valid_until", INSTANT, nullable=True),
        sa.Column("request_binding", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("modified_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sp_idp_connection")),
        sa.UniqueConstraint("entity_id", name=op.f("uq_sp_idp_connection_entity_id")),
    )
    op.create_table(
        "sp_link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("idp_entity_id", sa.Text(), nullable=False),
        sa.Column("identifier", sa.Text(), nullable=False),
        sa.Column("identifier_key", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("last_sign_in_at", INSTANT, nullable=True),
        sa.Column("provisioned_at", INSTANT, nullable=True),
        sa.Column("removed_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sp_link")),
        sa.UniqueConstraint("idp_entity_id", "identifier_key", name=op.f("uq_sp_link_idp_entity_id_identifier_key")),
    )
    op.create_index(op.f("ix_sp_link_account_id"), "sp_link", ["account_id"], unique=False)
    op.create_table(
        "sp_replay",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("keep_until", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_sp_replay")),
    )
    op.create_index(op.f("ix_sp_replay_keep_until"), "sp_replay", ["keep_until"], unique=False)
    op.create_table(
        "sp_session",
        sa.Column("handle_hash", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("idp_entity_id", sa.Text(), nullable=False),
        sa.Column("subject_key", sa.Text(), nullable=True),
        sa.Column("name_id", sa.Text(), nullable=True),
        sa.Column("name_id_format", sa.Text(), nullable=True),
        sa.Column("name_qualifier", sa.Text(), nullable=True),
        sa.Column("sp_name_qualifier", sa.Text(), nullable=True),
        sa.Column("session_index", sa.Text(), nullable=True),
        sa.Column("authn_instant", INSTANT, nullable=False),
        sa.Column("authn_context_class_ref", sa.Text(), nullable=True),
        sa.Column("attributes", JSON, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("handle_hash", name=op.f("pk_sp_session")),
    )
    op.create_index(op.f("ix_sp_session_account_id"), "sp_session", ["account_id"], unique=False)
    op.create_index(op.f("ix_sp_session_expires_at"), "sp_session", ["expires_at"], unique=False)
    op.create_index(op.f("ix_sp_session_subject_key"), "sp_session", ["subject_key"], unique=False)
    op.create_table(
        "sp_switch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sp_switch")),
    )
    op.create_table(
        "sp_idp_metadata",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("trust", sa.Text(), nullable=False),
        sa.Column("fingerprints", JSON, nullable=False),
        sa.Column("misses", JSON, nullable=False),
        sa.Column("trusted_by", sa.Text(), nullable=False),
        sa.Column("added_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["sp_idp_connection.id"],
            name=op.f("fk_sp_idp_metadata_connection_id_sp_idp_connection"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sp_idp_metadata")),
        sa.UniqueConstraint("connection_id", "version", name=op.f("uq_sp_idp_metadata_connection_id_version")),
    )
    op.create_table(
        "sp_pending_request",
        sa.Column("handle_hash", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("binding_hash", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("issued_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("consumed_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["sp_idp_connection.id"],
            name=op.f("fk_sp_pending_request_connection_id_sp_idp_connection"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("handle_hash", name=op.f("pk_sp_pending_request")),
    )
    op.create_index(op.f("ix_sp_pending_request_expires_at"), "sp_pending_request", ["expires_at"], unique=False)
    op.create_table(
        "sp_scim_token",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("revoked_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["sp_idp_connection.id"],
            name=op.f("fk_sp_scim_token_connection_id_sp_idp_connection"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sp_scim_token")),
        sa.UniqueConstraint("digest", name=op.f("uq_sp_scim_token_digest")),
    )


def downgrade() -> None:
    op.drop_table("sp_scim_token")
    op.drop_index(op.f("ix_sp_pending_request_expires_at"), table_name="sp_pending_request")
    op.drop_table("sp_pending_request")
    op.drop_table("sp_idp_metadata")
    op.drop_table("sp_switch")
    op.drop_index(op.f("ix_sp_session_subject_key"), table_name="sp_session")
    op.drop_index(op.f("ix_sp_session_expires_at"), table_name="sp_session")
    op.drop_index(op.f("ix_sp_session_account_id"), table_name="sp_session")
    op.drop_table("sp_session")
    op.drop_index(op.f("ix_sp_replay_keep_until"), table_name="sp_replay")
    op.drop_table("sp_replay")
    op.drop_index(op.f("ix_sp_link_account_id"), table_name="sp_link")
    op.drop_table("sp_link")
    op.drop_table("sp_idp_connection")
    op.drop_index(op.f("ix_sp_audit_reference"), table_name="sp_audit")
    op.drop_index(op.f("ix_sp_audit_at"), table_name="sp_audit")
    op.drop_table("sp_audit")
    op.drop_table("sp_account")
