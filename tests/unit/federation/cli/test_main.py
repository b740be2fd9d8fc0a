"""The `federation` command: one sentence for each failure, the right exit code, and nothing imported for its help."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint

import click
import pytest

from federation.cli import main
from federation.errors import ConfigurationError, Malformed


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch):
    """Installs a function as the only sub-command, `try`."""

    def install(body) -> None:
        monkeypatch.setattr(main.LazyGroup, "get_command", lambda *_: click.command("try")(body))

    return install


def raising(error: BaseException):
    def body() -> None:
        raise error

    return body


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (ConfigurationError("idp.scope: missing"), 1, "Error: idp.scope: missing\n"),
        (Malformed("xml.well_formed", "no root"), 1, "Error: xml.well_formed: no root\n"),
        (FileNotFoundError(2, "No such file or directory", "a.csv"), 1, "Error: a.csv: No such file or directory\n"),
        (OSError("nobody answers"), 1, "Error: nobody answers\n"),
        (click.BadParameter("no such day"), 2, "Error: Invalid value: no such day\n"),
        (click.ClickException("not today"), 1, "Error: not today\n"),
        (KeyboardInterrupt(), 130, "Interrupted.\n"),
    ],
)
def test_each_failure_is_one_sentence_and_an_exit_code(command, capsys, error, code, sentence):
    command(raising(error))
    assert main.run(["try"]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith(sentence)
    assert "Traceback" not in err


def test_a_fault_of_our_own_is_named_as_one_without_a_traceback(command, capsys):
    command(raising(KeyError("x")))
    assert main.run(["try"]) == 1
    err = capsys.readouterr().err
    assert err.startswith("Error: KeyError: 'x'. This is a fault of the program")
    assert "Traceback" not in err


def test_a_fault_of_our_own_shows_its_traceback_when_asked(command, monkeypatch):
    monkeypatch.setenv(main.DEBUG, "1")
    command(raising(KeyError("x")))
    with pytest.raises(KeyError):
        main.run(["try"])


def test_success_is_zero_whatever_the_command_returns(command):
    command(lambda: True)
    assert main.run(["try"]) == 0


def test_a_command_chooses_its_exit_code(command):
    command(lambda: click.get_current_context().exit(3))
    assert main.run(["try"]) == 3


def test_misuse_exits_with_two(capsys):
    assert main.run(["no-such-command"]) == 2
    assert "No such command 'no-such-command'" in capsys.readouterr().err


def test_help_lists_every_installed_command_with_its_summary(capsys):
    assert main.run(["--help"]) == 0
    text = capsys.readouterr().out
    for name, words in {"demo": "Run the demo", "idp": "identity provider", "sp": "service provider"}.items():
        (line,) = [line for line in text.splitlines() if line.startswith(f"  {name} ")]
        assert words.lower() in line.lower()


def test_help_imports_no_app_and_nothing_heavy():
    code = (
        "import sys; from federation.cli.main import run; run(['--help']);"
        "heavy = {'idp_app', 'sp_app', 'pyramid', 'sqlalchemy', 'lxml', 'pydantic', 'rich'} & set(sys.modules);"
        "sys.exit(', '.join(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("value", ["no_such_package.cli:x", "json.no_such_module:x", "json.decoder.deeper:x", "sys:x"])
def test_a_command_without_readable_source_has_an_empty_summary(value):
    assert main.summary(EntryPoint("x", value, main.GROUP)) == ""


def test_the_summary_is_the_first_line_of_the_docstring():
    assert main.summary(EntryPoint("x", "json.tool:main", main.GROUP)).startswith("Command-line tool to validate")


def test_output_that_nobody_reads_to_its_end_is_no_traceback():
    code = "from federation.cli.main import main; main(['--help'])"
    done = subprocess.run(
        ["sh", "-c", '"$0" -c "$1" | true', sys.executable, code], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
