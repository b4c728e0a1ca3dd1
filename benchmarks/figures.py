"""What was measured, and what it comes to. Times are milliseconds unless they say otherwise."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_NS = 1e6


@dataclass(frozen=True, slots=True)
class Order:
    """One order of the leader: when its frame left the broker (monotonic ns), when each awaited
    follower's request arrived there, and what went wrong."""

    order_id: str
    sent_ns: int
    arrivals: Mapping[str, int]
    faults: tuple[str, ...]

    @staticmethod
    def of(told: Mapping[str, object]) -> "Order":
        """From the broker's answer: every follower should have asked exactly once."""
        match told:
            case {"order_id": str(order_id), "sent_ns": int(sent_ns), "faults": list(faults),
                  "arrivals": dict(arrivals)}:  # fmt: skip
                wrong = [
                    f"{client} asked {len(times)} times"
                    for client, times in arrivals.items()
                    if len(times) != 1
                ]
                once = {client: times[0] for client, times in arrivals.items() if times}
                return Order(order_id, sent_ns, once, (*faults, *wrong))
        raise ValueError(f"not understood: {told}")

    def delays(self) -> list[float]:
        """From the frame to each follower's request, soonest first."""
        return sorted((at - self.sent_ns) / _NS for at in self.arrivals.values())


@dataclass(frozen=True, slots=True)
class Gap:
    """One time that a leader could not be reached: how long after its return (milliseconds) the
    last right copy of any follower arrived, how many each should have, and what went wrong."""

    recovered_ms: float
    copies: int
    faults: tuple[str, ...]

    @staticmethod
    def of(told: Mapping[str, object]) -> "Gap":
        """From the broker's answer."""
        match told:
            case {"sent_ns": int(sent_ns), "arrivals": dict(arrivals), "faults": list(faults),
                  "copies": int(copies)}:  # fmt: skip
                wrong = [
                    f"{client} asked {len(times)} times for {copies} copies"
                    for client, times in arrivals.items()
                    if len(times) != copies
                ]
                last = max((at for times in arrivals.values() for at in times), default=sent_ns)
                return Gap((last - sent_ns) / _NS, copies, (*faults, *wrong))
        raise ValueError(f"not understood: {told}")


@dataclass(slots=True)
class Tally:
    """What one contestant did at one number of followers; `cpu_seconds` for all of `orders`,
    `memory` in bytes."""

    contestant: str
    followers: int
    orders: list[Order] = field(default_factory=list)
    cpu_seconds: float = 0.0
    memory: int = 0

    @property
    def faults(self) -> list[str]:
        """What went wrong in any order."""
        return [f"{self.contestant}: {fault}" for order in self.orders for fault in order.faults]

    def row(self) -> dict[str, object]:
        """The figures: each the median over all orders."""
        delays = [order.delays() for order in self.orders if order.arrivals]
        copies = sum(map(len, delays))
        return {
            "contestant": self.contestant,
            "followers": self.followers,
            "orders": len(self.orders),
            "copies": copies,
            "first_ms": statistics.median(order[0] for order in delays),
            "median_ms": statistics.median(statistics.median(order) for order in delays),
            "p99_ms": statistics.median(p99(order) for order in delays),
            "last_ms": statistics.median(order[-1] for order in delays),
            "slowest_order_ms": max(order[-1] for order in delays),
            "cpu_seconds_per_1000": self.cpu_seconds / copies * 1000,
            "memory_mb": self.memory / 1e6,
        }


def p99(ordered: Sequence[float]) -> float:
    """The value that 99 of 100 are not above."""
    return ordered[-(-len(ordered) * 99 // 100) - 1]


HOPS = ("heard", "planned", "committed", "written", "arrived")


def hops(orders: Sequence[Order], told: Sequence[Sequence[object]]) -> dict[str, object]:
    """How far each of Lockstep's hops is from the frame: of the first, the median and the last
    follower, each the median over all orders; and how many commits an order took."""
    by_order: dict[str, list[tuple[int, ...]]] = {}
    known = {order.order_id: order for order in orders}
    for order_id, client, *times in told:
        order = known.get(str(order_id))
        if order is not None and str(client) in order.arrivals:
            row = (*(int(str(time)) for time in times), order.arrivals[str(client)])
            by_order.setdefault(order.order_id, []).append(row)
    found: dict[str, object] = {
        name: {
            which: statistics.median(
                (pick(sorted(row[at] for row in rows)) - known[order_id].sent_ns) / _NS
                for order_id, rows in by_order.items()
            )
            for which, pick in (("first", _first), ("median", _middle), ("last", _last))
        }
        for at, name in enumerate(HOPS)
    }
    return found | {
        "commits": statistics.mean(len({row[2] for row in rows}) for rows in by_order.values())
    }


def _first(ordered: Sequence[int]) -> int:
    return ordered[0]


def _middle(ordered: Sequence[int]) -> int:
    return ordered[len(ordered) // 2]


def _last(ordered: Sequence[int]) -> int:
    return ordered[-1]
