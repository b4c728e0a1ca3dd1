"""What the benchmark's broker waits for: the copies of what a leader did, each exactly once."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from benchmarks.contest import LISTING, PRICE, QUANTITY


def one_price(name: str) -> int:
    """The price of the one order that a leader places, whatever its copies are called."""
    return PRICE


@dataclass(slots=True)
class Round:
    """What a leader did, until every awaited follower has so many copies of it, each answered.

    `price` tells the price (paise) of a copy by its correlation id, None of one that there should
    not be. `sent_ns` is when what led to the copies left the broker.
    """

    awaited: dict[str, int]
    finished: "asyncio.Future[None]"
    price: Callable[[str], int | None] = one_price
    sent_ns: int = 0
    arrivals: dict[str, list[int]] = field(default_factory=dict)
    _names: set[tuple[str, str]] = field(default_factory=set)

    def arrived(self, client_id: str, at: int) -> None:
        """A request to place came in at `at` (monotonic ns)."""
        self.arrivals.setdefault(client_id, []).append(at)

    def fault(self, client_id: str, asked: Mapping[str, object]) -> str:
        """What is wrong with what was asked for, empty where nothing is."""
        name = str(asked.get("correlationId", "NA"))
        price = self.price(name)
        if price is None or _other(asked, price):
            return f"{client_id} asked for {dict(asked)}"
        if (client_id, name) in self._names:
            return f"{client_id} asked for {name} twice"
        self._names.add((client_id, name))
        return ""

    def answered(self, client_id: str) -> None:
        """One copy of a follower is there."""
        left = self.awaited.pop(client_id, 0) - 1
        if left > 0:
            self.awaited[client_id] = left
        if not self.awaited and not self.finished.done():
            self.finished.set_result(None)


def _other(asked: Mapping[str, object], price: int) -> bool:
    """Whether a copy is not what the leader ordered at that price."""
    return (
        asked.get("securityId") != LISTING.security_id
        or asked.get("exchangeSegment") != LISTING.segment
        or asked.get("transactionType") != "BUY"
        or asked.get("quantity") != QUANTITY
        or asked.get("price") != price / 100
    )
