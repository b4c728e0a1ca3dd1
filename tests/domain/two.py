"""A leader and a follower in one contract, order after order, where everything fills at once."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from domain.copybook import CopyBook
from domain.messages import Answered, OrderSeen
from domain.orders import FLATTENING, Order, OrderType, Side, Status
from domain.outcomes import Accepted, Throttled
from domain.rules import Mood, Rules
from domain.steps import Place
from tests.domain.builders import CONTRACT, KEY, LOT, NOON, intent, leader_order, terms


class Two:
    """A leader and a follower in one contract; everything fills at once, but while the
    follower's account is `throttled`."""

    def __init__(self, rules: Rules) -> None:
        self.book = CopyBook(rules)
        self.book.listings.learn((CONTRACT,))
        self.leader = 0
        self.throttled = False
        self._now = NOON
        self._count = 0

    @property
    def mine(self) -> int:
        return self.book.position(KEY, leader_order().product)

    @property
    def entered(self) -> int:
        """Shares of the copy of the first order."""
        return self.book.copies["1"].filled

    def places(self, lots: int, filled: int = 0) -> str:
        """The leader places an order, signed, of which so many lots fill at once."""
        self._count += 1
        side = Side.BUY if lots > 0 else Side.SELL
        order = leader_order(order_id=str(self._count), side=side, terms=terms(abs(lots) * LOT))
        self._see(order)
        return order.order_id if not filled else self.fills(order.order_id, filled)

    def fills(self, order_id: str, lots: int, ended: bool = False) -> str:
        """The leader's order fills to so many lots in all."""
        order = self._told(order_id)
        gained = lots * LOT - order.filled
        self.leader += gained if order.side is Side.BUY else -gained
        whole = lots * LOT == order.terms.quantity
        status = Status.TRADED if whole else Status.PART_TRADED
        status = Status.CANCELLED if ended and not whole else status
        value = lots * LOT * 10_000
        self._see(replace(order, filled=lots * LOT, traded_value=value, status=status))
        return order_id

    def cancels(self, order_id: str) -> None:
        self._see(replace(self._told(order_id), status=Status.CANCELLED))

    def gap(self, exits: Iterable[int]) -> None:
        """The process dies; the leader sells so many lots in each of some orders, that all fill;
        the next process finds them in the ledger, and is told of them one after the other."""
        before, known = self.book, [self._told(one) for one in self.book.orders]
        for lots in exits:
            self._count += 1
            quantity = lots * LOT
            sold = leader_order(
                order_id=str(self._count),
                side=Side.SELL,
                terms=terms(quantity),
                status=Status.TRADED,
                filled=quantity,
                traded_value=quantity * 10_000,
            )
            known.append(sold)
            self.leader -= quantity
        self.book = CopyBook(before.rules)
        self.book.listings.learn((CONTRACT,))
        self.book.restore(before.copies.values(), self._now, known)
        for order in known:
            self._see(order)

    def is_flattened(self) -> None:
        """An order of Lockstep's own leaves what is held."""
        side = Side.SELL if self.mine > 0 else Side.BUY
        asked = terms(abs(self.mine), OrderType.MARKET, price=0)
        made = leader_order(order_id=f"{FLATTENING}1", side=side, terms=asked)
        self.book.make(made, self._now)
        self._place(made.order_id, Mood.FLATTENED)
        self._fill(made.order_id, abs(self.mine))

    def relieve(self) -> None:
        """The account is throttled no more, and all pauses are over."""
        self.throttled = False
        self._now += timedelta(minutes=5)
        self._settle_all()

    def _told(self, order_id: str) -> Order:
        order = self.book.told(order_id)
        assert order is not None
        return order

    def _see(self, order: Order) -> None:
        self.book.seen(OrderSeen(order, self._now, self._count))
        self._settle_all()

    def _settle_all(self) -> None:
        for one in list(self.book.orders):
            self._settle(one)

    def _settle(self, order_id: str) -> None:
        """Place what is wanted of a copy, and have it filled like the leader's order."""
        self._place(order_id, Mood.ACTIVE)
        copy, leader = self.book.copies[order_id], self.book.orders[order_id]
        if copy.standing is not None:
            part = copy.sizing.part(leader.filled, leader.terms.quantity, LOT)
            self._fill(order_id, part - copy.filled_before, ended=leader.cut_short)

    def _place(self, order_id: str, mood: Mood) -> None:
        book = self.book
        step = book.step(order_id, mood, True, self._now)
        if isinstance(step, Place):
            made = intent(book.copies[order_id], step, self._now)
            book.intended(order_id, step, self._now)
            own = f"own {order_id} {step.number}"
            came = Throttled("") if self.throttled else Accepted(own)
            book.answered(Answered(made, came, 1, 2, 3), self._now)

    def _fill(self, order_id: str, quantity: int, ended: bool = False) -> None:
        """So many shares of what stands have traded, or all of it."""
        standing = self.book.copies[order_id].standing
        assert standing is not None
        ticket = standing.ticket
        share = min(quantity, ticket.terms.quantity)
        whole = share == ticket.terms.quantity
        status = Status.TRADED if whole else Status.CANCELLED if ended else Status.PENDING
        self.book.heard(
            leader_order(
                order_id=standing.order_id,
                side=ticket.side,
                terms=ticket.terms,
                status=status,
                filled=share,
                traded_value=share * 10_000,
                correlation_id=ticket.correlation_id,
            )
        )
