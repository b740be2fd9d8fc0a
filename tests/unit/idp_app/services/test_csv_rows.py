"""Reading a CSV file of people: every bad line is named."""

from __future__ import annotations

import pytest

from idp_app.services import csv_rows
from idp_app.services.csv_rows import ImportRefused, Problem, read


def refused(data: bytes) -> tuple[Problem, ...]:
    with pytest.raises(ImportRefused) as raised:
        read(data)
    return raised.value.problems


def lines(data: bytes) -> list[int]:
    return [problem.line for problem in read(data).problems]


def test_columns_may_come_in_any_order_and_be_left_out():
    [row] = read(b"Mail , USERNAME,groups\n a@b.example ,alice, one; two;;one\n").rows
    assert row.username == "alice"
    assert row.texts == {"mail": "a@b.example"}
    assert row.lists == {"groups": ("one", "two")}
    assert row.flags == {}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_files_of_every_usual_program_are_read(encoding: str, delimiter: str, newline: str):
    text = newline.join([f"username{delimiter}display_name", f'zoë{delimiter}"Zoë ""Z"" Öz"', ""])
    [row] = read(text.encode(encoding)).rows
    assert (row.username, row.texts["display_name"]) == ("zoë", 'Zoë "Z" Öz')


def test_lines_count_as_an_editor_shows_them():
    data = b'username,display_name\n\nalice,"two\nlines"\nb b,\n,\nc c,\n'
    assert lines(data) == [3, 5, 7]


def test_a_file_in_another_encoding_names_the_lines():
    problems = refused("username\nalice\nzoë\nbob\nöz\n".encode("latin-1"))
    assert [problem.line for problem in problems] == [3, 5]
    assert "UTF-8" in problems[0].reason


def test_utf_16_without_an_end_is_not_guessed_at():
    assert refused("username\n".encode("utf-16")[:-1])[0].line == 1


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (b"name\n", "there is no column 'name'"),
        (b"given_name\n", "the column username is missing"),
        (b"username,mail,mail\n", "the column mail is there twice"),
        (b"", "the column username is missing"),
        (b"username,password\n", "there is no column 'password'"),
    ],
)
def test_a_header_that_cannot_be_is_refused(header: bytes, words: str):
    assert any(words in problem.reason for problem in refused(header + b"a,b,c\n"))


@pytest.mark.parametrize("data", [b"username\n", b"username\n\n\n", b"username\n , \n"])
def test_a_file_without_people_says_so(data: bytes):
    assert read(data).rows == ()
    assert read(data).problems


@pytest.mark.parametrize(
    "row",
    [
        b"a",
        b"a,b,c,no",
        b"two words,,no",
        b",x@y.z,no",
        b"a,no address,no",
        b"a,,perhaps",
        b"a\x00,,no",
        b"a\x07,,no",
        b"x" * 300 + b",,no",
    ],
)
def test_a_row_that_cannot_be_used_is_named_and_the_others_are_read(row: bytes):
    sheet = read(b"username,mail,guest\nalice,,no\n" + row + b"\nbob,,YES\n")
    assert [each.username for each in sheet.rows] == ["alice", "bob"]
    assert [problem.line for problem in sheet.problems] == [3]


def test_one_person_twice_names_the_earlier_line():
    [problem] = read(b"username\nalice\nbob\nALICE\n").problems
    assert problem.line == 4
    assert "on line 2 already" in problem.reason


def test_a_quote_that_never_ends_is_named_where_it_begins():
    sheet = read(b'username,mail\nalice,\nbob,"x\n' + b"x,\n" * 50)
    assert [problem.line for problem in sheet.problems] == [3]
    assert len(sheet.rows) == 1


def test_a_file_beyond_the_limits_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(csv_rows, "MAX_ROWS", 3)
    assert "more than 3 rows" in read(b"username\n" + b"\n".join(b"p%d" % i for i in range(9))).problems[-1].reason
    monkeypatch.setattr(csv_rows, "MAX_OCTETS", 10)
    assert "larger than" in refused(b"username\nalice\n")[0].reason


def test_a_refusal_counts_its_lines():
    assert str(ImportRefused([Problem(1, "x")])) == "nothing was imported: 1 line cannot be used"
    assert str(ImportRefused([Problem(1, "x"), Problem(2, "y")])).endswith("2 lines cannot be used")
