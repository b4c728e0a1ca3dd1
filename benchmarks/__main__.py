"""`python -m benchmarks`: what Lockstep takes, as tables and as JSON.

The race (how soon every follower's order arrives, beside other ways to do it), the trouble (what a
hanging and a slow account cost the others), the recovery (how soon all is right again after the
leader could not be reached), the sweeps (what reading its order book costs), the burst (how near
to Dhan's limits many orders at once are copied), the decisions (what one takes with every rule on),
the day (what a long one makes of that), the clock (what asking it takes), the instrument master
(what loading it takes), and the adopting (what taking over an older program's database takes).
"""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import (
    adopting,
    burst,
    clock,
    day,
    decisions,
    master,
    race,
    recovery,
    sweeps,
    trouble,
)
from benchmarks.contestant import NAMES
from benchmarks.race import Race
from benchmarks.report import Report, Row

_FOLLOWERS = (1, 10, 50, 100, 200)
_AIM_FOLLOWERS = 100
_PROBES = 50
_MASTER_ROWS = 220_000
_ADOPTED = 100_000
_PARTS = (
    "race",
    "trouble",
    "recovery",
    "sweeps",
    "burst",
    "decisions",
    "day",
    "clock",
    "master",
    "adopting",
)
_ROUNDS_OF = (1, 10, 100)


def main(arguments: Sequence[str]) -> int:
    """Exit code 0 when every contestant copied every order exactly once, else 1."""
    asked = _parse(arguments)
    report = Report()
    Path("build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir="build") as name:
        scratch = Path(name)
        document: dict[str, Any] = {"host": _host(scratch)}
        if "race" in asked.parts:
            document |= _race(asked, report, scratch)
        if asked.trouble and "trouble" in asked.parts:
            document["trouble"] = trouble.run(asked.trouble, asked.warm_up, scratch)
            report.trouble(document["trouble"])
        if asked.recovery and "recovery" in asked.parts:
            document["recovery"] = recovery.run(asked.recovery_followers, asked.recovery, scratch)
            report.recovery(document["recovery"])
        if asked.sweeps and "sweeps" in asked.parts:
            document["sweeps"] = sweeps.run(asked.books, asked.sweeps, scratch)
            report.sweeps(document["sweeps"])
        if asked.burst and "burst" in asked.parts:
            document["burst"] = burst.run(asked.burst_followers, asked.burst, scratch)
            report.burst(document["burst"])
        if asked.decisions and "decisions" in asked.parts:
            document["decisions"] = decisions.run(asked.decisions)
            report.decisions(document["decisions"])
        if asked.days and "day" in asked.parts:
            document["day"] = day.run(asked.days)
            report.day(document["day"])
        if asked.clock and "clock" in asked.parts:
            document["clock"] = clock.run(asked.clock)
            report.clock(document["clock"])
        if asked.master and "master" in asked.parts:
            document["master"] = master.run(asked.master, scratch)
            report.master(document["master"])
        if asked.adopting and "adopting" in asked.parts:
            document["adopting"] = adopting.run(asked.adopting, scratch)
            report.adopting(document["adopting"])
    parts = (document.get(part, {}) for part in ("trouble", "recovery", "sweeps", "burst"))
    faults = document["faults"] = [
        *document.get("faults", ()),
        *(fault for part in parts for fault in part.get("faults", ())),
    ]
    report.faults(faults)
    if asked.json:
        Path(asked.json).write_text(json.dumps(document, indent=1) + "\n")
    return 1 if faults else 0


def _race(asked: argparse.Namespace, report: Report, scratch: Path) -> dict[str, Any]:
    """Race with every number of followers, report, and give what the document has of it."""
    rows: list[Row] = []
    faults: list[str] = []
    hops: dict[int, Row] = {}
    for followers in asked.followers:
        told = race.run(
            Race(
                asked.only,
                followers,
                asked.blocks,
                asked.orders,
                asked.warm_up,
                scratch,
                asked.profile,
            )
        )
        rows += [tally.row() for tally in told.tallies]
        faults += [fault for tally in told.tallies for fault in tally.faults]
        if told.lockstep:
            hops[followers] = told.lockstep["hops"]
            if asked.profile:
                report.profile(followers, told.lockstep, asked.blocks * asked.orders)
    report.race(rows)
    for followers, found in hops.items():
        report.hops(followers, found)
    aims = _aims(rows)
    report.aims(aims)
    return {"race": rows, "hops": hops, "aims": aims, "faults": faults}


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--parts", type=_parts, default=_PARTS, metavar=",".join(_PARTS))
    parser.add_argument("--followers", type=_numbers, default=_FOLLOWERS, metavar="1,10,100")
    parser.add_argument("--only", type=_names, default=NAMES, metavar=",".join(NAMES))
    parser.add_argument("--orders", type=int, default=10, help="in a block")
    parser.add_argument("--blocks", type=int, default=3)
    parser.add_argument("--warm-up", type=int, default=3, help="orders that do not count")
    parser.add_argument("--trouble", type=int, default=40, help="orders beside trouble; 0: none")
    parser.add_argument(
        "--recovery", type=int, default=30, help="rounds, ten seconds each; 0: none"
    )
    parser.add_argument(
        "--recovery-followers", type=_numbers, default=_ROUNDS_OF, metavar="1,10,100"
    )
    parser.add_argument(
        "--sweeps", type=int, default=20, help="orders told in each way, five seconds each; 0: none"
    )
    parser.add_argument(
        "--books", type=_numbers, default=sweeps.SIZES, metavar="1,100,1000",
        help="orders in the book that is swept",
    )  # fmt: skip
    parser.add_argument("--burst", type=int, default=50, help="orders at once; 0: none")
    parser.add_argument("--burst-followers", type=int, default=20)
    parser.add_argument("--decisions", type=int, default=20_000, help="0: none")
    parser.add_argument(
        "--days", type=_numbers, default=day.SIZES, metavar="100,1000", help="orders of a day"
    )
    parser.add_argument("--clock", type=int, default=100_000, help="questions; 0: none")
    parser.add_argument("--master", type=int, default=_MASTER_ROWS, help="rows of it; 0: none")
    parser.add_argument("--adopting", type=int, default=_ADOPTED, help="orders; 0: none")
    parser.add_argument("--quick", action="store_true", help="a few seconds, to see that it works")
    parser.add_argument("--profile", action="store_true", help="Lockstep alone, under a profiler")
    parser.add_argument("--json", metavar="PATH")
    asked = parser.parse_args(arguments)
    if asked.quick:
        asked.followers, asked.orders, asked.blocks = (3,), 1, 2
        asked.warm_up, asked.trouble, asked.master = 1, 1, 2000
        asked.recovery, asked.recovery_followers = 1, (3,)
        asked.sweeps, asked.books, asked.decisions = 1, (1, 20), 200
        asked.clock, asked.adopting = 2000, 200
        asked.burst, asked.burst_followers, asked.days = 12, 2, (4, 20)
    if asked.profile:
        asked.only, asked.parts = ("lockstep",), ("race",)
    return asked


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split(","))


def _names(text: str) -> tuple[str, ...]:
    return _some_of(NAMES, text)


def _parts(text: str) -> tuple[str, ...]:
    return _some_of(_PARTS, text)


def _some_of(known: Sequence[str], text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    unknown = set(names) - set(known)
    if unknown:
        raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: not one of {known}")
    return names


def _aims(rows: Sequence[Row]) -> dict[str, object]:
    """The last follower with Lockstep beside (c) and (d), at 100 followers."""
    last = {row["contestant"]: row["last_ms"] for row in rows if row["followers"] == _AIM_FOLLOWERS}
    if not {"lockstep", "tasks", "prebuilt"} <= set(last):
        return {}
    return {
        "followers": _AIM_FOLLOWERS,
        "to_tasks": last["lockstep"] / last["tasks"],
        "to_prebuilt": last["lockstep"] / last["prebuilt"],
    }


def _host(scratch: Path) -> dict[str, object]:
    """What the figures depend on; `fsync_us` is the disk under the ledger, in the median."""
    times = []
    with (scratch / "probe").open("wb", buffering=0) as probe:
        for _ in range(_PROBES):
            probe.write(b"\0" * 4096)
            started = time.perf_counter()
            os.fsync(probe.fileno())
            times.append(time.perf_counter() - started)
    return {
        "processors": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "kernel": platform.release(),
        "load": os.getloadavg()[0],
        "fsync_us": sorted(times)[_PROBES // 2] * 1e6,
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
