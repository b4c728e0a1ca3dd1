"""How old an entry is, for a follower that does not chase old ones (`Rules.max_age`).

An order is as old as it says: what has traded was to be had at that time, and may not be by now.
But one that waits for its market is as good after a night as after a second. So:

- While its market does not take it and nothing of it has traded, an entry has no age.
- Once the market takes it, it is no older than that opening; unless some of it had traded before,
  when the copy could not: then its real age counts, also while the market is closed.
- An order is good for its day only. On another day it has its real age, but for an after-market
  order, which waits through the night.

So `when_closed = "hold"` brings an entry of 09:14:59 into the market at 09:15:00, and drops one
that the leader got filled just before the close, `max_age` later.
"""

from datetime import date, datetime, timedelta

from domain.copies import Copy
from domain.orders import Order
from domain.rules import Market
from domain.sessions import IST

_APART = timedelta(seconds=5)
"""By how much the broker's clock and the follower's may differ. Between two phases that take
orders lie minutes."""


def age(order: Order, copy: Copy, market: Market, takes: bool, now: datetime) -> timedelta:
    """The age of an entry; `takes` is whether the market takes it now."""
    if copy.born is None:
        return timedelta(0)
    opening = market.opened if takes else now
    if opening is None or _traded_before(order, opening, takes):
        return now - copy.born
    if not order.after_market and _day(copy.born) != _day(opening):
        return now - copy.born
    return now - max(copy.born, opening)


def drops_at(order: Order, copy: Copy, max_age: timedelta) -> datetime | None:
    """When an entry that the market does not take is too old, None where that waits for the market
    as well."""
    if copy.born is None or not order.filled:
        return None
    return copy.born + max_age + timedelta.resolution


def _traded_before(order: Order, opening: datetime, takes: bool) -> bool:
    if not order.filled:
        return False
    return not takes or order.stamp.updated_at < opening - _APART


def _day(instant: datetime) -> date:
    return instant.astimezone(IST).date()
