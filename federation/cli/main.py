"""The `federation` command: finds the sub-commands, and turns every expected failure into one sentence.

Sub-commands are entry points of the group `federation.commands`, each a click command. None is imported before it is
asked for: `federation --help` reads the first line of each module's docstring from its source instead, so that help and
completion stay quick however much an app imports.
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path

import click

from federation.cli.output import plain_lines
from federation.errors import FederationError

GROUP = "federation.commands"
DEBUG = "FEDERATION_DEBUG"
"""Environment variable: when set, an unexpected error shows its traceback."""

FAILED = 1
MISUSED = 2
INTERRUPTED = 130


class LazyGroup(click.Group):
    """A group whose commands come from entry points and are imported when they are run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all installed commands, in alphabetical order."""
        return sorted(entry_points(group=GROUP).names)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and answer one command; `None` when there is no such."""
        for entry_point in entry_points(group=GROUP, name=cmd_name):
            command = entry_point.load()
            assert isinstance(command, click.Command), f"{entry_point.value} is not a click command"
            return command
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with their summaries, importing none of them."""
        rows = [(entry_point.name, summary(entry_point)) for entry_point in sorted(entry_points(group=GROUP))]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)


def summary(entry_point: EntryPoint) -> str:
    """First line of the docstring of the module behind an entry point, without importing it or its parents."""
    top, *rest = entry_point.module.split(".")
    package = find_spec(top)
    for folder in (package.submodule_search_locations if package else None) or ():
        module = Path(folder, *rest)
        for file in (module.with_suffix(".py"), module / "__init__.py"):
            if file.is_file():
                docstring = ast.get_docstring(ast.parse(file.read_bytes())) or ""
                return docstring.partition("\n")[0]
    return ""


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="saml-federation", prog_name="federation")
def federation() -> None:
    """Run and look after federated sites: identity provider, service providers, metadata and provisioning."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command line and exit: 0 done, 1 refused or failed (one sentence says why), 2 misused."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run one command line and answer its exit code. This is the one place where an error becomes a sentence."""
    try:
        return _exit_code(federation.main(list(arguments), prog_name="federation", standalone_mode=False))
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (`head`, a closed pager) has seen enough. Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except FederationError as error:
        return _fail(error.message)
    except OSError as error:
        return _fail(_sentence(error))
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        said = " ".join(str(error).splitlines()[:1])
        return _fail(f"{type(error).__name__}: {said}. This is a fault of the program: {DEBUG}=1 shows where.")


def _exit_code(result: object) -> int:
    """`ctx.exit(n)` comes back as an integer outside standalone mode; a command's own result means success."""
    return result if isinstance(result, int) and not isinstance(result, bool) else 0


def _sentence(error: OSError) -> str:
    """What the system said, with the file it is about."""
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}" if error.filename else reason


def _fail(message: str) -> int:
    click.echo(f"Error: {plain_lines(message)}", err=True)
    return FAILED
