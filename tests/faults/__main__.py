"""`make faults N=...`: so many seeded days, what happened in them, and their violations.

With KEEP_OUTPUT the folder of a day with violations is kept there, with logs and ledger.
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.faults.day import Day
from tests.faults.seeds import FOUND

_Played = tuple[int, list[str], Counter[str], Counter[str]]


def played(seed: int) -> _Played:
    """A day in a folder of its own: its seed and violations, the faults, and what else was done."""
    with tempfile.TemporaryDirectory(prefix=f"day-{seed}-") as folder:
        day = Day(seed, Path(folder))
        try:
            wrong = day.play()
        except Exception as trouble:
            wrong = [f"the day broke off: {type(trouble).__name__}: {trouble}"]
        if wrong and (keep := os.environ.get("KEEP_OUTPUT")):
            shutil.copytree(folder, kept := Path(keep, str(seed)), dirs_exist_ok=True)
            (kept / "wrong.txt").write_text("\n".join(wrong))
        return seed, wrong, day.struck, day.done


def main() -> int:
    """Play the days side by side; 1 when any book was wrong."""
    ask = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    ask.add_argument("days", type=int, nargs="?", default=40)
    ask.add_argument("--first", type=int, help="the first seed; else those of old finds come first")
    ask.add_argument("--side-by-side", type=int, default=4, help="days at once")
    wanted = ask.parse_args()
    seeds = _seeds(wanted.days, wanted.first)
    console, struck, done, bad = Console(soft_wrap=True), Counter[str](), Counter[str](), 0
    with ProcessPoolExecutor(wanted.side_by_side) as pool:
        for day in as_completed([pool.submit(played, seed) for seed in seeds]):
            seed, wrong, faults, else_ = day.result()
            struck += faults
            done += else_
            bad += bool(wrong)
            for line in wrong:
                console.print(f"seed {seed}: {line}", style="red", highlight=False)
    console.print(_table(f"{struck.total()} faults", struck))
    console.print(_table("what was done", done))
    console.print(f"{len(seeds)} days, {bad} with violations", style="red" if bad else "green")
    return 1 if bad else 0


def _seeds(days: int, first: int | None) -> Sequence[int]:
    if first is not None:
        return range(first, first + days)
    fresh = [seed for seed in range(days + len(FOUND)) if seed not in FOUND]
    return [*FOUND, *fresh][:days]


def _table(title: str, counted: Counter[str]) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("what")
    table.add_column("times", justify="right")
    for name, times in sorted(counted.items()):
        table.add_row(name, str(times))
    return table


if __name__ == "__main__":
    sys.exit(main())
