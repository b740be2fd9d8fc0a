from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from federation.web import logs

NAME = "tests.sample"


@pytest.fixture
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def test_any_handler_gets_a_readable_line(caplog: pytest.LogCaptureFixture) -> None:
    logs.get_logger(NAME).warning("refused", reference="7KQ2-M4XD", share="50%")
    assert caplog.messages == ["refused reference='7KQ2-M4XD' share='50%'"]
    assert caplog.records[0].name == NAME


@pytest.mark.usefixtures("_restored")
def test_our_own_programs_log_fields_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(json=True)
    logs.get_logger(NAME).warning("refused", reference="7KQ2-M4XD")
    logging.getLogger("elsewhere").error("plain %s", "text")
    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert first.pop("timestamp")
    assert first == {"event": "refused", "reference": "7KQ2-M4XD", "level": "warning", "logger": NAME}
    assert (second["event"], second["level"]) == ("plain text", "error")


@pytest.mark.usefixtures("_restored")
def test_a_traceback_is_part_of_the_json_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(json=True)
    logs.get_logger(NAME).error("our_mistake", exc_info=ZeroDivisionError("x"))
    assert "ZeroDivisionError: x" in json.loads(capsys.readouterr().err)["exception"]


@pytest.mark.usefixtures("_restored")
def test_a_terminal_gets_one_line_for_a_person(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(json=False, level="DEBUG")
    logs.get_logger(NAME).debug("refused", reference="7KQ2-M4XD")
    line = capsys.readouterr().err
    assert "refused" in line
    assert "reference=7KQ2-M4XD" in line


def test_the_level_is_the_standard_librarys(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("ERROR")
    logs.get_logger(NAME).info("noise")
    assert caplog.messages == []


@pytest.mark.parametrize(
    "field", ["password", "bearer_token", "SAMLResponse", "Authorization", "cookie", "client_secret", "assertion"]
)
def test_what_sounds_secret_is_blanked(field: str) -> None:
    assert logs.redact(None, "", {field: "hush", "outer": {field: "hush"}}) == {
        field: "[redacted]",
        "outer": {field: "[redacted]"},
    }


def test_the_number_of_a_thing_is_not_the_thing() -> None:
    assert logs.redact(None, "", {"assertion_id": "_1"}) == {"assertion_id": "_1"}


def test_what_is_too_long_to_be_a_fact_is_cut() -> None:
    assert len(logs.redact(None, "", {"explanation": "x" * 100_000})["explanation"]) == 2001


def test_a_formatter_can_be_named_in_an_ini() -> None:
    formatter = logs.JSONFormatter(None, None, "%", defaults=None)
    record = logging.LogRecord(NAME, logging.INFO, "", 0, "text", None, None)
    assert json.loads(formatter.format(record))["event"] == "text"
