"""A copy as readers see it, and whether it is in step with the leader's order."""

from datetime import datetime

from domain.copies import Copy, CopyState
from domain.messages import CopyReport
from domain.orders import Order, Status
from domain.slippage import slippage

_NOT_SETTLED = frozenset(
    {
        CopyState.HELD,
        CopyState.PLACING,
        CopyState.UNKNOWN,
        CopyState.PARKED,
        CopyState.REJECTED,
    }
)


def drift(order: Order, copy: Copy, lot: int) -> str:
    """How the copy differs from what the leader's order implies, in plain words; empty when it
    is in step. What a rule decided to skip is in step."""
    if copy.skipped and not copy.lives:
        return ""
    state = copy.state
    if state in _NOT_SETTLED:
        return f"{state}: {copy.reason}" if copy.reason else str(state)
    attempt = copy.current
    if attempt is None or not order.status.terminal:
        return _open_drift(copy)
    if not attempt.ended:
        return f"open, though the leader's order is {order.status.lower()}"
    share = copy.sizing.size(order.filled, lot)
    if copy.filled != share:
        return f"filled {copy.filled}, the leader's fills imply {share}"
    return ""


def _open_drift(copy: Copy) -> str:
    attempt = copy.current
    if attempt is None:
        return "held"
    if attempt.ended and attempt.status in (Status.CANCELLED, Status.EXPIRED):
        return f"{attempt.status.lower()}, though the leader's order is open"
    return "a change is on its way" if attempt.pending else ""


def report(order: Order, copy: Copy, lot: int, dispatch_us: int | None, at: datetime) -> CopyReport:
    """The copy as the operator's table, the ledger and the JSON of `copies` show it."""
    lived = [attempt for attempt in copy.attempts if attempt.order_id]
    cost = slippage(order.side, order.traded_value, order.filled, copy.traded_value, copy.filled)
    difference = drift(order, copy, lot)
    return CopyReport(
        leader_order_id=copy.leader_order_id,
        follower=copy.follower,
        state=copy.state,
        reason=copy.reason or difference,
        order_ids=tuple(attempt.order_id for attempt in lived),
        correlation_ids=tuple(attempt.ticket.correlation_id for attempt in copy.attempts),
        symbol=order.symbol,
        side=order.side,
        quantity=_quantity(copy),
        filled=copy.filled,
        traded_value=copy.traded_value,
        leader_filled=order.filled,
        leader_value=order.traded_value,
        slippage_paise=cost.paise if cost else None,
        slippage_bps=cost.basis_points if cost else None,
        dispatch_us=dispatch_us,
        in_step=not difference,
        sizing=copy.sizing.text,
        at=at,
    )


def _quantity(copy: Copy) -> int:
    """The total that the copy asked for, in shares."""
    attempt = copy.current
    if attempt is None:
        return 0
    terms = attempt.terms or attempt.ticket.terms
    return copy.filled_before + terms.quantity
