"""What a follower leaves, all of it by a word on the follower or the legs that stand alone: what is
in force, how far it is, and who is told.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime

from actors.ledger import Record
from actors.post import LEDGER, Post
from actors.standing import Standing
from domain.copybook import CopyBook
from domain.halts import HaltAsked, in_force
from domain.instruments import InstrumentKey
from domain.leaving import Leaving, may_trade, withdrawn
from domain.lone_legs import LeavingLegs
from domain.messages import Level
from domain.orders import Order
from domain.rules import FailedLeg
from ledger.entries import OrderKnown


class Flattening:
    """Keeps what is `asked` of one follower, and makes what has to be copied for it."""

    def __init__(self, post: Post, client_id: str, book: CopyBook, standing: Standing) -> None:
        self._post, self._book, self._standing = post, book, standing
        self._all, self._legs = Leaving(book, client_id), LeavingLegs(book, client_id)
        self._made: dict[str, None] = {}
        self.asked: HaltAsked | None = None

    @property
    def active(self) -> bool:
        """Whether positions are left by the operator's word."""
        return self.asked is not None and self.asked.word.flattens

    @property
    def needed(self) -> bool:
        """Whether anything may have to be left at all."""
        book = self._book
        legs = book.rules.failed_leg is FailedLeg.FLATTEN and book.holdings.knows_lone
        return self.active or legs

    @property
    def _leaving(self) -> Leaving:
        """What is left by the word that is in force, or else of legs that stand alone."""
        return self._all if self.active else self._legs

    @property
    def flat(self) -> bool:
        """Whether nothing is held and nothing can trade any more."""
        return self.active and self._all.flat

    @property
    def awaits_book(self) -> bool:
        """Whether it goes on once the account's order book was read again."""
        return self.needed and self._leaving.awaits_book

    @property
    def waits(self) -> Mapping[str, datetime]:
        """When to look again at which order that came to nothing."""
        return self._leaving.waits

    def read(self, asked_at: datetime) -> None:
        """Note that a complete order book was read that was asked for then."""
        self._all.read(asked_at)
        self._legs.read(asked_at)

    def obey(self, asked: HaltAsked | None, now: datetime) -> list[str]:
        """Take another word, None for none; the leader's orders (their ids) that are to be looked
        at as if they had been told now."""
        self.asked = in_force(self.asked, asked) if asked else None
        self._standing.halted(self.asked)
        self._all.forget()
        self._legs.forget()
        began = self._book.holdings.began(now)
        open_ = [
            leader_id
            for leader_id, copy in self._book.copies.items()
            if may_trade(copy, began) and (self.active or copy.lone)
        ]
        recalled = self._book.recall(open_)
        if self.active:
            return recalled
        return [*recalled, *(self._keep(order, now) for order in self._unwanted(now))]

    def due(
        self, live: Collection[str], takes: Callable[[InstrumentKey], bool], now: datetime
    ) -> Iterator[str]:
        """Make the orders that leave what can be left now; their ids. `live` are the leader's
        orders whose copies may go on by themselves, `takes` is whether an instrument's market
        takes orders."""
        self._tell_failures(live)
        for order in self._leaving.due(live, takes, now):
            self._made[order.order_id] = None
            yield self._keep(order, now)
        if self.active:
            self._standing.progressed(self._all.words)

    def _keep(self, order: Order, now: datetime) -> str:
        """Have it kept before anything is sent for it: the leader's book does not show it."""
        self._post.tell(LEDGER, Record(OrderKnown("follower", order)))
        self._book.make(order, now)
        return order.order_id

    def _unwanted(self, now: datetime) -> list[Order]:
        mine = [o for o in self._book.orders.values() if o.flattening and not o.leaves_legs]
        return [withdrawn(one, now) for one in mine if not one.cut_short]

    def _tell_failures(self, live: Collection[str]) -> None:
        for leader_id in [one for one in self._made if one not in live]:
            del self._made[leader_id]
            if self._leaving.failed(leader_id):
                order, copy = self._book.orders[leader_id], self._book.copies[leader_id]
                what = f"{order.side} {order.terms.quantity} {order.symbol}"
                by_hand = (
                    'write failed_leg = "tell" for the follower first'
                    if order.leaves_legs
                    else "release the follower first"
                )
                self._standing.alert(
                    f"a position could not be left ({what}): {copy.reason or copy.state}",
                    "it is tried again; if it fails for long, leave it by hand in the account's "
                    f"app, and {by_hand}",
                    Level.ERROR,
                )
