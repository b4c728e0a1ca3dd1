"""How soon all is right again after the leader could not be reached.

Its order-update socket is cut and its REST API refuses while it places ten orders, changes three
of them and cancels two; then both are there again. What counts is from the leader's login on its
new socket to the arrival of the last of the copies that every follower should have then.
"""

import statistics
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.children import BrokerChild, ContestantChild
from benchmarks.contest import Contest, client_id
from benchmarks.figures import Gap, p99

ORDERS = 10
_SETTLED_SECONDS = 10.5  # a socket that lived for ten seconds comes back without a long pause


def run(followers: Sequence[int], rounds: int, scratch: Path) -> dict[str, Any]:
    """For each number of followers the median, p99 and worst of so many rounds (ms). They take
    turns, so that whatever the host does meets all alike; only one runs at a time."""
    gaps: dict[int, list[Gap]] = {count: [] for count in followers}
    with ExitStack() as stack:
        broker = stack.enter_context(BrokerChild())
        field: dict[int, ContestantChild] = {}
        for number, count in enumerate(followers):
            contest = _contest(broker, number, count, scratch)
            field[count] = stack.enter_context(ContestantChild("lockstep", contest))
        for child in field.values():
            child.await_ready()
            child.pause()
        begun = dict.fromkeys(followers, -_SETTLED_SECONDS)
        for _ in range(rounds):
            for count, child in field.items():
                time.sleep(max(0.0, begun[count] + _SETTLED_SECONDS - time.monotonic()))
                child.resume()
                gaps[count].append(broker.gap(child.contest, ORDERS))
                begun[count] = time.monotonic()
                child.await_quiet()
                broker.trade()
                child.await_quiet()
                child.pause()
        for child in field.values():
            child.end()
    return {
        "orders": ORDERS,
        "rows": [_row(count, found) for count, found in gaps.items()],
        "faults": [fault for found in gaps.values() for gap in found for fault in gap.faults],
    }


def _contest(broker: BrokerChild, number: int, count: int, scratch: Path) -> Contest:
    own = scratch / f"recovery-{count}"
    own.mkdir()
    followers = tuple(client_id(number, one) for one in range(1, count + 1))
    return Contest(broker.api_url, broker.feed_url, client_id(number, 0), followers, str(own))


def _row(followers: int, gaps: Sequence[Gap]) -> dict[str, object]:
    times = sorted(gap.recovered_ms for gap in gaps)
    return {
        "followers": followers,
        "rounds": len(times),
        "copies": followers * gaps[0].copies,
        "median_ms": statistics.median(times),
        "p99_ms": p99(times),
        "worst_ms": times[-1],
    }
