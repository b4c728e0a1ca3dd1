"""Differences between an account and what its copies imply: the values that `domain.drift` compares
and finds."""

from dataclasses import dataclass
from enum import StrEnum

from domain.copies import Copy
from domain.instruments import InstrumentKey
from domain.orders import Order, Product, Side


@dataclass(frozen=True, slots=True)
class Holding:
    """What a position is in."""

    instrument: InstrumentKey
    product: Product


@dataclass(frozen=True, slots=True)
class Position:
    """A position as the broker shows it: `day` is what was bought less what was sold today, `net`
    is with what earlier days left; both in shares."""

    holding: Holding
    day: int
    net: int


@dataclass(frozen=True, slots=True)
class Shown:
    """An account as the broker shows it: the whole order book of the day, and the positions."""

    orders: tuple[Order, ...]
    positions: tuple[Position, ...]


@dataclass(frozen=True, slots=True)
class Followed:
    """A copy in the follower's `holding` with the leader's order and the lot (shares), None
    where they are not known."""

    copy: Copy
    holding: Holding
    order: Order | None
    lot: int | None


class Kind(StrEnum):
    """What differs.

    ORPHAN: an order of ours is open that no copy knows. MISSING: a copy's open order is not in
    the book. ORDER: the orders are not those that the leader's order implies. BEHIND: the copy
    rests as it should, but the leader's order has traded. POSITION: the day's fills are others.
    UNREAD: the account could not be compared.
    """

    ORPHAN = "orphan"
    MISSING = "missing"
    ORDER = "order"
    BEHIND = "behind"
    POSITION = "position"
    UNREAD = "unread"


class Action(StrEnum):
    """What a repair does; an EXIT makes the account's position smaller."""

    CANCEL = "cancel"
    EXIT = "exit"
    ENTRY = "entry"


@dataclass(frozen=True, slots=True)
class Repair:
    """A request that would end a difference: of an order to be cancelled, or for so many shares
    to be traded. `like` is the leader order on whose terms, empty for the market's price."""

    action: Action
    order_id: str = ""
    side: Side | None = None
    quantity: int = 0
    like: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference in plain words. `has`, `implied` and `own` (shares, signed) are of a position:
    the day's with everything in it, what
    it should be, and the part that the account traded by itself."""

    follower: str
    kind: Kind
    what: str
    symbol: str = ""
    holding: Holding | None = None
    leader_order_ids: tuple[str, ...] = ()
    order_id: str = ""
    has: int | None = None
    implied: int | None = None
    own: int | None = None
    repair: Repair | None = None


def proposal(difference: Difference) -> str:
    """The repair in plain words, empty where there is none to propose."""
    repair, holding = difference.repair, difference.holding
    if repair is None or holding is None:
        return ""
    if repair.action is Action.CANCEL:
        return f"cancel order {repair.order_id}"
    price = f"on the terms of leader order {repair.like}" if repair.like else "at the market price"
    what = f"{repair.side} {repair.quantity} {difference.symbol} {holding.product}"
    return f"{repair.action}: {what} {price}"
