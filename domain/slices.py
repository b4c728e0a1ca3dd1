"""Slices: what an exchange takes in several orders only, as one copy (scenario 1.8).

Each order for less than the freeze quantity is a chain of attempts of its own within the copy,
planned like a copy; together they trade what the copy should.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from domain.attempts import Attempt, Stage, Withdrawal
from domain.copies import Copy
from domain.orders import Order, Status
from domain.outcomes import Refused
from domain.steps import Cancel, Hold, Modify, Place, Skip, Step
from domain.wanted import share

_FOR_GOOD = (None, Withdrawal.HALTED, Withdrawal.LONE_LEG, Withdrawal.OVERTAKEN)
_WORTH_RETRYING = frozenset({Refused.TOKEN, Refused.ADDRESS})


@dataclass(frozen=True, slots=True)
class Portion:
    """A part (shares) of a copy, whatever the leader's quantity. It is never recorded: the copy
    keeps the rule that placed it."""

    quantity: int

    def size(self, quantity: int, lot: int) -> int:
        return self.quantity

    def part(self, filled: int, quantity: int, lot: int) -> int:
        return self.quantity

    @property
    def text(self) -> str:
        return f"quantity {self.quantity}"


@dataclass(frozen=True, slots=True)
class Slice:
    """One order of a copy: `copy` has its attempts only, and its part of the quantity; `whole` is
    the copy that it belongs to."""

    number: int
    copy: Copy
    whole: Copy

    @property
    def alone(self) -> bool:
        """Whether it is all of the copy."""
        return self.copy is self.whole

    @property
    def matters(self) -> bool:
        """Whether it has traded, or may still."""
        copy = self.copy
        wants = copy.sizing.size(0, 1) > copy.filled
        return wants or bool(copy.filled) or copy.standing is not None

    @property
    def beside(self) -> int:
        """What the other slices may still trade, in shares."""
        if self.alone:
            return 0
        others = (one for one in self.whole.standings if one.slice_number != self.number)
        return sum(one.rest for one in others)

    def goes_on(self, order: Order) -> bool:
        """Whether more of it may trade: by an order that stands, or by one that is still to come,
        the first or after one that came to nothing."""
        copy = self.copy
        if copy.standing is not None:
            return True
        if copy.skipped is not None or not (self.alone or self.matters):
            return False
        return copy.current is None or may_follow(order, copy.current)

    @property
    def joins(self) -> bool:
        """Whether other slices of the copy were placed, or may have been."""
        others = (one for one in self.whole.attempts if one.slice_number != self.number)
        return not self.alone and any(one.order_id or not one.ended for one in others)


def slices(order: Order, copy: Copy, lot: int, most: int | None) -> Sequence[Slice]:
    """The copy in as many orders as the exchange wants, at least as many as there were; `lot` and
    `most` of its instrument, the latter None where it is not known or there is none.

    One that began as a single order, before the limit was known, stays one.
    """
    if not copy.sliced and (most is None or _too_large(copy, most)):
        return (Slice(0, copy, copy),)
    total = share(order, copy, lot)
    begun = 1 + max((one.slice_number for one in copy.attempts), default=0)
    most = most or max(one.ticket.terms.quantity for one in copy.attempts)
    count = max(begun, -(-total // most))
    if count == 1:
        return (Slice(0, copy, copy),)
    chains = [tuple(a for a in copy.attempts if a.slice_number == n) for n in range(count)]
    parts = shared(total, most, [sum(one.filled for one in chain) for chain in chains])
    return [
        Slice(n, replace(copy, sizing=Portion(parts[n]), attempts=chains[n]), copy)
        for n in range(count)
    ]


def within_reach(order: Order, copy: Copy, lot: int, most: int | None) -> int:
    """What a copy has and may still get, in shares: a slice that ended otherwise than by trading
    its part gets no more, whatever becomes of the others, also of those that are still to be
    placed."""
    reach = copy.filled
    for one in slices(order, copy, lot, most):
        if one.goes_on(order):
            reach += max(0, share(order, one.copy, lot) - one.copy.filled, one.copy.rest)
    return reach


def relevant(order: Order, copy: Copy, lot: int) -> Copy:
    """The copy without slices that came to nothing and have nothing to trade any more."""
    if not copy.sliced:
        return copy
    parts = slices(order, copy, lot, None)
    idle = {one.number for one in parts if not one.matters}
    if not idle or len(idle) == len(parts):
        return copy
    attempts = tuple(one for one in copy.attempts if one.slice_number not in idle)
    return replace(copy, attempts=attempts)


def may_follow(order: Order, ended: Attempt) -> bool:
    """Whether an attempt that ended may be followed by a new one."""
    if ended.stage in (Stage.TURNED_BACK, Stage.ABSENT) or ended.shut_out:
        return True
    if ended.stage is Stage.REFUSED:
        return ended.refusal is not None and ended.refusal.kind in _WORTH_RETRYING
    if ended.status is Status.TRADED:
        return True
    if order.cut_short:
        return False
    return ended.status is Status.CANCELLED and ended.withdrawn not in _FOR_GOOD


def _too_large(copy: Copy, most: int) -> bool:
    return any(one.ticket.terms.quantity > most for one in copy.attempts)


def shared(total: int, most: int, filled: Sequence[int]) -> list[int]:
    """What each of the slices should trade in all, in shares, given what they have traded.

    The first ones are full, of `most` each. What a slice has traded beyond its part (the leader
    has made the order smaller since) is taken from the last of the others.
    """
    parts = [min(most, max(0, total - most * number)) for number in range(len(filled))]
    beyond = sum(max(0, got - part) for got, part in zip(filled, parts, strict=True))
    for number in reversed(range(len(parts))):
        taken = min(beyond, max(0, parts[number] - filled[number]))
        parts[number] -= taken
        beyond -= taken
    return parts


def first(steps: Sequence[Step]) -> Step:
    """The most urgent of the steps of the slices of one copy: what is sent now, or else what all
    wait for."""
    for kind in (Cancel, Modify, Place):
        for step in steps:
            if isinstance(step, kind):
                return step
    holds = [step for step in steps if isinstance(step, Hold)]
    if holds:
        alarms = [hold.until for hold in holds if hold.until is not None]
        return replace(holds[0], until=min(alarms, default=None))
    return next((step for step in steps if isinstance(step, Skip)), steps[0])
