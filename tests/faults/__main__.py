"""`make faults N=...`: so many seeded days, their faults counted, their violations listed."""

import argparse
import os
import sys
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.faults.day import Day


def played(seed: int) -> tuple[int, list[str], Counter[str]]:
    """A day in a folder of its own: its seed, violations and faults."""
    with tempfile.TemporaryDirectory(prefix=f"day-{seed}-") as folder:
        day = Day(seed, Path(folder))
        try:
            wrong = day.play()
        except Exception as trouble:
            wrong = [f"the day broke off: {type(trouble).__name__}: {trouble}"]
        if wrong and os.environ.get("KEEP_OUTPUT"):
            Path(os.environ["KEEP_OUTPUT"], f"{seed}.txt").write_text(day.house.output())
        return seed, wrong, day.struck


def main() -> int:
    """Play the days side by side; 1 when any book was wrong."""
    ask = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    ask.add_argument("days", type=int, nargs="?", default=40)
    ask.add_argument("--first", type=int, default=0, help="the first seed")
    ask.add_argument("--side-by-side", type=int, default=4, help="days at once")
    wanted = ask.parse_args()
    console, faults, bad = Console(), Counter[str](), 0
    with ProcessPoolExecutor(wanted.side_by_side) as pool:
        seeds = range(wanted.first, wanted.first + wanted.days)
        for done in as_completed([pool.submit(played, seed) for seed in seeds]):
            seed, wrong, struck = done.result()
            faults += struck
            bad += bool(wrong)
            for line in wrong:
                console.print(f"seed {seed}: {line}", style="red")
    table = Table(title=f"{wanted.days} days, {faults.total()} faults")
    table.add_column("fault")
    table.add_column("times", justify="right")
    for name, times in sorted(faults.items()):
        table.add_row(name, str(times))
    console.print(table)
    console.print(f"{bad} days with violations", style="red" if bad else "green")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
