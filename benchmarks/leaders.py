"""What the benchmark has leaders do, by lines that it writes to the broker's process."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from benchmarks.accounts import Account
from benchmarks.contest import BESIDE, BOOK, IST, PRICE
from benchmarks.rounds import one_price
from domain.correlation import correlation_id

if TYPE_CHECKING:
    from benchmarks.broker import Broker

_TICK = 5
_AWAY_SECONDS = 1.0
_CHANGED, _CANCELLED = slice(0, 3), slice(3, 5)
_LONG_AGO = timedelta(hours=1)


class Leaders:
    """Places, changes and cancels at the broker, and tells what came of it."""

    def __init__(self, broker: "Broker") -> None:
        self._broker = broker

    async def command(self, asked: Mapping[str, object]) -> dict[str, object]:
        """Do what a line asks for."""
        match asked:
            case {"do": "order", "leader": str(leader), "followers": list(followers),
                  "seconds": float(seconds), "how": str(how)}:  # fmt: skip
                return await self._order(leader, followers, seconds, how)
            case {"do": "gap", "leader": str(leader), "followers": list(followers),
                  "seconds": float(seconds), "orders": int(orders)}:  # fmt: skip
                return await self._gap(leader, followers, seconds, orders)
            case {"do": "book", "account": str(client_id), "orders": int(orders)}:
                return self._fill_book(self._broker.account(client_id), orders)
            case {"do": "sweeps", "account": str(client_id), "count": int(count)}:
                return await self._await_books(client_id, count)
            case {"do": "trade"}:
                return self._trade()
            case {"do": "conduct", "account": str(client_id), "seconds": float(seconds)}:
                self._broker.account(client_id).seconds = seconds
                return {}
        raise ValueError(f"not understood: {asked}")

    async def _order(
        self, leader: str, followers: list[str], seconds: float, how: str
    ) -> dict[str, object]:
        """The leader places an order; what arrived until all followers' copies were answered.

        It is told by an event, by one right beside an answer with the order book, or by the book
        alone; `sent_ns` is when that was sent.
        """
        broker, account = self._broker, self._broker.account(leader)
        while not account.sockets:
            await asyncio.sleep(0.01)
        if how == BESIDE:
            await broker.next_book(leader)
        order = broker.new_order(account, "FAST", "NA")
        told = broker.begin(dict.fromkeys(followers, 1), one_price)
        if how == BOOK:
            told.sent_ns = await broker.next_book(leader, len(account.orders))
        else:
            told.sent_ns = await broker.tell(account, order)
        return await broker.finish(told, followers, seconds) | {"order_id": order.order_id}

    async def _gap(
        self, leader: str, followers: list[str], seconds: float, orders: int
    ) -> dict[str, object]:
        """The leader cannot be reached for a while and trades meanwhile: some orders are changed,
        some cancelled. What arrived until every follower has the right copies of what is left;
        `sent_ns` is when it was reached again, by its socket or by its book."""
        broker, account = self._broker, self._broker.account(leader)
        account.away = True
        for link in list(account.sockets):
            await link.close()
        made = [
            broker.new_order(account, "FAST", "NA", PRICE - _TICK * number)
            for number in range(orders)
        ]
        now = datetime.now(IST)
        for order in made[_CHANGED]:
            order.terms = replace(order.terms, price=order.terms.price - _TICK * orders)
            order.updated, order.modifications = now, 1
        for order in made[_CANCELLED]:
            order.status, order.updated = "CANCELLED", now
        right = {
            correlation_id(order.order_id, 0, 0): order.terms.price
            for order in made
            if not order.ended
        }
        await asyncio.sleep(_AWAY_SECONDS)
        told = broker.begin(dict.fromkeys(followers, len(right)), right.get)
        account.away = False
        told.sent_ns = await self._next_contact(leader)
        return await broker.finish(told, followers, seconds) | {"copies": len(right)}

    async def _next_contact(self, client_id: str) -> int:
        broker = self._broker
        ways = [
            asyncio.ensure_future(way)
            for way in (broker.next_login(client_id), broker.next_book(client_id))
        ]
        done, rest = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in rest:
            way.cancel()
        return min(way.result() for way in done)

    async def _await_books(self, client_id: str, count: int) -> dict[str, object]:
        """Wait until the account's book was shown so many times."""
        for _ in range(count):
            await self._broker.next_book(client_id)
        return {}

    def _fill_book(self, account: Account, orders: int) -> dict[str, object]:
        """The account's book has exactly so many orders, all of which ended long ago."""
        account.orders = [order for order in account.orders if order.status == "CANCELLED"]
        del account.orders[orders:]
        long_ago = datetime.now(IST) - _LONG_AGO
        for _ in range(orders - len(account.orders)):
            order = self._broker.new_order(account, "FAST", "NA")
            order.status, order.created, order.updated = "CANCELLED", long_ago, long_ago
        return {}

    def _trade(self) -> dict[str, object]:
        """Everything that is open trades in full."""
        now, traded = datetime.now(IST), 0
        placed, self._broker.placed = self._broker.placed, []
        for order in placed:
            if not order.ended:
                account = self._broker.account(order.client_id)
                account.trade(order, now)
                self._broker.tell_soon(account, order)
                traded += 1
        return {"traded": traded}
