"""Taking over a database of the older program, a start after that, and what its users ask it.

`python -m benchmarks.adopting PATH` does it with one file, as a process of its own.
"""

import json
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ledger.adopting import Heir, take_over
from ledger.ledger import Ledger
from ledger.memory import Memory
from tests.ledger import legacy

_MINUTE = 60


def run(orders: int, scratch: Path) -> dict[str, Any]:
    """How long it takes (seconds, on the clock and of CPU) to take over so many leader orders, one
    a minute until now, with at most how much memory (MB); how long it takes to restore the follower
    after that, and the slowest of the old queries, before and after (seconds)."""
    path = (scratch / "legacy.db").absolute()
    legacy.make(path, version=2, orders=orders, start=int(time.time()) - _MINUTE * orders)
    before = _slowest(path)
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.adopting", str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    told = json.loads(process.stdout.read())
    _, _, used = os.wait4(process.pid, 0)
    process.returncode = 0
    return {
        "orders": orders,
        "peak_mb": used.ru_maxrss / 1024,
        "file_mb": path.stat().st_size / 1e6,
        "query_before_seconds": before,
        "query_seconds": _slowest(path),
        **told,
    }


def main(path: Path) -> None:
    """Take the file over, restore its follower, and print what that took."""
    began, spent = time.perf_counter(), time.process_time()
    heir, now = Heir("1000000001", "asha", "1000000002"), datetime.now(UTC)
    taken = take_over(path, heir, now)
    seconds, cpu = time.perf_counter() - began, time.process_time() - spent
    assert taken is not None
    with Ledger.open(path) as ledger:
        began = time.perf_counter()
        restored = Memory(ledger).restored(heir.follower, now)
        start = time.perf_counter() - began
    told = {
        "seconds": seconds,
        "cpu_seconds": cpu,
        "copies": taken.copies,
        "restored": len(restored.copies),
        "restored_seconds": start,
    }
    sys.stdout.write(json.dumps(told))


def _slowest(path: Path) -> float:
    times = []
    with closing(sqlite3.connect(path)) as connection:
        for query in legacy.QUERIES:
            began = time.perf_counter()
            connection.execute(query).fetchall()
            times.append(time.perf_counter() - began)
    return max(times)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
