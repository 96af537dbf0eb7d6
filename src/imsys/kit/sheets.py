"""CSV files that people edit in a spreadsheet: lines, columns and cells, and everything that is wrong in one go."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from imsys.kit.errors import InputError
from imsys.kit.nearest import did_you_mean

Problem = tuple[int, str]
"""(line, what is wrong with it). The heading is line 1."""
T = TypeVar("T")


def read_lines(text: str, problems: list[Problem], *, delimiter: str = ",") -> Iterator[tuple[int, list[str]]]:
    """(line number, cells) of each line that is not empty; a line that is no CSV ends it, and is a problem."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as exc:
            problems.append((number, f"The line is not CSV: {exc}. The rest of the file was not read."))
            return
        if any(cells):
            yield number, cells


def wrong_columns(
    names: Sequence[str], *, columns: Sequence[str], required: Sequence[str], also: Sequence[str] = ()
) -> list[Problem]:
    """What is wrong with a heading. `also`: columns that may be there and are not offered."""
    known = (*columns, *also)
    problems = []
    for name in names:
        if name not in known:
            remedy = did_you_mean(name, known) or f"The columns are: {','.join(columns)}"
            problems.append((1, f"There is no column {name!r}. {remedy}"))
    problems += [(1, f"The column {name!r} is missing.") for name in required if name not in names]
    twice = sorted(name for name in {*names} if names.count(name) > 1)
    return [*problems, *((1, f"The column {name!r} stands there twice.") for name in twice)]


class Cells:
    """The values of one line by column, which remembers every one that is not usable."""

    def __init__(self, cells: Mapping[str, str]) -> None:
        self.cells = cells
        self.wrong: list[str] = []

    def get(self, column: str, check: Callable[[str], T], otherwise: T) -> T:
        try:
            return check(self.cells.get(column, ""))
        except InputError as exc:
            self.wrong.append(str(exc))
            return otherwise

    def check(self, together: Callable[[], None]) -> None:
        """Something about several values, asked when each is good by itself."""
        if self.wrong:
            return
        try:
            together()
        except InputError as exc:
            self.wrong.append(str(exc))


def given(column: str, text: str) -> str:
    if not text:
        raise InputError(f"The {column} is empty.")
    return text
