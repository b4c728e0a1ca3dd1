"""Loading an instrument master of Dhan's size, as the engine has it done, and asking it."""

import json
import os
import subprocess
import sys
import time
from itertools import chain
from pathlib import Path

from actors.master import Master
from domain.instruments import InstrumentKey, Segment
from ledger.instruments import MasterFile
from simulator.instruments import built_in, many, master

_QUESTIONS = 200


def run(rows: int, scratch: Path) -> dict[str, float]:
    """How long loading so many rows takes (seconds, on the clock and of CPU), how much memory at
    most (MB), how large the file is (MB), and what a first and a second question cost
    (microseconds, in the median)."""
    csv = scratch / "master.csv"
    with csv.open("w", encoding="utf-8") as lines:
        lines.writelines(master(chain(built_in(), many(rows))))
    file = MasterFile.beside((scratch / "copy_trading.db").absolute(), str(csv.absolute()))
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "actors.master_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps({"path": str(file.path), "source": file.source}) + "\n")
    process.stdin.flush()
    _, _, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.communicate()
    first, again = _questions(file, rows)
    return {
        "instruments": file.edition().instruments,
        "seconds": seconds,
        "cpu_seconds": used.ru_utime + used.ru_stime,
        "peak_mb": used.ru_maxrss / 1024,
        "file_mb": file.path.stat().st_size / 1e6,
        "first_us": first,
        "again_us": again,
    }


def _questions(file: MasterFile, rows: int) -> tuple[float, float]:
    """The first and the second question for some of the last instruments that were generated."""
    asked = Master(file)
    asked.renew()
    newest = [str(1_000_000 + rows - 1 - number) for number in range(min(rows, _QUESTIONS))]
    keys = [InstrumentKey(Segment.NSE_FNO, security_id) for security_id in newest]
    return _median_us(asked, keys), _median_us(asked, keys)


def _median_us(asked: Master, keys: list[InstrumentKey]) -> float:
    times = []
    for key in keys:
        began = time.perf_counter()
        found = asked.find((key,))
        times.append(time.perf_counter() - began)
        if found[key] is None:
            raise RuntimeError(f"{key} was loaded and is not found")
    return sorted(times)[len(times) // 2] * 1e6
