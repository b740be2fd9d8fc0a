"""`-c FILE#SECTION`: which section is meant, and one sentence for whatever is wrong with the file."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from federation.cli.configuration import ConfigFile, configuration_option
from federation.errors import ConfigurationError

INI = """
[DEFAULT]
var = %(here)s/var
port = 6543
[app:main]
use = call:json:loads
idp.database_url = sqlite:///%(var)s/idp.sqlite
[app:sp]
use = call:json:loads
sp.site_name = Intranet
sp.public_url = http://localhost:%(port)s
[app:learning]
use = sp
sp.site_name = Learning
"""


@pytest.fixture
def ini(tmp_path: Path) -> Path:
    path = tmp_path / "development.ini"
    path.write_text(INI)
    return path


def settings(path: Path, section: str) -> dict[str, str]:
    """Settings of a section; `here`, which all have, is checked and left out."""
    found = ConfigFile(path, section).settings()
    assert found.pop("here") == str(path.parent)
    return found


def test_settings_have_their_variables_filled_in_and_the_defaults_left_out(ini):
    assert settings(ini, "main") == {"idp.database_url": f"sqlite:///{ini.parent}/var/idp.sqlite"}


def test_a_section_may_stand_on_another(ini):
    assert settings(ini, "learning") == {"sp.site_name": "Learning", "sp.public_url": "http://localhost:6543"}


@pytest.mark.parametrize(
    ("text", "path", "section"),
    [
        ("a.ini", "a.ini", "main"),
        ("a.ini#sp", "a.ini", "sp"),
        ("a.ini#app:sp", "a.ini", "sp"),
        ("/b/a.ini#", "/b/a.ini", "main"),
    ],
)
def test_the_section_is_named_after_a_hash(text, path, section):
    config = ConfigFile.parse(text, default_section="main")
    assert (config.path, config.section) == (Path.cwd() / path, section)


def test_a_missing_section_is_named_beside_those_there(ini):
    with pytest.raises(ConfigurationError, match=r"has no section \[app:intranet\]; apps in it: main, sp, learning$"):
        settings(ini, "intranet")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match=r"nowhere\.ini: No such file or directory$"):
        settings(tmp_path / "nowhere.ini", "main")


@pytest.mark.parametrize(
    "text",
    [
        "[app:main\nuse = call:json:loads",
        "use = call:json:loads",
        "[app:main]\nuse = call:json:loads\na = %(nobody)s",
        "[app:main]\nuse = call:json:loads\na = 1\na = 2",
        "[app:main]\nuse = egg:no-such-package#main",
        "[app:main]\nuse = nowhere",
        "[app:main]\na = 1",
        b"[app:main]\nuse = call:json:loads\na = \xff",
    ],
)
def test_whatever_is_wrong_with_the_file_is_one_sentence(tmp_path, text):
    path = tmp_path / "broken.ini"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigurationError) as caught:
        settings(path, "main")
    assert str(caught.value).startswith(f"{path} cannot be read as an ini file: ")
    assert "\n" not in str(caught.value)


def test_a_command_receives_the_file_it_was_given(ini):
    @click.command()
    @configuration_option(default_section="sp")
    def show(config: ConfigFile) -> None:
        click.echo(config)

    assert CliRunner().invoke(show, ["-c", str(ini)]).output == f"{ini}#sp\n"
    assert CliRunner().invoke(show, ["-c", f"{ini}#learning"]).output == f"{ini}#learning\n"
    assert CliRunner().invoke(show, env={"FEDERATION_CONFIG": f"{ini}#main"}).output == f"{ini}#main\n"
