"""Results are plain and aligned; progress is a few lines where there is no terminal."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from federation.cli import output


def test_a_table_is_aligned_and_without_trailing_spaces(capsys):
    output.table(["name", "state"], [["Intranet", "active"], ["L", 3]])
    assert capsys.readouterr().out == "name      state\n--------  ------\nIntranet  active\nL         3\n"


def test_json_keeps_the_order_and_writes_dates_as_text(capsys):
    output.as_json({"b": "é", "a": datetime(2026, 1, 2, tzinfo=UTC)})
    text = capsys.readouterr().out
    assert json.loads(text) == {"b": "é", "a": "2026-01-02 00:00:00+00:00"}
    assert text.index("b") < text.index("a")
    assert "é" in text


HOSTILE = "a\x1b]0;owned\x07\x9b31m\u202eb\nok  c"


def test_what_a_terminal_would_obey_is_shown_as_an_escape(capsys):
    assert output.plain("Zoë 😀 'x'") == "Zoë 😀 'x'"
    assert output.plain(HOSTILE) == "a\\x1b]0;owned\\x07\\x9b31m\\u202eb\\nok  c"
    assert output.plain_lines("a\x1b\nb") == "a\\x1b\nb"
    output.table(["name"], [[HOSTILE]])
    assert HOSTILE not in capsys.readouterr().out
    output.as_json({HOSTILE: [HOSTILE, "é"]})
    text = capsys.readouterr().out
    assert json.loads(text) == {HOSTILE: [HOSTILE, "é"]}
    assert all(character.isprintable() or character == "\n" for character in text)


def test_progress_without_a_terminal_is_two_lines_on_standard_error(capsys):
    with output.progress("Pushing", 3) as advance:
        advance()
        advance(2)
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "Pushing ...\nPushing: 3 of 3 done\n"


def test_progress_without_a_known_total_counts(capsys):
    with output.progress("Pushing", None) as advance:
        advance(5)
    assert capsys.readouterr().err.endswith("Pushing: 5 done\n")


def test_progress_on_a_terminal_draws_a_bar(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    with output.progress("Pushing", 2) as advance:
        advance(2)
    assert "2/2" in capsys.readouterr().err
