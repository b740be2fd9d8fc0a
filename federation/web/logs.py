"""Logs: events with fields, through the standard library's logging, so that a host's own set-up keeps its say.

A logger from `get_logger` writes `event key=value …` for any handler, and hands the fields over to one that `configure`
or an ini set up (JSON for machines, lines for a person). No import and no include configures anything in a process.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

import structlog

SECRET_WORDS: Final = (
    "password",
    "secret",
    "token",
    "authorization",
    "cookie",
    "assertion",
    "samlre",
    "private",
    "csrf",
)
_NAMES_ONLY: Final = ("_id", "_ids", "_count")
REDACTED: Final = "[redacted]"
_MAX_TEXT: Final = 2000


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger for a module: `log.warning("refused", reference=..., rule=...)`."""
    logger: structlog.stdlib.BoundLogger = structlog.wrap_logger(
        logging.getLogger(name),
        processors=[structlog.stdlib.filter_by_level, redact, _to_standard_library],
        wrapper_class=structlog.stdlib.BoundLogger,
        context_class=dict,
    )
    return logger


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Blank every field whose name sounds secret, at any depth, and cut what is too long to be a fact."""
    return {key: _redacted(key, value) for key, value in event.items()}


def _redacted(key: str, value: Any) -> Any:
    if any(word in key.lower() for word in SECRET_WORDS) and not key.endswith(_NAMES_ONLY):
        return REDACTED
    if isinstance(value, Mapping):
        return {str(inner): _redacted(str(inner), each) for inner, each in value.items()}
    if isinstance(value, str) and len(value) > _MAX_TEXT:
        return value[:_MAX_TEXT] + "…"
    return value


def _to_standard_library(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> tuple[tuple[str], dict[str, Any]]:
    passed = {key: event.pop(key) for key in ("exc_info", "stack_info") if key in event}
    name = str(event.pop("event", ""))
    text = " ".join([name, *(f"{key}={value!r}" for key, value in event.items())])
    return (text,), {**passed, "extra": {"federation": {"event": name, **event}}}


class JSONFormatter(structlog.stdlib.ProcessorFormatter):
    """One JSON object a line. For an ini: `class = federation.web.logs.JSONFormatter` in a `[formatter_…]` section."""

    def __init__(self, *_from_ini: object, **_also: object) -> None:
        super().__init__(
            foreign_pre_chain=_CHAIN,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
        )


class ConsoleFormatter(structlog.stdlib.ProcessorFormatter):
    """One line for a person's eyes, in colours where standard error is a terminal."""

    def __init__(self, *_from_ini: object, **_also: object) -> None:
        super().__init__(
            foreign_pre_chain=_CHAIN,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.dev.ConsoleRenderer(
                    colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
                ),
            ],
        )


def configure(*, json: bool, level: str = "INFO") -> None:
    """Send every record of the process to standard error, as JSON lines or for a terminal."""
    handler = logging.StreamHandler()
    handler.setFormatter(JSONFormatter() if json else ConsoleFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)


def _from_record(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    fields = getattr(event.get("_record"), "federation", None)
    return {**event, **fields} if isinstance(fields, dict) else event


_CHAIN: Final[list[Any]] = [
    _from_record,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    redact,
]
