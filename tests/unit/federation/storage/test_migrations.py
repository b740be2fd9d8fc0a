from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Column, Engine, Integer, MetaData, Table, Text, inspect, text

from federation.errors import ConfigurationError
from federation.storage import engine as engines
from federation.storage.migrations import require_current, revise, upgrade

ENV = "from federation.storage.migrations import run\nrun()\n"
FIRST = """
revision, down_revision = "0001", None
import sqlalchemy as sa
from alembic import op
def upgrade():
    op.create_table("person", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.Text))
    op.execute("INSERT INTO person (id, name) VALUES (1, 'alice')")
"""
SECOND = """
revision, down_revision = "0002", "0001"
import sqlalchemy as sa
from alembic import op
def upgrade():
    with op.batch_alter_table("person") as table:
        table.alter_column("name", existing_type=sa.Text(), nullable=False)
"""
BROKEN = """
revision, down_revision = "0002", "0001"
from alembic import op
def upgrade():
    op.execute("CREATE TABLE half (id INTEGER)")
    op.execute("this is not SQL")
"""


TEMPLATE = """
revision, down_revision = ${repr(up_revision)}, ${repr(down_revision)}
import sqlalchemy as sa
from alembic import op
def upgrade():
    ${upgrades if upgrades else "pass"}
"""


class App:
    """An app's migrations folder, written revision by revision."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "migrations"
        (self.folder / "versions").mkdir(parents=True)
        (self.folder / "env.py").write_text(ENV)

    def write(self, name: str, source: str) -> None:
        (self.folder / "versions" / name).write_text(source)

    def upgrade(self, engine: Engine, revision: str = "head") -> None:
        upgrade(engine, script_location=str(self.folder), version_table="app_version", revision=revision)

    def require_current(self, engine: Engine) -> None:
        require_current(engine, script_location=str(self.folder), version_table="app_version")


@pytest.fixture
def app(tmp_path: Path) -> App:
    made = App(tmp_path)
    made.write("0001_person.py", FIRST)
    return made


def test_an_empty_database_is_brought_to_the_newest_revision(app: App, engine: Engine) -> None:
    app.write("0002_name.py", SECOND)
    app.upgrade(engine)
    columns = {column["name"]: column["nullable"] for column in inspect(engine).get_columns("person")}
    assert columns == {"id": False, "name": False}
    app.require_current(engine)


def test_upgrading_again_changes_nothing(app: App, engine: Engine) -> None:
    app.upgrade(engine)
    app.upgrade(engine)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT name FROM person")).scalars().all() == ["alice"]


def test_each_app_has_a_version_table_of_its_own(app: App, engine: Engine) -> None:
    app.upgrade(engine)
    assert sorted(inspect(engine).get_table_names()) == ["app_version", "person"]


def test_an_old_database_is_not_used(app: App, engine: Engine) -> None:
    app.upgrade(engine)
    app.write("0002_name.py", SECOND)
    with pytest.raises(ConfigurationError, match="run the upgrade command first"):
        app.require_current(engine)


def test_a_database_of_a_newer_release_is_said(app: App, engine: Engine) -> None:
    app.upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE app_version SET version_num = '9999'"))
    with pytest.raises(ConfigurationError, match="cannot be upgraded: Can't locate revision identified by '9999'"):
        app.upgrade(engine)


def test_a_migration_that_fails_leaves_the_database_as_it_was(app: App, engine: Engine) -> None:
    app.upgrade(engine)
    app.write("0002_broken.py", BROKEN)
    with pytest.raises(ConfigurationError):
        app.upgrade(engine)
    assert "half" not in inspect(engine).get_table_names()


def test_a_broken_database_is_said_in_one_sentence(app: App, tmp_path: Path) -> None:
    (tmp_path / "broken.sqlite").write_bytes(b"a letter" * 200)
    broken = engines.create(f"sqlite:///{tmp_path}/broken.sqlite")
    with pytest.raises(ConfigurationError, match="file is not a database"):
        app.upgrade(broken)
    with pytest.raises(ConfigurationError, match="file is not a database"):
        app.require_current(broken)


def test_a_revision_is_written_from_what_the_models_say_now(app: App, tmp_path: Path) -> None:
    (app.folder / "script.py.mako").write_text(TEMPLATE)
    models = MetaData()
    Table("person", models, Column("id", Integer, primary_key=True), Column("name", Text), Column("mail", Text))
    scratch = engines.create(f"sqlite:///{tmp_path}/scratch.sqlite")
    (path,) = revise(scratch, script_location=str(app.folder), metadata=models, message="people have mail")
    scratch.dispose()
    assert "sa.Column('mail'" in Path(path).read_text()
    assert Path(path).parent == app.folder / "versions"

    fresh = engines.create(f"sqlite:///{tmp_path}/fresh.sqlite")
    app.upgrade(fresh)
    assert [column["name"] for column in inspect(fresh).get_columns("person")] == ["id", "name", "mail"]
    fresh.dispose()
