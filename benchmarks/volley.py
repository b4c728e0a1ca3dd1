"""The leader of the burst, in a process of its own: `python -m benchmarks.volley URL ORDERS`.

It places its orders evenly over a second, at the control desk of a simulator, and prints when each
was placed (monotonic ns): that one interpreter is not kept from copying by the other's placing.
"""

import json
import subprocess
import sys
import time

from simulator.client import Control

LEADER = "1000000001"
SEGMENT, SECURITY_ID = "NSE_EQ", "2885"
_PRICE = 2300
_SECONDS = 1.0


def place(control: Control, orders: int) -> list[int]:
    """Place so many orders within a second, and say just before when each was placed."""
    began, placed = time.monotonic(), []
    for number in range(orders):
        time.sleep(max(0.0, began + number * _SECONDS / orders - time.monotonic()))
        placed.append(time.monotonic_ns())  # before it, or a slow reply would hide what is late
        control.place(
            LEADER, segment=SEGMENT, security_id=SECURITY_ID, side="BUY", quantity=1,
            price=_PRICE + number,
        )  # fmt: skip
    return placed


def fire(control_url: str, orders: int) -> list[int]:
    """`place` in another process."""
    command = [sys.executable, "-m", "benchmarks.volley", control_url, str(orders)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    placed: list[int] = json.loads(done.stdout)
    return placed


if __name__ == "__main__":
    sys.stdout.write(json.dumps(place(Control(sys.argv[1]), int(sys.argv[2]))))
