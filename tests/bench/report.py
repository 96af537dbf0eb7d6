"""Measures as a table on the terminal and on the page."""

import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Column, Table

from tests.bench.measure import Measure

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"


@dataclass(frozen=True, slots=True)
class Result:
    name: str
    about: str
    measures: tuple[Measure, ...]
    seconds: float
    failure: str = ""  # why there are no measures

    @property
    def is_kept(self) -> bool:
        return not self.failure and all(measure.is_kept for measure in self.measures)


def show(results: list[Result]) -> None:
    table = Table("bench", "what", *_right("measured", "budget", "used"), "", title=f"{today()}, {machine()}")
    for result in results:
        if result.failure:
            table.add_row(result.name, result.failure, "", "", "", "[red]failed[/]")
        for measure in result.measures:
            verdict = "" if measure.budget is None else "[green]kept[/]" if measure.is_kept else "[red]over[/]"
            what = f"{measure.what} [dim]({measure.note})[/]" if measure.note else measure.what
            table.add_row(result.name, what, _value(measure), _budget(measure), _used(measure), verdict)
        table.add_section()
    Console().print(table)


def write_page(results: list[Result], page: Path = PAGE) -> None:
    """Put each result into its section of the page; sections of benches that did not run stay as they are."""
    text = page.read_text()
    for result in results:
        if result.failure:
            continue
        start, end = f"<!-- bench {result.name} -->", f"<!-- end {result.name} -->"
        section = f"{start}\n{_section(result)}\n{end}"
        before, found, rest = text.partition(start)
        text = f"{before}{section}{rest.partition(end)[2]}" if found else f"{text.rstrip()}\n\n{section}\n"
    page.write_text(text)


def _section(result: Result) -> str:
    rows = [
        f"| {measure.what} | {_value(measure)} | {_budget(measure)} | {_used(measure)} | {measure.note} |"
        for measure in result.measures
    ]
    head = ["| what | measured | budget | used | |", "|---|---:|---:|---:|---|"]
    return "\n".join([f"### {result.name}: {result.about}", "", f"{today()}, {machine()}.", "", *head, *rows])


def today() -> str:
    return datetime.now(UTC).date().isoformat()


def machine() -> str:
    """Enough to know what figures may be compared, and nothing that names a machine."""
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"


def _right(*names: str) -> list[Column]:
    return [Column(name, justify="right") for name in names]


def _value(measure: Measure) -> str:
    return _number(measure.value, measure.unit)


def _budget(measure: Measure) -> str:
    return "" if measure.budget is None else f"{measure.bound} {_number(measure.budget, measure.unit)}"


def _used(measure: Measure) -> str:
    return "" if measure.share is None else f"{measure.share:.0%}"


def _number(value: float, unit: str) -> str:
    """Three digits are all that a measurement of this kind is worth."""
    if (value == int(value) and abs(value) < 1e12) or abs(value) >= 1000:
        text = f"{value:,.0f}"
    else:
        text = f"{value:.3g}"
    return text if not unit else f"{text}x" if unit == "x" else f"{text} {unit}"
