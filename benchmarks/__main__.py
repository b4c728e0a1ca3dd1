"""`python -m benchmarks`: the race, the trouble and the master, as tables and as JSON."""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import master, race, trouble
from benchmarks.contestant import NAMES
from benchmarks.race import Race
from benchmarks.report import Report, Row

_FOLLOWERS = (1, 10, 50, 100, 200)
_AIM_FOLLOWERS = 100
_PROBES = 50
_MASTER_ROWS = 220_000


def main(arguments: Sequence[str]) -> int:
    """Exit code 0 when every contestant copied every order exactly once, else 1."""
    asked = _parse(arguments)
    report = Report()
    Path("build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir="build") as name:
        scratch = Path(name)
        document: dict[str, object] = {"host": _host(scratch)}
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
        document |= {"race": rows, "hops": hops, "aims": _aims(rows)}
        report.aims(_aims(rows))
        if asked.master:
            told_of_master = master.run(asked.master, scratch)
            report.master(told_of_master)
            document["master"] = told_of_master
        if asked.trouble:
            beside = trouble.run(asked.trouble, asked.warm_up, scratch)
            report.trouble(beside)
            faults += beside["faults"]
            document["trouble"] = beside
    report.faults(faults)
    document["faults"] = faults
    if asked.json:
        Path(asked.json).write_text(json.dumps(document, indent=1) + "\n")
    return 1 if faults else 0


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--followers", type=_numbers, default=_FOLLOWERS, metavar="1,10,100")
    parser.add_argument("--only", type=_names, default=NAMES, metavar=",".join(NAMES))
    parser.add_argument("--orders", type=int, default=10, help="in a block")
    parser.add_argument("--blocks", type=int, default=3)
    parser.add_argument("--warm-up", type=int, default=3, help="orders that do not count")
    parser.add_argument("--trouble", type=int, default=40, help="orders beside trouble; 0: none")
    parser.add_argument("--master", type=int, default=_MASTER_ROWS, help="rows of it; 0: none")
    parser.add_argument("--quick", action="store_true", help="a few seconds, to see that it works")
    parser.add_argument("--profile", action="store_true", help="Lockstep alone, under a profiler")
    parser.add_argument("--json", metavar="PATH")
    asked = parser.parse_args(arguments)
    if asked.quick:
        asked.followers, asked.orders, asked.blocks = (3,), 1, 2
        asked.warm_up, asked.trouble, asked.master = 1, 1, 2000
    if asked.profile:
        asked.only, asked.trouble, asked.master = ("lockstep",), 0, 0
    return asked


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split(","))


def _names(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    unknown = set(names) - set(NAMES)
    if unknown:
        raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: not one of {NAMES}")
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
