"""What becomes of the requests that a follower sends: the toy broker's side of the line."""

from enum import StrEnum

from domain.messages import Intent
from domain.orders import Status
from domain.outcomes import (
    Accepted,
    NotSent,
    Outcome,
    Recalled,
    Refusal,
    Refused,
    Throttled,
    Unknown,
)
from domain.steps import Cancel, Place, Request
from tests.domain.exchange import Exchange


class Fate(StrEnum):
    """What becomes of a request."""

    CARRIED_OUT = "carried out"
    REFUSED = "refused"
    TOO_EARLY = "refused for a reason that passes"
    THROTTLED = "throttled"
    NOT_SENT = "not sent"
    UNKNOWN_ACTED = "unclear, but carried out"
    UNKNOWN_IDLE = "unclear, and not carried out"
    LOST_ACTED = "never answered, but carried out"
    LOST_IDLE = "never answered, and not carried out"
    RECALLED = "called back before it is sent"


_ACTING = frozenset({Fate.CARRIED_OUT, Fate.UNKNOWN_ACTED, Fate.LOST_ACTED})
_UNCLEAR = frozenset({Fate.UNKNOWN_ACTED, Fate.UNKNOWN_IDLE})
LOST = frozenset({Fate.LOST_ACTED, Fate.LOST_IDLE})


def carry_out(exchange: Exchange, intent: Intent, fate: Fate, hidden: float) -> Outcome:
    """Let the request have its fate; the answer to it. An order that it places is not shown by
    order books for `hidden` seconds."""
    refusal = _act(exchange, intent.request, hidden) if fate in _ACTING else None
    if fate is Fate.CARRIED_OUT:
        return refusal or Accepted(_placed_id(exchange, intent))
    if fate in _UNCLEAR or fate in LOST:
        return Unknown("timeout")
    if fate is Fate.THROTTLED:
        return Throttled("429")
    if fate is Fate.NOT_SENT:
        return NotSent("no connection")
    if fate is Fate.RECALLED:
        return Recalled()
    kind = Refused.MARKET_CLOSED if fate is Fate.TOO_EARLY else Refused.MARGIN
    return Refusal(kind, "no")


def _act(exchange: Exchange, request: Request, hidden: float) -> Refusal | None:
    if isinstance(request, Place):
        ticket = request.ticket
        exchange.place(
            ticket.instrument,
            ticket.side,
            ticket.product,
            ticket.terms,
            ticket.correlation_id,
            hidden,
        )
        return None
    order = exchange.orders[request.order_id]
    if not order.open:
        return Refusal(Refused.GONE, "already traded")
    if isinstance(request, Cancel):
        if order.status is Status.TRANSIT:
            return Refusal(Refused.IN_TRANSIT, "transit state")
        order.cancelling = True
        return None
    if exchange.modify(order, request.terms):
        return None
    capped = order.modifications >= exchange.cap
    return Refusal(Refused.MODIFICATIONS if capped else Refused.QUANTITY, "not so")


def _placed_id(exchange: Exchange, intent: Intent) -> str:
    if not isinstance(intent.request, Place):
        return ""
    return next(
        order.order_id
        for order in exchange.orders.values()
        if order.correlation_id == intent.correlation_id
    )
