"""Which configuration a command works on: `-c FILE[#SECTION]`, the same ini files that `pserve` reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from federation.errors import ConfigurationError

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_FILE = "development.ini"
ENVIRONMENT_VARIABLE = "FEDERATION_CONFIG"


@dataclass(frozen=True)
class ConfigFile:
    """An ini file and the application section in it."""

    path: Path
    section: str
    """Name of the application: `main` for `[app:main]`."""

    @classmethod
    def parse(cls, text: str, *, default_section: str) -> ConfigFile:
        """Read `FILE` or `FILE#SECTION`."""
        path, _, section = text.partition("#")
        return cls(Path(path).absolute(), section.removeprefix("app:") or default_section)

    def __str__(self) -> str:
        return f"{self.path}#{self.section}"

    def settings(self) -> dict[str, str]:
        """The raw settings of the section, with `%(here)s` and the `[DEFAULT]` values filled in.

        `here` is among them: what a relative path in a setting is relative to. Raises `ConfigurationError` when the
        file cannot be read or has no such section.
        """
        from configparser import Error as IniError
        from configparser import RawConfigParser

        from paste.deploy import appconfig

        try:
            sections = RawConfigParser()
            sections.read_string(self.path.read_text(encoding="utf-8"), source=str(self.path))
            apps = [name.removeprefix("app:") for name in sections.sections() if name.startswith("app:")]
            if self.section not in apps:
                present = ", ".join(apps) or "none"
                raise ConfigurationError(f"{self.path} has no section [app:{self.section}]; apps in it: {present}")
            return {"here": str(self.path.parent), **appconfig(f"config:{self.path}", name=self.section).local_conf}
        except OSError as error:
            raise ConfigurationError(f"{self.path}: {error.strerror}") from error
        except (IniError, UnicodeDecodeError, LookupError, ImportError) as error:
            raise ConfigurationError(f"{self.path} cannot be read as an ini file: {_first_line(error)}") from error


def configuration_option(*, default_section: str = "main") -> Callable[[F], F]:
    """Decorator: gives a click command or group the option `-c/--config` as the argument `config: ConfigFile`."""

    def read(_context: click.Context, _parameter: click.Parameter, value: str) -> ConfigFile:
        return ConfigFile.parse(value, default_section=default_section)

    return click.option(
        "-c",
        "--config",
        metavar="FILE[#SECTION]",
        default=DEFAULT_FILE,
        show_default=True,
        envvar=ENVIRONMENT_VARIABLE,
        callback=read,
        help=f"Configuration file, and the application section in it ({default_section} unless told).",
    )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
