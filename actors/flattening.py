"""A follower under the operator's word: what is in force, how far it is, and who is told."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime

from actors.ledger import Record
from actors.post import LEDGER, Post
from actors.standing import Standing
from domain.copybook import CopyBook
from domain.halts import HaltAsked, in_force
from domain.instruments import Segment
from domain.leaving import Leaving, may_trade, withdrawn
from domain.messages import Level
from domain.orders import Order
from ledger.entries import OrderKnown


class Flattening:
    """Keeps what is `asked` of one follower, and makes what has to be copied for it."""

    def __init__(self, post: Post, client_id: str, book: CopyBook, standing: Standing) -> None:
        self._post, self._book, self._standing = post, book, standing
        self._leaving = Leaving(book, client_id)
        self._made: dict[str, None] = {}
        self.asked: HaltAsked | None = None

    @property
    def active(self) -> bool:
        """Whether positions are left by the operator's word."""
        return self.asked is not None and self.asked.word.flattens

    @property
    def flat(self) -> bool:
        """Whether nothing is held and nothing can trade any more."""
        return self.active and self._leaving.flat

    @property
    def awaits_book(self) -> bool:
        """Whether it goes on once the account's order book was read again."""
        return self.active and self._leaving.awaits_book

    @property
    def waits(self) -> Mapping[str, datetime]:
        """When to look again at which order that came to nothing."""
        return self._leaving.waits

    def read(self, asked_at: datetime) -> None:
        """Note that a complete order book was read that was asked for then."""
        self._leaving.read(asked_at)

    def obey(self, asked: HaltAsked | None, now: datetime) -> list[str]:
        """Take another word, None for none; the leader's orders (their ids) that are to be looked
        at as if they had been told now."""
        self.asked = in_force(self.asked, asked) if asked else None
        self._standing.halted(self.asked)
        self._leaving.forget()
        if self.active:
            began = self._book.holdings.began(now)
            open_ = [key for key, copy in self._book.copies.items() if may_trade(copy, began)]
            return self._book.recall(open_)
        return [self._keep(order, now) for order in self._unwanted(now)]

    def due(
        self, live: Collection[str], takes: Mapping[Segment, bool], now: datetime
    ) -> Iterator[str]:
        """Make the orders that leave what can be left now; their ids. `live` are the leader's
        orders whose copies may go on by themselves."""
        self._tell_failures(live)
        for order in self._leaving.due(live, takes, now):
            self._made[order.order_id] = None
            yield self._keep(order, now)
        self._standing.progressed(self._leaving.words)

    def _keep(self, order: Order, now: datetime) -> str:
        """Have it kept before anything is sent for it: the leader's book does not show it."""
        self._post.tell(LEDGER, Record(OrderKnown("follower", order)))
        self._book.make(order, now)
        return order.order_id

    def _unwanted(self, now: datetime) -> list[Order]:
        orders = self._book.orders.values()
        return [withdrawn(one, now) for one in orders if one.flattening and not one.cut_short]

    def _tell_failures(self, live: Collection[str]) -> None:
        for leader_id in [one for one in self._made if one not in live]:
            del self._made[leader_id]
            if self._leaving.failed(leader_id):
                order, copy = self._book.orders[leader_id], self._book.copies[leader_id]
                what = f"{order.side} {order.terms.quantity} {order.symbol}"
                self._standing.alert(
                    f"a position could not be left ({what}): {copy.reason or copy.state}",
                    "it is tried again; if it fails for long, leave it by hand in the account's "
                    "app, and release the follower first",
                    Level.ERROR,
                )
