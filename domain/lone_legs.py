"""Legs that stand alone in a follower and are left, where `failed_leg` wants that (1.4.5).

Their copies have the verdict `Skipped.LONE_LEG` from then on: what is open of them is cancelled,
and what they traded is left by orders that Lockstep makes, as those of a follower that is
flattened, but for that much only.
"""

from collections.abc import Callable, Collection
from datetime import datetime

from domain.copybook import CopyBook
from domain.instruments import InstrumentKey, Segment
from domain.leaving import Leaving
from domain.orders import FLATTENING_LEGS, Order, Product, Side
from domain.sizing import Exit


def dropped(book: CopyBook, legs: Collection[str], live: Collection[str]) -> list[str]:
    """The copies that get the verdict, in the order in which they are looked at: the `legs` (leader
    order ids), those that were sold first, then what was placed to exit them and is among the
    `live`: it was sized by them, and would open a position once they are left."""
    orders = [book.orders[one] for one in legs]
    sides = {(one.instrument, one.product): one.side for one in orders}
    exits = []
    for leader_id in live:
        order, copy = book.orders[leader_id], book.copies[leader_id]
        other_side = sides.get((order.instrument, order.product), order.side) is not order.side
        if other_side and copy.attempts and isinstance(copy.sizing, Exit):
            exits.append(leader_id)
    sold_first = sorted(orders, key=lambda one: one.side is Side.BUY)
    return [*(one.order_id for one in sold_first), *exits]


class LeavingLegs(Leaving):
    """Makes the orders that leave what such legs hold. What was sold is bought back before the
    bought legs that cover it are sold, unless that has failed."""

    prefix = FLATTENING_LEGS

    @property
    def awaits_book(self) -> bool:
        return bool(self.positions) and super().awaits_book

    def due(
        self, live: Collection[str], takes: Callable[[InstrumentKey], bool], now: datetime
    ) -> list[Order]:
        orders = super().due(live, takes, now)
        uncovered = self._uncovered()
        return [
            one for one in orders if one.side is Side.BUY or one.instrument.segment not in uncovered
        ]

    def _held(self) -> dict[tuple[InstrumentKey, Product], int]:
        return self._book.holdings.lone()

    def _concerns(self, leader_id: str) -> bool:
        """Others neither take from what these legs hold nor are sized by it."""
        return self._book.copies[leader_id].lone or leader_id.startswith(FLATTENING_LEGS)

    def _uncovered(self) -> set[Segment]:
        """The segments in which something is to be bought back yet, but for what waits after
        orders that came to nothing."""
        orders = self._book.orders
        waiting = {(orders[one].instrument, orders[one].product) for one in self.waits}
        short = [key for key, shares in self.positions.items() if shares < 0]
        sold = (orders[one] for one in self.open_copies if one in orders)
        selling = {
            one.instrument.segment for one in sold if one.side is Side.SELL and not one.flattening
        }
        return selling | {key.segment for key, product in short if (key, product) not in waiting}
