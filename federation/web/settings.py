"""Settings: from ini keys to one frozen object, or the app does not start and says everything that is wrong at once.

    class IdPSettings(Settings):
        public_url: PublicURL = Field(description="Where browsers find this site.")
        lifetime: Duration = Field(timedelta(hours=8), description="How long a session lasts.")
        secret: SecretStr = Field(description="…")  # idp.secret = env:IDP_SECRET   or   file:%(here)s/var/secret

    settings = read("idp.", raw, IdPSettings)

The raw settings should hold paste's `here`, from which a relative `file:` is read.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, SecretBytes, SecretStr, ValidationError

from federation.errors import ConfigurationError
from federation.web.addresses import origin_of


class Settings(BaseModel):
    """Base of each app's settings: frozen, and an unknown key is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, hide_input_in_errors=True)


M = TypeVar("M", bound=BaseModel)

_UNITS: Final = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
_DURATION: Final = re.compile(r"(\d{1,9})\s*(second|minute|hour|day|week)s?", re.IGNORECASE | re.ASCII)
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_SECRETS: Final = (SecretStr, SecretBytes)


def _duration(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    parts = [_DURATION.fullmatch(part.strip()) for part in value.split(",")]
    if not all(parts):
        raise ValueError("write a duration such as 8 hours, 15 minutes or 1 day, 12 hours")
    return timedelta(seconds=sum(int(part[1]) * _UNITS[part[2].lower()] for part in parts if part))


def _lines(value: Any) -> Any:
    return tuple(value.split()) if isinstance(value, str) else value


def _public_url(value: str) -> str:
    origin = origin_of(value)
    if not origin.startswith(("http://", "https://")) or any(mark in value for mark in "@?#\\ "):
        raise ValueError("write an address such as https://login.example.org")
    parts = urlsplit(value)
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise ValueError("plain http is only for loopback: use https")
    if parts.netloc != parts.netloc.lower():
        raise ValueError("write the host name in lower case")
    return origin + parts.path.rstrip("/")


Duration = Annotated[timedelta, BeforeValidator(_duration)]
"""`8 hours`, `15 minutes`, `1 day, 12 hours`."""
Words = Annotated[tuple[str, ...], BeforeValidator(_lines)]
"""Several values, separated by spaces or lines."""
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], BeforeValidator(_lines)]
"""Networks such as 10.0.0.0/8, separated by spaces or lines."""
PublicURL = Annotated[str, AfterValidator(_public_url)]
"""https, or http on loopback; without a trailing slash or a port that goes without saying."""


def read(prefix: str, raw: Mapping[str, str], model: type[M]) -> M:
    """Read the settings that begin with `prefix` (with its dot, `"idp."`). Others are left to whom they concern.

    A value `env:NAME` is taken from the environment and `file:PATH` from a file (relative to the ini file); such a
    value is never echoed. Raises ConfigurationError with every mistake: key, value, expectation.
    """
    values: dict[str, str] = {}
    problems: list[str] = []
    hidden: set[str] = {name for name, field in model.model_fields.items() if _is_secret(field.annotation)}
    for key, text in raw.items():
        if not key.startswith(prefix):
            continue
        name = key.removeprefix(prefix)
        if name not in model.model_fields:
            problems.append(_unknown(key, name, prefix, model))
            continue
        try:
            values[name] = _resolve(text, Path(raw.get("here", ".")))
        except (OSError, UnicodeDecodeError, LookupError) as error:
            problems.append(f"{key} = {text}: {_reason(error)}")
            hidden.add(name)
            values[name] = ""
            continue
        if values[name] != text:
            hidden.add(name)
    unresolved = {problem.split(" = ")[0] for problem in problems}
    try:
        settings = model.model_validate(values)
    except ValidationError as error:
        for mistake in error.errors(include_url=False, include_context=False):
            key = prefix + ".".join(str(part) for part in mistake["loc"])
            if key not in unresolved:
                problems.append(_mistake(key, mistake, values, prefix, hidden))
        raise ConfigurationError(*problems) from None
    if problems:
        raise ConfigurationError(*problems)
    return settings


def _is_secret(annotation: Any) -> bool:
    return annotation in _SECRETS or any(_is_secret(part) for part in get_args(annotation))


def _resolve(text: str, here: Path) -> str:
    if text.startswith("env:"):
        name = text.removeprefix("env:")
        if name not in os.environ:
            raise LookupError(f"the environment has no variable {name}")
        return os.environ[name]
    if text.startswith("file:"):
        return (here / text.removeprefix("file:")).read_text("utf-8").strip()
    return text


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"the file cannot be read ({error.strerror})"
    return "the file is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else str(error.args[0])


def _unknown(key: str, name: str, prefix: str, model: type[BaseModel]) -> str:
    near = difflib.get_close_matches(name, model.model_fields, n=1)
    return f"{key}: there is no such setting" + (f"; did you mean {prefix}{near[0]}?" if near else "")


def _mistake(key: str, mistake: Any, values: Mapping[str, str], prefix: str, hidden: set[str]) -> str:
    if mistake["type"] == "missing":
        return f"{key}: is required and not set"
    expectation = mistake["msg"].removeprefix("Value error, ")
    name = key.removeprefix(prefix).split(".")[0]
    if not name:
        return expectation
    shown = "a value that is not shown" if name in hidden else repr(values.get(name, "the default"))
    return f"{key} = {shown}: {expectation[0].lower()}{expectation[1:]}"
