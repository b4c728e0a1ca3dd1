"""The copies of one follower as its own account makes them: what the broker told of their orders,
and what no answer has settled yet."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from datetime import datetime

from domain import progress, proof
from domain.copies import Copy
from domain.instructions import Instruction, Refuted
from domain.merge import merge, outweighs
from domain.orders import Order
from domain.rules import Rules


class KeptCopies(ABC):
    """The copies by leader order id. Of the leader's orders it knows these ids only."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.copies: dict[str, Copy] = {}
        self._by_correlation: dict[str, str] = {}
        self._by_order: dict[str, str] = {}
        self._doubtful: dict[str, None] = {}

    @abstractmethod
    def _changed(self, copy: Copy) -> None:
        """Note that a copy is another than before."""

    def heard(self, order: Order) -> str | None:
        """Note what the broker told of the follower's own order; the leader order it copies, or
        None for an order that Lockstep did not place."""
        leader_id = self.copied(order)
        if leader_id is not None:
            self._keep(progress.heard(self.copies[leader_id], order))
        return leader_id

    def copied(self, order: Order) -> str | None:
        """The leader order that an order of the follower's account is a copy of."""
        leader_id = self._by_order.get(order.order_id)
        if leader_id is None and order.correlation_id:
            leader_id = self._by_correlation.get(order.correlation_id)
        return leader_id

    def learns(self, row: Order) -> bool:
        """Whether a row of the account's order book says something of a copy: what was not known
        or weighs more, or anything at all where only the book can tell."""
        leader_id = self.copied(row)
        if leader_id is None:
            return False
        if leader_id in self._doubtful:
            return True
        known = self.known(row.order_id)
        return known is not row and (known is None or outweighs(known, merge(known, row)))

    def read(self, rows: Iterable[Order], asked_at: datetime, complete: bool = True) -> list[str]:
        """Note an order book of the follower's account; the copies it may have changed.

        Only a `complete` one, every row of which was readable, proves that something is absent.
        """
        by_leader: dict[str, list[Order]] = {}
        for row in rows:
            leader_id = self.heard(row)
            if leader_id is not None:
                by_leader.setdefault(leader_id, []).append(row)
        proven: list[str] = []
        if complete:
            proven = self._keep_each(
                self.unresolved(),
                lambda copy: proof.book_read(
                    copy, by_leader.get(copy.leader_order_id, ()), asked_at, self.rules
                ),
            )
        return list(dict.fromkeys([*by_leader, *proven]))

    def unresolved(self) -> list[str]:
        """The copies with a request whose outcome only an order book can tell."""
        return list(self._doubtful)

    def known(self, order_id: str) -> Order | None:
        """What is known of one of the follower's own orders that Lockstep placed."""
        leader_id = self._by_order.get(order_id)
        if leader_id is None:
            return None
        attempts = self.copies[leader_id].attempts
        return next((a.order for a in attempts if a.order_id == order_id), None)

    def overdue(self, leader_ids: Iterable[str], since: datetime) -> list[str]:
        """Doubt every request sent before `since` that was never answered; the copies so
        touched."""
        return self._keep_each(leader_ids, lambda copy: progress.overdue(copy, since, self.rules))

    def give_up(self, now: datetime) -> list[str]:
        """Park what could not be resolved for too long; the copies that were parked."""
        doubtful = self.unresolved()
        return self._keep_each(doubtful, lambda copy: proof.given_up(copy, now, self.rules))

    def resolved(self, instruction: Instruction, shown: Order | None) -> Copy:
        """A parked copy by the operator's word, the very same copy where that changes nothing.
        `shown` is the row of the account's order book that it speaks of. Raises `Refuted`."""
        leader_id = instruction.leader_order_id
        copy = self.copies.get(leader_id)
        if copy is None:
            raise Refuted(f"there is no copy of order {leader_id} by now")
        if shown is not None and self._by_order.get(shown.order_id, leader_id) != leader_id:
            raise Refuted(f"order {shown.order_id} is the copy of another order")
        return proof.resolved(copy, instruction, shown)

    def resolve(self, instruction: Instruction, shown: Order | None) -> None:
        """Believe the operator's word. Raises `Refuted`."""
        self._keep(self.resolved(instruction, shown))

    def _keep_each(self, leader_ids: Iterable[str], change: Callable[[Copy], Copy]) -> list[str]:
        """Change each of these; those that are other copies by it."""
        changed = []
        for leader_id in leader_ids:
            before = self.copies[leader_id]
            after = change(before)
            if after is not before:
                self._keep(after)
                changed.append(leader_id)
        return changed

    def _keep(self, copy: Copy) -> None:
        leader_id = copy.leader_order_id
        if self.copies.get(leader_id) is copy:
            return
        self.copies[leader_id] = copy
        for attempt in copy.attempts:
            self._by_correlation[attempt.ticket.correlation_id] = leader_id
            if attempt.order_id:
                self._by_order[attempt.order_id] = leader_id
        if proof.doubtful(copy):
            self._doubtful[leader_id] = None
        else:
            self._doubtful.pop(leader_id, None)
        self._changed(copy)
