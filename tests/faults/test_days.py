"""Random trading days with everything going wrong end with every book right."""

import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_DAYS = 24


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
    assert f"{_DAYS} days" in done.stdout
