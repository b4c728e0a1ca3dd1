"""A copy as readers see it: whether it is in step with the leader's order, and how far behind."""

from datetime import datetime

from domain.copies import Copy, CopyState
from domain.messages import CopyReport
from domain.orders import Order, Status, Terms
from domain.proof import contradicts
from domain.sizing import disclose
from domain.slices import relevant
from domain.slippage import slippage
from domain.wanted import part, share

Shown = tuple[Order, Copy, int, int | None]
"""What a report is made of: the same report, as long as all of it is the same. The leader's order,
its copy, the lot (shares), and the microseconds from the leader's frame to the request."""

_UNSETTLED = frozenset({CopyState.HELD, CopyState.PLACING, CopyState.UNKNOWN, CopyState.PARKED})


def drift(order: Order, copy: Copy, lot: int) -> str:
    """How the copy differs from what the leader's order implies, in plain words; empty when it
    is in step. What a rule decided to skip, what the operator ended, and what the leader had left
    before it could trade, is in step."""
    if copy.left_out or copy.given_up:
        return ""
    if order.mirrored and not copy.attempts and not part(order, copy, lot):
        return ""
    copy = relevant(order, copy, lot)
    if order.status.terminal:
        return _final_drift(order, copy, lot)
    state = copy.state
    if state in _UNSETTLED or state is CopyState.REJECTED:
        return said(copy)
    if not copy.standings:
        return _ended_drift(order, copy, lot)
    return _open_drift(order, copy, lot)


def _final_drift(order: Order, copy: Copy, lot: int) -> str:
    """Against a leader order of which nothing more will trade."""
    ended = f"the leader's order is {order.status.lower()}"
    if copy.standing is not None:
        if copy.state in _UNSETTLED:
            return f"{said(copy)}, though {ended}"
        return f"open, though {ended}"
    implied = part(order, copy, lot)
    if copy.filled == implied:
        return ""
    words = f"filled {copy.filled}, the leader's fills imply {implied}"
    return words if copy.filled or not copy.reason else f"{said(copy)} ({words})"


def _ended_drift(order: Order, copy: Copy, lot: int) -> str:
    """Against a leader order that is open, while nothing of the copy is."""
    attempt, implied = copy.current, share(order, copy, lot)
    if copy.filled == implied:
        return ""
    if copy.filled < implied and attempt and attempt.status is not Status.TRADED:
        return f"{copy.state}, though the leader's order is open"
    return f"filled {copy.filled}, the leader's order implies {implied}"


def _open_drift(order: Order, copy: Copy, lot: int) -> str:
    """Against a leader order that is open like the copy."""
    standings = copy.standings
    if any(one.pending for one in standings):
        return "a change is on its way"
    stand = [one.terms for one in standings if one.terms is not None]
    if len(stand) < len(standings):
        return "whether the last change was made is not known yet"
    ended = copy.filled - sum(one.filled for one in standings)
    rest = share(order, copy, lot) - ended
    if rest <= 0:
        return "open, though the leader's quantity leaves nothing to trade"
    if sum(terms.quantity for terms in stand) != rest or any(
        terms != _implied(order, terms, lot) for terms in stand
    ):
        words = "its terms are not those of the leader's order"
        return f"{words}: {copy.reason}" if copy.reason else words
    for one in standings:
        if one.order and one.terms and contradicts(one.order.terms, one.terms):
            return "the broker shows other terms than it was given"
    return ""


def _implied(order: Order, stands: Terms, lot: int) -> Terms:
    """What the leader's order implies for an order of that quantity."""
    asked = order.terms
    priced = asked if asked.order_type.has_price else stands
    return Terms(
        stands.quantity,
        priced.order_type,
        priced.price,
        asked.trigger,
        asked.validity,
        disclose(asked.disclosed, asked.quantity, stands.quantity, lot),
    )


def said(copy: Copy) -> str:
    """The state of the copy, and why it is so."""
    return f"{copy.state}: {copy.reason}" if copy.reason else str(copy.state)


def report(order: Order, copy: Copy, lot: int, dispatch_us: int | None, at: datetime) -> CopyReport:
    """The copy as the operator's table, the ledger and the JSON of `copies` show it."""
    lived = [attempt for attempt in copy.attempts if attempt.order_id]
    cost = slippage(order.side, order.traded_value, order.filled, copy.traded_value, copy.filled)
    difference = drift(order, copy, lot)
    shown = relevant(order, copy, lot)
    return CopyReport(
        leader_order_id=copy.leader_order_id,
        follower=copy.follower,
        state=shown.state,
        reason=shown.reason or difference,
        order_ids=tuple(attempt.order_id for attempt in lived),
        correlation_ids=tuple(attempt.ticket.correlation_id for attempt in copy.attempts),
        symbol=order.symbol,
        side=order.side,
        quantity=asked_for(copy),
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


def asked_for(copy: Copy) -> int:
    """The total that the copy asked for, in shares."""
    return copy.filled_before + sum(attempt.asked.quantity for attempt in copy.newest)
