"""Legs of one strategy: the leader's orders in options and futures of one underlying that were
placed within moments (scenario 1.4.5).

They are told apart by underlying and not by expiry: the legs of a calendar spread have different
ones and stand alone without each other as those of any other spread do. The window is counted from
a group's first leg, so that a leader who never stops trading does not make one group of a day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum, auto

from domain.attempts import Attempt, Stage
from domain.copies import Copy, Skipped
from domain.copybook import CopyBook
from domain.instruments import Instrument, Segment
from domain.messages import Level
from domain.orders import Order, Side, Status
from domain.reports import asked_for
from domain.rules import FailedLeg
from domain.sizing import Exit
from domain.slices import may_follow

_DERIVATIVES = ("OPT", "FUT")
_MIRRORED = frozenset({Skipped.OWN, Skipped.LEADER_CLOSED})
_PATIENCE = timedelta(seconds=5)
_MOMENTS = timedelta(seconds=30)


Rank = tuple[tuple[Segment, str], int]
"""The segment and the underlying of an option's order, and its rank among those, lowest first."""


class Fate(Enum):
    """What became of a leg in a follower. ASKED: the broker has yet to say. COMING: it waits.
    STANDS: it rests in the market or traded. FAILED: it will not trade, though the leader's may or
    did, or it is left because another failed. OVER: it ended without a fill like the leader's, or
    by the operator's word."""

    ASKED = auto()
    COMING = auto()
    STANDS = auto()
    FAILED = auto()
    OVER = auto()


@dataclass(frozen=True, slots=True)
class Leg:
    """A leader order, a follower's copy of it, and what both trade."""

    order: Order
    copy: Copy
    instrument: Instrument


@dataclass(frozen=True, slots=True)
class Alone:
    """Legs of a group that failed in a follower, and those that stand without them."""

    underlying: str
    failed: tuple[Leg, ...]
    standing: tuple[Leg, ...]

    @property
    def entries(self) -> tuple[Leg, ...]:
        """What is to be left where the roster wants that: the legs that stand and are no exits,
        where one that is no exit failed. An exit that fails leaves what stood before."""
        if all(_exits(one) for one in self.failed):
            return ()
        return tuple(one for one in self.standing if not _exits(one))

    @property
    def why(self) -> str:
        """Which legs failed."""
        return "; ".join(f"{_named(one)} is {one.copy.state}" for one in self.failed)

    @property
    def level(self) -> Level:
        """What the follower's own rules left out is no surprise."""
        left_out = all(leg.copy.left_out for leg in self.failed)
        return Level.WARNING if left_out else Level.ERROR

    @property
    def words(self) -> str:
        """Which legs stand alone, and why."""
        standing = ", ".join(_named(one) for one in self.standing)
        failed = "; ".join(
            f"{_named(one)} is {one.copy.state}: {one.copy.reason or 'it did not trade'}"
            for one in self.failed
        )
        return f"legs in {self.underlying} stand alone: {standing}, as {failed}"


@dataclass(slots=True)
class _Group:
    """Legs by leader order id, since the first of them was placed. `told` are those of which it
    was said that they failed."""

    underlying: str
    began: datetime
    legs: dict[str, Instrument] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)


class Legs:
    """The groups among the leader's orders in one follower's book, and what comes of them."""

    def __init__(self, book: CopyBook) -> None:
        self._book = book
        self._told_until = datetime.min.replace(tzinfo=UTC)
        self._groups: dict[str, _Group] = {}
        self._newest: dict[tuple[Segment, str], _Group] = {}
        self._changed: dict[str, _Group] = {}

    def began(self, now: datetime) -> None:
        """The follower starts: what failed long before was told by whoever ran then."""
        self._told_until = now - _MOMENTS

    def note(self, order: Order) -> None:
        """Have the order in its group, if it is a leg at all, and look at that group again."""
        if (group := self._groups.get(order.order_id)) is None:
            instrument = self._book.listings.instrument(order.instrument)
            window = self._book.rules.legs_window
            if instrument is None or not is_leg(instrument) or window <= timedelta(0):
                return
            at = order.began
            place = order.instrument.segment, instrument.underlying
            group = self._newest.get(place)
            if group is None or abs(at - group.began) > window:
                group = self._newest[place] = _Group(instrument.underlying, at)
            group.legs[order.order_id] = instrument
            self._groups[order.order_id] = group
        if len(group.legs) > 1:
            self._changed[next(iter(group.legs))] = group

    def rank(self, leader_id: str) -> Rank | None:
        """Where an option's order belongs among those of its underlying, None for any other."""
        group = self._groups.get(leader_id)
        if group is None or not group.legs[leader_id].option:
            return None
        order = self._book.orders[leader_id]
        return (order.instrument.segment, group.underlying), urgency(
            order.side, self._book.means.exits(order)
        )

    def wait(self, leader_id: str, now: datetime) -> datetime | None:
        """Until when the first placement for an order waits for bought legs of its group, None
        where it does not."""
        hold, group = self._book.rules.hold_sold_legs, self._groups.get(leader_id)
        if group is None or hold <= timedelta(0):
            return None
        one = self._leg(leader_id, group)
        if one.copy.attempts or self._book.means.exits(one.order):
            return None
        siblings = [self._leg(other, group) for other in group.legs if other != leader_id]
        return held_until(one, siblings, hold, now)

    def held_with(self, leader_id: str) -> list[str]:
        """The legs of the same group of which nothing was placed yet, as they may wait for it."""
        group = self._groups.get(leader_id)
        if group is None or self._book.rules.hold_sold_legs <= timedelta(0):
            return []
        copies = self._book.copies
        return [one for one in group.legs if one != leader_id and not copies[one].attempts]

    def alone(self, now: datetime) -> list[Alone]:
        """The legs that stand alone by now. That is told when the window is over and the broker
        has answered for all, and once for each leg that failed."""
        found, window = [], self._book.rules.legs_window
        for first, group in list(self._changed.items()):
            legs = [self._leg(one, group) for one in group.legs]
            age = now - max(one.copy.born or now for one in legs)
            asked = any(fate(one.order, one.copy) is Fate.ASKED for one in legs)
            if age < window or (asked and age < window + _PATIENCE):
                continue
            del self._changed[first]
            told = alone(group.underlying, legs)
            if told is None:
                continue
            new = {one.order.order_id for one in told.failed if _since(one) > self._told_until}
            left = self._book.rules.failed_leg is FailedLeg.FLATTEN and told.entries
            if left or not group.told.issuperset(new):
                group.told |= new
                found.append(told)
        return found

    def _leg(self, leader_id: str, group: _Group) -> Leg:
        book = self._book
        return Leg(book.orders[leader_id], book.copies[leader_id], group.legs[leader_id])


def is_leg(instrument: Instrument) -> bool:
    """Whether an order in it can be a leg: an option or a future whose underlying is known."""
    return bool(instrument.underlying) and instrument.kind.startswith(_DERIVATIVES)


def fate(order: Order, copy: Copy) -> Fate:
    """What became of the copy of a leg."""
    if copy.lone:
        return Fate.OVER if isinstance(copy.sizing, Exit) else Fate.FAILED
    if copy.filled:
        return Fate.STANDS
    if copy.left_out:
        mirrored = copy.skipped in _MIRRORED or (order.cut_short and not order.filled)
        return Fate.OVER if mirrored else Fate.FAILED
    attempt = copy.standing or copy.current
    if attempt is None:
        return Fate.OVER if order.cut_short else Fate.COMING
    if copy.given_up:
        return Fate.OVER
    if not attempt.ended:
        return _open(attempt)
    if may_follow(order, attempt):
        return Fate.COMING
    return Fate.OVER if order.cut_short and not order.filled else Fate.FAILED


def alone(underlying: str, legs: Sequence[Leg]) -> Alone | None:
    """The legs of a group that stand without others, None where none failed or none stands."""
    fates = [(one, fate(one.order, one.copy)) for one in legs]
    failed = tuple(one for one, came in fates if came is Fate.FAILED)
    standing = tuple(one for one, came in fates if came is Fate.STANDS)
    return Alone(underlying, failed, standing) if failed and standing else None


def bought_first(leader_ids: Sequence[str], ranks: Mapping[str, Rank]) -> list[str]:
    """The orders as they came, but those of one underlying by rank among themselves; what has no
    rank keeps its place."""
    waiting: dict[tuple[Segment, str], list[str]] = {}
    for one in sorted((one for one in leader_ids if one in ranks), key=lambda one: ranks[one][1]):
        waiting.setdefault(ranks[one][0], []).append(one)
    return [waiting[ranks[one][0]].pop(0) if one in ranks else one for one in leader_ids]


def urgency(side: Side, exits: bool) -> int:
    """The rank of an option's order among those of its underlying: what is bought to close a sold
    one lowers the margin and goes first, what is sold to open needs most and goes last. `exits` is
    whether it makes the follower's position smaller."""
    if exits:
        return 0 if side is Side.BUY else 1
    return 1 if side is Side.BUY else 2


def held_until(
    one: Leg, siblings: Sequence[Leg], hold: timedelta, now: datetime
) -> datetime | None:
    """Until when an option that would be sold to open waits for bought legs of its group; None once
    all that are known have traded or failed, or there was none for as long as `hold`."""
    until = (one.copy.born or now) + hold
    if now >= until or not one.instrument.option or one.order.side is Side.BUY:
        return None
    bought = [s for s in siblings if s.order.side is Side.BUY and s.instrument.option]
    settled = [_settled(sibling) for sibling in bought]
    return None if settled and all(settled) else until


def _settled(bought: Leg) -> bool:
    """Whether waiting for a bought leg brings nothing more: its margin counts once it traded."""
    came = fate(bought.order, bought.copy)
    if came is not Fate.STANDS:
        return came in (Fate.FAILED, Fate.OVER)
    return bought.copy.standing is None


def _open(attempt: Attempt) -> Fate:
    if attempt.stage is Stage.PARKED:
        return Fate.FAILED
    if attempt.stage is Stage.UNKNOWN:
        return Fate.COMING
    unheard = attempt.status in (None, Status.TRANSIT)
    return Fate.ASKED if attempt.stage is Stage.SENT or unheard else Fate.STANDS


def _exits(one: Leg) -> bool:
    """Whether the leg leaves a position of the leader's."""
    return isinstance(one.copy.sizing, Exit)


def _since(failed: Leg) -> datetime:
    """When it failed, as far as is known."""
    copy, attempt = failed.copy, failed.copy.current
    told = [copy.born] if attempt is None else [attempt.sent_at, attempt.doubted_at]
    if attempt is not None and attempt.order is not None:
        told.append(attempt.order.stamp.updated_at)
    known = [at for at in told if at is not None]
    return max(known) if known else failed.order.stamp.updated_at


def _named(one: Leg) -> str:
    """Side, the follower's quantity and symbol, and the leader's order."""
    copy, order = one.copy, one.order
    planned = copy.sizing.size(order.terms.quantity, one.instrument.lot)
    size = asked_for(copy) if copy.attempts else planned
    symbol = one.instrument.symbol or order.symbol
    return f"{order.side} {size} {symbol} (order {order.order_id})"
