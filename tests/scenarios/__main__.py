"""`make scenarios`: runs the tests that carry a scenario's number and prints which numbers are
proven, which failed and which no test proves yet."""

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

from tests.scenarios.numbers import NUMBERS

_TESTS = Path(__file__).parents[1]


class _Tally:
    """Collects the outcome of every test by the numbers that it carries."""

    def __init__(self) -> None:
        self.passed: dict[str, int] = {}
        self.failed: dict[str, int] = {}
        self._numbers: dict[str, list[str]] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            marks = item.iter_markers("scenario")
            self._numbers[item.nodeid] = [str(number) for mark in marks for number in mark.args]
        items[:] = [item for item in items if self._numbers[item.nodeid]]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call" and report.passed:
            return
        tally = self.passed if report.passed else self.failed
        for number in self._numbers[report.nodeid]:
            tally[number] = tally.get(number, 0) + 1


def main(words: Sequence[str]) -> int:
    """Run, print the table; 0 when no test failed and every number that a test carries exists."""
    tally = _Tally()
    ended = pytest.main(["-q", "-p", "no:cacheprovider", str(_TESTS), *words], plugins=[tally])
    table = Table(title="Acceptance scenarios")
    for column in ("number", "what", "tests", ""):
        table.add_column(column)
    for number, what in NUMBERS.items():
        passed, failed = tally.passed.get(number, 0), tally.failed.get(number, 0)
        word = "[red]failed" if failed else "[green]proven" if passed else "[yellow]missing"
        table.add_row(number, what, str(passed + failed or ""), word)
    console = Console()
    console.print(table)
    proven = sum(number in tally.passed and number not in tally.failed for number in NUMBERS)
    unknown = sorted({*tally.passed, *tally.failed} - set(NUMBERS))
    console.print(f"{proven} of {len(NUMBERS)} proven")
    if unknown:
        console.print(f"no such scenario: {', '.join(unknown)}", style="bold red")
    return 1 if ended or unknown else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
