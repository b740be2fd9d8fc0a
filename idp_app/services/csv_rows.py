"""Reading a CSV file of people: octets in, checked rows out, or every problem with its line number.

The first line names the columns; `username` is the only one that must be there. A column that is absent leaves what is
stored as it is, an empty cell clears it. Several groups or audiences stand in one cell, separated by semicolons.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from federation.errors import FederationError
from idp_app.errors import InvalidInput
from idp_app.services.texts import clean, clean_mail, clean_username, key

MAX_OCTETS: Final = 20 * 1024 * 1024
MAX_ROWS: Final = 100_000
TEXT_COLUMNS: Final = ("given_name", "family_name", "display_name", "mail", "department")
LIST_COLUMNS: Final = ("groups", "audiences")
FLAG_COLUMNS: Final = ("guest", "suspended")
COLUMNS: Final = ("username", *TEXT_COLUMNS, *LIST_COLUMNS, *FLAG_COLUMNS)
_FLAGS: Final = {"": False, "no": False, "false": False, "0": False, "yes": True, "true": True, "1": True}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one line."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


class ImportRefused(FederationError):
    """The file cannot be imported, and nothing of it was. `problems` names every bad line."""

    rule = "import"

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(tuple(problems))
        self.problems = tuple(problems)

    def __str__(self) -> str:
        lines = "1 line" if len(self.problems) == 1 else f"{len(self.problems)} lines"
        return f"nothing was imported: {lines} cannot be used"


@dataclass(frozen=True, slots=True)
class Row:
    """One person as the file has them. `line` is where the row begins; what the file does not mention is not there."""

    line: int
    username: str
    texts: Mapping[str, str] = field(default_factory=dict)
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    flags: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sheet:
    """What was read: the rows that can be used, and what is wrong with the others."""

    rows: tuple[Row, ...]
    problems: tuple[Problem, ...]


def read(data: bytes) -> Sheet:
    """Read the whole file. Raises `ImportRefused` for one whose encoding or header leaves nothing to read."""
    if len(data) > MAX_OCTETS:
        raise ImportRefused([Problem(1, f"the file is larger than {MAX_OCTETS // 1024 // 1024} MiB")])
    text = _decode(data)
    records = _records(text)
    header_line, header = next(records, (1, []))
    columns = _columns(header_line, header)
    rows: list[Row] = []
    problems: list[Problem] = []
    first_lines: dict[str, int] = {}
    try:
        for line, cells in records:
            if len(rows) + len(problems) >= MAX_ROWS:
                problems.append(Problem(line, f"the file has more than {MAX_ROWS} rows"))
                break
            try:
                rows.append(_row(line, columns, cells, first_lines))
            except InvalidInput as error:
                problems.append(Problem(line, str(error)))
    except ImportRefused as error:
        problems += error.problems
    if not rows and not problems:
        problems.append(Problem(header_line, "there are no people below the header"))
    return Sheet(tuple(rows), tuple(problems))


def _decode(data: bytes) -> str:
    """UTF-8, or UTF-16 with a byte order mark. Anything else is named line by line, not guessed at."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return data.decode("utf-16")
        except UnicodeDecodeError:
            raise ImportRefused([Problem(1, "the file begins like UTF-16 and is not: save it as CSV UTF-8")]) from None
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        bad = [number for number, line in enumerate(data.splitlines(), 1) if not _is_utf8(line)]
        reason = "is not in UTF-8: save the file as CSV UTF-8"
        raise ImportRefused([Problem(number, reason) for number in bad]) from None


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each record that is not blank, with the line on which it begins. The separator is the header's commonest."""
    header = text[: text.find("\n")] if "\n" in text else text
    delimiter = max(",;\t", key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    begins = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise ImportRefused([Problem(begins, f"is not CSV: {error}")]) from None
        if any(cell.strip() for cell in cells):
            yield begins, cells
        begins = reader.line_num + 1


def _columns(line: int, header: Sequence[str]) -> list[str]:
    columns = [cell.strip().lower() for cell in header]
    problems = [
        Problem(line, f"there is no column {name!r}: the columns are {', '.join(COLUMNS)}")
        for name in columns
        if name not in COLUMNS
    ]
    problems += [Problem(line, f"the column {name} is there twice") for name in COLUMNS if columns.count(name) > 1]
    if "username" not in columns:
        problems.append(Problem(line, "the column username is missing"))
    if problems:
        raise ImportRefused(problems)
    return columns


def _row(line: int, columns: Sequence[str], cells: Sequence[str], first_lines: dict[str, int]) -> Row:
    """One row. Raises `InvalidInput` for the first cell that cannot be used, or a person who was there before."""
    if len(cells) != len(columns):
        raise InvalidInput("row", f"has {len(cells)} cells where the header has {len(columns)}")
    values = dict(zip(columns, cells, strict=True))
    username = clean_username(values["username"])
    earlier = first_lines.setdefault(key(username), line)
    if earlier != line:
        raise InvalidInput("user name", f"{username!r} is on line {earlier} already")
    return Row(
        line=line,
        username=username,
        texts={column: _text(column, values[column]) for column in TEXT_COLUMNS if column in values},
        lists={column: _list(column, values[column]) for column in LIST_COLUMNS if column in values},
        flags={column: _flag(column, values[column]) for column in FLAG_COLUMNS if column in values},
    )


def _text(column: str, cell: str) -> str:
    return clean_mail(cell) if column == "mail" else clean(column, cell)


def _list(column: str, cell: str) -> tuple[str, ...]:
    names = (clean(column, name) for name in cell.split(";"))
    return tuple(dict.fromkeys(name for name in names if name))


def _flag(column: str, cell: str) -> bool:
    flag = _FLAGS.get(cell.strip().casefold())
    if flag is None:
        raise InvalidInput(column, f"{cell.strip()[:20]!r} is neither yes nor no")
    return flag
