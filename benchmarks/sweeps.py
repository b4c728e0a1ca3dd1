"""What reading the leader's order book costs, by how many orders are in it.

Once a second instead of every three, in a process that does nothing else: its CPU time for each
reading, from the request to the next one; how long after the answer an order arrives in a
follower that only the book tells of; and how much longer one takes whose event comes at the same
moment as a book than one whose event comes alone.
"""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.children import BrokerChild, ContestantChild
from benchmarks.contest import BESIDE, BOOK, EVENT, Contest, client_id
from benchmarks.figures import Order

SIZES = (1, 100, 1000)
_EVERY_SECONDS = 1.0
_MOST_SWEEPS = 20


def run(sizes: Sequence[int], orders: int, scratch: Path) -> dict[str, Any]:
    """For each size of the book, over so many orders told in each way (medians, ms)."""
    own = scratch / "sweeps"
    own.mkdir()
    rows, faults = [], []
    with BrokerChild() as broker:
        followers = (client_id(0, 1),)
        contest = Contest(
            broker.api_url,
            broker.feed_url,
            client_id(0, 0),
            followers,
            str(own),
            sweep_seconds=_EVERY_SECONDS,
        )
        with ContestantChild("lockstep", contest) as child:
            child.await_ready()
            for size in sizes:
                row, found = _measured(broker, child, size, orders)
                rows.append(row)
                faults += [fault for order in found for fault in order.faults]
            child.end()
    return {"every_seconds": _EVERY_SECONDS, "rows": rows, "faults": faults}


def _measured(
    broker: BrokerChild, child: ContestantChild, size: int, orders: int
) -> tuple[dict[str, float], list[Order]]:
    leader = child.contest.leader
    broker.fill_book(leader, size)
    broker.await_sweeps(leader, 3)
    child.await_quiet()
    sweeps = min(orders, _MOST_SWEEPS)
    broker.await_sweeps(leader, 1)
    before = child.cpu_seconds()
    broker.await_sweeps(leader, sweeps)
    cpu_ms = (child.cpu_seconds() - before) / sweeps * 1000
    told: dict[str, list[Order]] = {EVENT: [], BESIDE: [], BOOK: []}
    for _ in range(orders):
        for how, found in told.items():
            broker.fill_book(leader, size)
            broker.await_sweeps(leader, 1)
            child.await_quiet()
            found.append(broker.order(child.contest, child.contest.followers, how))
            child.await_quiet()
            broker.trade()
    alone, beside, book = (_delay(found) for found in told.values())
    row = {
        "orders": size,
        "cpu_ms": cpu_ms,
        "book_ms": book,
        "event_ms": alone,
        "beside_ms": beside,
        "waits_ms": beside - alone,
    }
    return row, [order for found in told.values() for order in found]


def _delay(orders: Sequence[Order]) -> float:
    return statistics.median(order.delays()[-1] for order in orders)
