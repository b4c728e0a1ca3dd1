"""Random trading days with everything going wrong end with every book right."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.crashing import POINTS

_ROOT = Path(__file__).parents[2]
_DAYS = 40
_INJECTED = (
    *(f"kill -9 {point}" for point in POINTS),
    "kill -9 at a random instant",
    "SIGTERM",
    "429 storm",
    "clock jump",
    "disk full",
    "ledger locked",
    "ledger could not be written",
    "silent death of a socket",
    "socket cut with a close frame",
    "socket cut without a close frame",
    "token expired",
    *(f"feed: {kind}" for kind in ("double", "drop", "garbage", "partial", "reorder")),
)
_REST = ("delay", "empty", "garbage", "hang", "reset", "status", "throttle", "truncated")
_DONE = (
    "IOC orders",
    "LIMIT orders",
    "MARKET orders",
    "STOP_LOSS orders",
    "exit orders",
    "requests called back",
)


@pytest.mark.scenario("7.2")
@pytest.mark.scenario("7.7")
@pytest.mark.scenario("7.8")
@pytest.mark.scenario("8.10")
@pytest.mark.scenario("9.2")
@pytest.mark.timeout(540)
def test_no_order_is_lost_or_doubled_whatever_goes_wrong() -> None:
    command = [sys.executable, "-m", "tests.faults", str(_DAYS), "--side-by-side", "5"]
    done = subprocess.run(
        command, cwd=_ROOT, capture_output=True, text=True, timeout=520, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{_DAYS} days, 0 with violations" in done.stdout
    counted = dict(re.findall(r"^│ (.*?) +│ +(\d+) │$", done.stdout, re.MULTILINE))
    happened = {name for name, times in counted.items() if int(times)}
    missing = [name for name in (*_INJECTED, *_DONE, "part fills") if name not in happened]
    missing += [kind for kind in _REST if not any(f": {kind} " in name for name in happened)]
    assert not missing, f"never happened: {missing}\n{done.stdout}"
