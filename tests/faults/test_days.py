"""Random trading days with everything going wrong end with every book right."""

import re
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

import pytest

from tests.faults.crashing import POINTS

_ROOT = Path(__file__).parents[2]
_DAYS, _MORE_DAYS, _MORE_SEEDS = 40, 20, 600_000
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
_DONE = ("IOC orders", "LIMIT orders", "MARKET orders", "STOP_LOSS orders", "exit orders")


@pytest.mark.scenario("7.2")
@pytest.mark.scenario("7.7")
@pytest.mark.scenario("7.8")
@pytest.mark.scenario("8.10")
@pytest.mark.scenario("9.2")
@pytest.mark.timeout(800)
def test_no_order_is_lost_or_doubled_whatever_goes_wrong() -> None:
    happened = _played(_DAYS)
    if _missing(happened):  # a fault that was set may have struck nobody on these days
        happened |= _played(_MORE_DAYS, "--first", str(_MORE_SEEDS))
    assert not _missing(happened)


def _played(days: int, *more: str) -> set[str]:
    """What happened on so many days, none of which ended with wrong books."""
    command = [sys.executable, "-m", "tests.faults", str(days), "--side-by-side", "5", *more]
    done = subprocess.run(
        command, cwd=_ROOT, capture_output=True, text=True, timeout=520, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{days} days, 0 with violations" in done.stdout
    counted = dict(re.findall(r"^│ (.*?) +│ +(\d+) │$", done.stdout, re.MULTILINE))
    return {name for name, times in counted.items() if int(times)}


def _missing(happened: Collection[str]) -> list[str]:
    """What was to go wrong, or to be done, and was not."""
    missing = [name for name in (*_INJECTED, *_DONE, "part fills") if name not in happened]
    return missing + [kind for kind in _REST if not any(f": {kind} " in name for name in happened)]
