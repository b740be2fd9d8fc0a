"""Alembic, run by the program: each app owns a `migrations/` folder and a version table, and no alembic.ini exists.

An app's `migrations/env.py` is two lines:

    from federation.storage.migrations import run
    run()
"""

from __future__ import annotations

import sqlite3
from argparse import Namespace

from alembic import command, context
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Engine, MetaData
from sqlalchemy.exc import SQLAlchemyError

from federation.errors import ConfigurationError
from federation.storage import engine as engines


def upgrade(engine: Engine, *, script_location: str, version_table: str, revision: str = "head") -> None:
    """Bring a database to a revision, in one transaction.

    `script_location` is an importable folder (`"idp_app:migrations"`). Raises ConfigurationError when the database
    cannot be used or holds a revision that this release does not know.
    """
    engines.check(engine)
    config = _configuration(script_location, version_table)
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
    except CommandError as error:
        raise ConfigurationError(f"the database cannot be upgraded: {error}") from error
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise engines.unusable(engine, error) from error


def require_current(engine: Engine, *, script_location: str, version_table: str) -> None:
    """Raise ConfigurationError unless the database is at the newest revision: an app does not start on an old one."""
    engines.check(engine)
    heads = set(ScriptDirectory.from_config(_configuration(script_location, version_table)).get_heads())
    with engine.connect() as connection:
        present = set(MigrationContext.configure(connection, opts={"version_table": version_table}).get_current_heads())
    if present != heads:
        where = engine.url.render_as_string(hide_password=True)
        raise ConfigurationError(
            f"the database {where} is not at this release's revision: run the upgrade command first"
        )


def run(metadata: MetaData | None = None) -> None:
    """The body of an app's `env.py`: migrate on the connection that was handed in.

    SQLite cannot alter a table in place, so migrations there use batch mode (`op.batch_alter_table`).
    """
    config = context.config
    context.configure(
        connection=config.attributes["connection"],
        target_metadata=metadata if metadata is not None else config.attributes.get("metadata"),
        version_table=config.attributes["version_table"],
        render_as_batch=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def revise(engine: Engine, *, script_location: str, metadata: MetaData, message: str) -> tuple[str, ...]:
    """Write a revision that takes the newest one to what the models say, and answer the paths of what was written.

    `engine` is a scratch database: it is upgraded first. Raises ConfigurationError as `upgrade` does.
    """
    version_table = "scratch_version"
    upgrade(engine, script_location=script_location, version_table=version_table)
    config = _configuration(script_location, version_table)
    config.attributes["metadata"] = metadata
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        written = command.revision(config, message=message, autogenerate=True)
    scripts = written if isinstance(written, list) else [written]
    return tuple(script.path for script in scripts if script is not None)


def _configuration(script_location: str, version_table: str) -> Config:
    config = Config(cmd_opts=Namespace(quiet=True))  # what to print is for commands to decide
    config.set_main_option("script_location", script_location)
    config.set_main_option("path_separator", "os")
    config.attributes["version_table"] = version_table
    return config
