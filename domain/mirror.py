"""The leader's order as an inverse follower faces it.

Resting on the other side makes no sense: against a limit to buy below the market it would be one
to sell there, which trades at once. So what is copied are the leader's fills, as a MARKET of so
much on the other side. The order is turned once, where it enters the follower's book, and all that
decides about its copy sees nothing else.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from domain.messages import OrderSeen
from domain.orders import Order, OrderType, Status, Terms


def mirrored(order: Order) -> Order:
    """A leader's order, turned to the other side: a MARKET of which only what has traded counts.

    What ended with a fill has traded, for a mirror: its copy goes after the market like any
    other. Of an order without a fill the end is kept, as nothing is copied of it.
    """
    done = order.status.terminal and order.filled
    return replace(
        order,
        side=order.side.other,
        terms=Terms(order.terms.quantity, OrderType.MARKET),
        status=Status.TRADED if done else order.status,
        after_market=False,
        amo_time=None,
        mirrored=True,
    )


def filled_at(told: OrderSeen, order: Order, before: Order | None) -> datetime | None:
    """When a mirrored order came to what it has `filled`, by this host's clock: an entry is as old
    as that, however long the leader's order rested. `before` is what was known of it.

    None, for just now, where the fill came without a time of its own: the leader's trades are
    read moments after a book that did not show it yet.
    """
    at, born = order.stamp.updated_at, told.born
    if born is None or (before is not None and at <= before.stamp.updated_at):
        return None
    if order.placed_at is None:
        return max(born, at)
    return born + max(at - order.placed_at, timedelta(0))
