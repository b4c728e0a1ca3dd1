"""What must hold of every request that a follower sends, and of the state in which all ends."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.attempts import Attempt, Stage
from domain.copies import Copy
from domain.messages import CopyReport
from domain.orders import Order, OrderType, Status, Terms, Validity
from domain.outcomes import Accepted, Outcome, Recalled, Refusal, Refused
from domain.steps import Cancel, Modify, Place, Request
from tests.domain.builders import LOT
from tests.domain.exchange import Exchange, TrueOrder

WIRE_TIMEOUT = timedelta(seconds=7)
NEVER_ANSWERED = WIRE_TIMEOUT + timedelta(seconds=10)
LEAST_PAUSE = timedelta(milliseconds=250)


@dataclass(slots=True)
class Asked:
    """The last request for a copy: when it was sent and answered, and whether anything was heard
    since it left."""

    request: Request
    at: datetime
    answered_at: datetime | None = None
    outcome: Outcome | None = None
    news: bool = False

    def allows(self, request: Request, now: datetime) -> None:
        """No hammering: nothing is asked for unless something was heard or a pause is over."""
        if self.news:
            return
        assert self.answered_at or now - self.at >= NEVER_ANSWERED
        outcome, since = self.outcome, self.answered_at or self.at
        if isinstance(outcome, Recalled):
            return  # by Lockstep itself: the broker saw nothing
        if isinstance(outcome, Refusal) and outcome.kind is Refused.MODIFICATIONS:
            return
        if isinstance(outcome, Accepted):
            if _chases(self.request, request):
                return
            since = self.at
        elif isinstance(self.request, Modify) and _declined(outcome):
            assert request != self.request, "refused terms are not asked for again"
            since = self.at
        assert now - since >= LEAST_PAUSE, f"{request} right after {self}"


def _chases(before: Request, request: Request) -> bool:
    """Whether a limit goes on after the market: each such move has a time of its own, however
    late the one before it was made."""
    if not isinstance(before, Modify) or not isinstance(request, Modify):
        return False
    same = before.reference is not None and before.reference == request.reference
    return same and before.terms.price != request.terms.price


def _declined(outcome: Outcome | None) -> bool:
    """Whether the broker refused these terms, and not just this moment."""
    return isinstance(outcome, Refusal) and outcome.kind in (Refused.MARGIN, Refused.QUANTITY)


def may_place(
    step: Place, copy: Copy, leader: Order, account: Exchange, on_its_way: Iterable[Request]
) -> None:
    """Nothing of that slice of the copy is open or may be, and the leader's order (as it is known)
    is to be copied."""
    part = step.slice_number
    siblings = [attempt for attempt in copy.attempts if attempt.slice_number == part]
    assert all(attempt.ended for attempt in siblings)
    assert all(attempt.stage is not Stage.PARKED for attempt in siblings)
    places = [request for request in on_its_way if isinstance(request, Place)]
    assert all(request.slice_number != part for request in places)
    ids = {attempt.order_id for attempt in siblings}
    names = {attempt.ticket.correlation_id for attempt in siblings}
    for order in account.orders.values():
        assert not (order.open and (order.order_id in ids or order.correlation_id in names))
    assert step.number > max((attempt.number for attempt in copy.attempts), default=-1)
    assert not (leader.cut_short and not leader.filled)
    ticket = step.ticket
    if leader.terms.validity is Validity.IOC:
        assert ticket.terms.validity is Validity.IOC
    assert ticket.terms.order_type in (OrderType.LIMIT, OrderType.STOP_LOSS)
    names = {attempt.ticket.correlation_id for attempt in copy.attempts}
    assert ticket.correlation_id not in names


def may_change(step: Modify | Cancel, copy: Copy) -> None:
    """The order is one of the copy's and not known to have ended, and nothing is in flight."""
    attempt = next(a for a in copy.attempts if a.order_id == step.order_id)
    assert not attempt.ended
    assert attempt.pending is None
    if isinstance(step, Modify):
        assert step.terms.quantity > attempt.filled
        assert attempt in copy.newest


def never_too_much(account: Exchange, most: int, in_slices: bool) -> None:
    """Never more than one order of a slice is open, never more than `most` open and traded in all,
    and all of it on one side."""
    assert len({order.side for order in account.orders.values()}) <= 1
    exposed = sum(order.exposed for order in account.orders.values())
    assert exposed <= most, f"{exposed} shares open or traded, {most} at most wanted"
    open_ = [order for order in account.orders.values() if order.open]
    names = [order.correlation_id for order in open_ if order.correlation_id]
    assert len({name.split("-")[1] for name in names}) == len(names)
    if not in_slices:
        assert len(open_) <= 1


def ended_well(leader: TrueOrder, copy: Copy, account: Exchange, report: CopyReport) -> None:
    """The follower has what the rule says, whatever happened on the way."""
    if any(attempt.stage is Stage.PARKED for attempt in copy.attempts):
        return
    standing = [order for order in account.orders.values() if order.open]
    traded = sum(order.filled for order in account.orders.values())
    assert copy.filled == traded
    if leader.status.terminal and leader.status is not Status.TRADED:
        assert not standing, "open, though the leader's order is closed"
        implied = copy.sizing.size(leader.filled, LOT)
        assert report.in_step == (copy.left_out or traded == implied)
        return
    wants = copy.sizing.size(leader.terms.quantity, LOT)
    if standing:
        for order in standing:
            _stands_well(order, copy, leader)
        stands = sum(order.terms.quantity - order.filled for order in standing)
        as_wanted = stands == wants - traded or any(one.declined for one in copy.newest)
        assert as_wanted or (copy.sliced and (copy.skipped or _lost(copy, leader.terms)))
    elif not copy.left_out:
        assert traded >= wants or not wants or _lost(copy, leader.terms), "a copy got lost"
    if report.in_step and not copy.left_out:
        assert standing or traded == wants


def ended_mirrored(leader: TrueOrder, copy: Copy, account: Exchange, report: CopyReport) -> None:
    """An inverse follower has the leader's fills on the other side, or goes after them."""
    if any(attempt.stage is Stage.PARKED for attempt in copy.attempts):
        return
    orders = account.orders.values()
    assert all(order.side is not leader.side for order in orders)
    standing, traded = [order for order in orders if order.open], copy.filled
    assert traded == sum(order.filled for order in orders)
    wants = copy.sizing.size(leader.filled, LOT)
    lost = _lost(copy, Terms(leader.terms.quantity, OrderType.MARKET))
    for order in orders:
        assert (order.terms.order_type, order.terms.validity) == (OrderType.LIMIT, Validity.DAY)
    if standing:
        stands = sum(order.terms.quantity - order.filled for order in standing)
        as_wanted = stands == wants - traded or any(one.declined for one in copy.newest)
        assert as_wanted or (copy.sliced and (copy.skipped or lost))
    elif not copy.left_out:
        assert traded == wants or lost, "a copy got lost"
    if report.in_step and not copy.left_out:
        assert standing or traded == wants


def _stands_well(order: TrueOrder, copy: Copy, leader: TrueOrder) -> None:
    attempt = next(one for one in copy.newest if one.order_id == order.order_id)
    if attempt.declined is not None:
        return
    asked, terms = leader.terms, order.terms
    assert terms.validity is asked.validity
    triggered = leader.status is Status.TRADED and asked.order_type.has_trigger
    if triggered and not terms.order_type.has_trigger:
        assert terms.order_type is OrderType.LIMIT
    elif asked.order_type.has_price:
        assert (terms.order_type, terms.price) == (asked.order_type, asked.price)
        assert terms.trigger == asked.trigger
    elif asked.order_type.has_trigger:
        assert terms.order_type is OrderType.STOP_LOSS
        assert terms.trigger == asked.trigger < terms.price
    else:
        assert terms.order_type is OrderType.LIMIT
        assert terms.price > 0


def _lost(copy: Copy, asked: Terms) -> bool:
    """Whether the copy ended by no doing of Lockstep's, so that it is not placed anew."""
    return any(_was_lost(attempt, asked) for attempt in copy.newest)


def _was_lost(attempt: Attempt, asked: Terms) -> bool:
    if attempt.stage is Stage.REFUSED or attempt.status in (Status.REJECTED, Status.EXPIRED):
        return True
    ioc = attempt.order is not None and attempt.order.terms.validity is Validity.IOC
    return attempt.status is Status.CANCELLED and (ioc or asked.validity is Validity.IOC)
