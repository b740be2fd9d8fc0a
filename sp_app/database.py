"""The federation's tables in a database: our own migrations and version table, beside whatever a host keeps there."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Engine

from federation.storage import migrations

_WHERE: Final = {"script_location": "sp_app:migrations", "version_table": "sp_alembic_version"}


def upgrade(engine: Engine) -> None:
    """Bring the tables to this release. Raises `ConfigurationError` when the database cannot be used."""
    migrations.upgrade(engine, **_WHERE)


def require_current(engine: Engine) -> None:
    """Raise `ConfigurationError` unless the tables are there and at this release."""
    migrations.require_current(engine, **_WHERE)
