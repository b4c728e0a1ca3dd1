"""Copies that have fallen behind the leader's order (scenario 4.5)."""

from collections.abc import Callable
from datetime import datetime

from domain.copies import Copy
from domain.orders import Order, Status
from domain.reports import Shown, said
from domain.rules import Rules
from domain.wanted import part, share


class Laggards:
    """Which copies may fall behind by time alone, and which of them were told of."""

    def __init__(self) -> None:
        self._watched: dict[str, None] = {}
        self._told: set[str] = set()

    def watch(self, order: Order, copy: Copy) -> None:
        """Look for its falling behind, if time alone may make it, until it was told."""
        leader_id = order.order_id
        if leader_id not in self._told and lags_by_time(order, copy):
            self._watched[leader_id] = None

    def behind(
        self, shown: Callable[[str], Shown | None], rules: Rules, now: datetime
    ) -> list[tuple[str, str]]:
        """Those that have fallen behind by now, by leader order id, with how, in plain words; each
        is told once. `shown` tells of a copy what a report is made of."""
        behind = []
        for order, copy, lot, _ in filter(None, map(shown, tuple(self._watched))):
            leader_id = order.order_id
            words = lagging(order, copy, lot, rules, now)
            if words:
                behind.append((leader_id, words))
                self._told.add(leader_id)
            if words or not may_lag(order, copy, lot):
                del self._watched[leader_id]
        return behind


def may_lag(order: Order, copy: Copy, lot: int) -> bool:
    """Whether `lagging` may ever have something to say, as far as is known now."""
    if copy.left_out or copy.given_up or order.cut_short:
        return False
    return order.status is not Status.TRADED or copy.filled < part(order, copy, lot)


def lags_by_time(order: Order, copy: Copy) -> bool:
    """Whether time alone may make it lag: the leader's order has traded in full, or what stands is
    the limit of a MARKET."""
    chased = any(one.reference is not None for one in copy.standings)
    return chased or order.status is Status.TRADED


def lagging(order: Order, copy: Copy, lot: int, rules: Rules, now: datetime) -> str:
    """How the copy has fallen behind the leader's order, in plain words; empty while it has not
    (scenario 4.5).

    It has when the leader's order traded in full more than `rules.lag_after` ago and the copy did
    not, or when the limit of a leader's MARKET is still open after its last chase.
    """
    if not may_lag(order, copy, lot):
        return ""
    filled = f"filled {copy.filled} of {share(order, copy, lot)}"
    behind = now - _expected_since(order, copy)
    if order.status is Status.TRADED and behind > rules.lag_after:
        ago = f"{int(behind.total_seconds())} s ago"
        return f"{filled} ({said(copy)}), though the leader's order traded in full {ago}"
    standing, protection = copy.standing, rules.protection
    if standing is None or standing.reference is None:
        return ""
    chased = now - (standing.chased_from or standing.sent_at)
    if chased < protection.chase_every * (protection.chase_times + 1):
        return ""
    return f"{filled} ({said(copy)}), and its limit is not moved any further"


def _expected_since(order: Order, copy: Copy) -> datetime:
    """When the copy could have filled like the leader's order: not before it was sent, as the
    broker's times may be off or missing."""
    began = copy.attempts[0].sent_at if copy.attempts else copy.born
    at = order.stamp.updated_at
    return at if began is None else max(at, began)
