"""What a hanging and a slow account cost the others: the same twenty followers twice.

Orders alternate between a Lockstep whose accounts are all well and one of whose accounts one
never answers and one takes two seconds, so that whatever the host does meets both alike.
"""

import statistics
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.accounts import NEVER
from benchmarks.children import BrokerChild, ContestantChild
from benchmarks.contest import Contest, client_id
from benchmarks.figures import Order

_FOLLOWERS = 20
_SLOW_SECONDS = 2.0
_PAUSE = 0.4


def run(orders: int, warm_up: int, scratch: Path) -> dict[str, Any]:
    """Of the eighteen others, well beside troubled: median and worst dispatch (ms), and the
    ratio of the two. `worst` is the last of an order, in the median of all orders; `slowest` is
    the last of any order."""
    with ExitStack() as stack:
        broker = stack.enter_context(BrokerChild())
        pair = [
            stack.enter_context(ContestantChild("lockstep", _contest(broker, number, scratch)))
            for number in range(2)
        ]
        for child in pair:
            child.await_ready()
        told: list[list[Order]] = [[], []]
        for turn in range(warm_up + orders):
            if turn == warm_up:
                hanging, slow = pair[1].contest.followers[:2]
                broker.conduct(hanging, NEVER)
                broker.conduct(slow, _SLOW_SECONDS)
            for child, heard in zip(pair, told, strict=True):
                everybody = child.contest.followers
                troubled = turn >= warm_up and child is pair[1]
                order = broker.order(child.contest, everybody[2:] if troubled else everybody)
                if turn >= warm_up:
                    heard.append(_of_others(order, everybody[2:]))
                child.await_quiet()
                broker.trade()
                time.sleep(_PAUSE)
        for child in pair:
            child.end()
    well, worse = (_figures(orders) for orders in told)
    return {
        "followers": _FOLLOWERS,
        "orders": orders,
        "well": well,
        "troubled": worse,
        "ratio": {name: worse[name] / well[name] for name in well},
        "faults": [fault for heard in told for order in heard for fault in order.faults],
    }


def _of_others(order: Order, others: tuple[str, ...]) -> Order:
    """The order with the arrivals of the accounts that are compared."""
    return replace(order, arrivals={one: order.arrivals[one] for one in others})


def _contest(broker: BrokerChild, number: int, scratch: Path) -> Contest:
    own = scratch / f"trouble-{number}"
    own.mkdir()
    followers = tuple(client_id(number, one) for one in range(1, _FOLLOWERS + 1))
    return Contest(broker.api_url, broker.feed_url, client_id(number, 0), followers, str(own))


def _figures(orders: list[Order]) -> dict[str, float]:
    delays = [order.delays() for order in orders]
    return {
        "median_ms": statistics.median(delay for order in delays for delay in order),
        "worst_ms": statistics.median(order[-1] for order in delays),
        "slowest_ms": max(order[-1] for order in delays),
    }
