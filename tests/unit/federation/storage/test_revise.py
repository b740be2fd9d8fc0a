from __future__ import annotations

import sys
from pathlib import Path

import pytest

from federation.storage.revise import main

ENV = "from federation.storage.migrations import run\nrun()\n"
MODELS = """
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from federation.storage.base import TYPES, make_metadata
class Base(DeclarativeBase):
    metadata = make_metadata()
    type_annotation_map = TYPES
class Person(Base):
    __tablename__ = "person"
    id: Mapped[int] = mapped_column(primary_key=True)
"""
TEMPLATE = """
revision, down_revision = ${repr(up_revision)}, ${repr(down_revision)}
import sqlalchemy as sa
from alembic import op
def upgrade():
    ${upgrades if upgrades else "pass"}
"""


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "made_up_app"
    (folder / "migrations/versions").mkdir(parents=True)
    (folder / "models").mkdir()
    for file, source in {
        "__init__.py": "",
        "models/__init__.py": "from made_up_app.models.base import Base",
        "models/base.py": MODELS,
        "migrations/__init__.py": "",
        "migrations/env.py": ENV,
        "migrations/script.py.mako": TEMPLATE,
    }.items():
        (folder / file).write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    return folder


@pytest.fixture(autouse=True)
def _forget_the_app() -> None:
    for name in [name for name in sys.modules if name.startswith("made_up_app")]:
        del sys.modules[name]


def test_it_writes_a_revision_and_prints_where(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["made_up_app", "people"]) == 0
    written = Path(capsys.readouterr().out.strip())
    assert written.parent == app / "migrations/versions"
    assert "op.create_table('person'" in written.read_text()


def test_it_says_what_is_wrong_in_one_sentence(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("0001", "also_0001"):  # two heads
        (app / f"migrations/versions/{name}.py").write_text(
            f"revision, down_revision = {name!r}, None\ndef upgrade(): pass\n"
        )
    assert main(["made_up_app", "people"]) == 1
    assert capsys.readouterr().err.startswith("the database cannot be upgraded: ")


def test_it_says_how_it_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert capsys.readouterr().err.startswith("usage: ")
