"""The leader's orders in one holding, in the order in which they were placed, and what each of
them and its copy came to.

An exit is about what was entered before it, whenever it is looked at: so the orders of one round
trip are never sized off those of the next, however many are in the air.
"""

from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from operator import itemgetter

from domain.copies import Copy, Skipped
from domain.orders import Order
from domain.sizing import Exit

_Place = tuple[datetime, int, str]

_FIRST: _Place = datetime.min.replace(tzinfo=UTC), 0, ""


@dataclass(slots=True)
class Shares:
    """Shares, signed: what the leader has traded and what the copies have; what they will have
    once they have caught up with what the leader has (`due`); and what is `there` by now: of an
    entry what its copy got, less what the exits take of that."""

    leader: int = 0
    mine: int = 0
    due: int = 0
    there: int = 0

    def add(self, other: "Shares", sign: int) -> None:
        self.leader += sign * other.leader
        self.mine += sign * other.mine
        self.due += sign * other.due
        self.there += sign * other.there

    def less(self, other: "Shares") -> "Shares":
        """These without the others."""
        return Shares(
            self.leader - other.leader,
            self.mine - other.mine,
            self.due - other.due,
            self.there - other.there,
        )


@dataclass(frozen=True, slots=True)
class Line:
    """One order on the tape. `lags` is whether its copy may depend on the others: one of an order
    that `exits` grows with its entries, an entry of an order that has ended may be overtaken.
    `sent_at` is when its copy was placed first. What exits still ask for in the market, in shares,
    are `leaders_rest` and the `rest` of the copy."""

    order: Order
    place: _Place
    shares: Shares
    exits: bool
    lags: bool
    sent_at: datetime | None
    leaders_rest: int
    rest: int


@dataclass(slots=True)
class Tape:
    """The lines, and their `total` with what was before all of them."""

    total: Shares = field(default_factory=Shares)
    _lines: dict[str, Line] = field(default_factory=dict)
    _in_order: list[tuple[_Place, str]] = field(default_factory=list)
    _lagging: dict[str, None] = field(default_factory=dict)
    _asking: dict[str, None] = field(default_factory=dict)

    def note(
        self, order: Order, copy: Copy | None, shares: Shares, ended: bool, reach: int
    ) -> bool:
        """Bring the line of an order up to date; whether that changes anything. An order of
        another day has `ended`: nothing depends on it any more. Its copy may `reach` so many
        shares."""
        known = self._lines.get(order.order_id)
        if known is not None:
            self.total.add(known.shares, -1)
        self.total.add(shares, 1)
        exits = copy is not None and isinstance(copy.sizing, Exit)
        leaders_rest = rest = 0
        if exits and copy is not None and not ended:
            rest = copy.rest
            leaders_rest = 0 if order.status.terminal else order.terms.quantity - order.filled
        lags = not ended and _lags(order, copy, rest, reach)
        sent_at = copy.attempts[0].sent_at if copy is not None and copy.attempts else None
        place = _place(order, known)
        self._stand(order.order_id, place, known)
        line = Line(order, place, shares, exits, lags, sent_at, leaders_rest, rest)
        self._lines[order.order_id] = line
        _keep(self._lagging, order.order_id, lags)
        _keep(self._asking, order.order_id, bool(leaders_rest or rest))
        return known is None or _depended_on(known) != _depended_on(line)

    def shares(self, order_id: str) -> Shares:
        """What one order and its copy came to."""
        line = self._lines.get(order_id)
        return line.shares if line is not None else Shares()

    def without(self, order: Order) -> Shares:
        """What there is but for one order and its copy."""
        return self.total.less(self.shares(order.order_id))

    def before(self, order: Order) -> tuple[Shares, Shares]:
        """What there was before an order: what was placed before it, and what was entered until
        it ended. What Lockstep made to leave a position counts always, and so does what later
        exits took of it whose copies were placed first. And what is left of that by those whose
        copies were placed since."""
        known = self._lines.get(order.order_id)
        place = _place(order, known)
        found = self.without(order)
        later = [line for line in self._after(place) if not _precedes(line, order, place)]
        if not later:
            return found, found
        for line in later:
            found.add(line.shares, -1)
        sent_at = known.sent_at if known is not None else None
        left = replace(found)
        _take(left, order, [one for one in later if not one.exits or one.sent_at is not None])
        _take(found, order, [one for one in later if not _placed_after(one, order, sent_at)])
        return found, left

    def free(self, order: Order) -> tuple[int, int]:
        """What an exit could leave of what there is, or was before it, and no other exit in the
        market asks for: of the leader's shares, and of the copies'."""
        others = [self._lines[one] for one in self._asking if one != order.order_id]
        beside = [line for line in others if line.order.side is order.side]
        stakes = self.without(order), self.before(order)[1]
        leaders_sign, sign = order.leaders_side.other.sign, order.side.other.sign
        leaders = max(leaders_sign * one.leader for one in stakes)
        mine = max(sign * one.mine for one in stakes)
        leaders -= sum(line.leaders_rest for line in beside)
        return leaders, mine - sum(line.rest for line in beside)

    def settle(self, order_id: str) -> None:
        """Let an order depend on nothing any more."""
        self._lagging.pop(order_id, None)

    def opens(self, order: Order) -> bool:
        """Whether the leader held nothing that the order could leave by the second in which it was
        placed."""
        place = _place(order, self._lines.get(order.order_id))
        later = self._after(place)
        if not later:
            return False
        held = self.without(order).leader
        held -= sum(line.shares.leader for line in later if line.place[0] > place[0])
        return held * order.leaders_side.sign >= 0

    def dependent(self) -> list[str]:
        """The orders whose copies depend on others now, as they were placed: exits that wait for
        entries, and entries that are overtaken; and the last exit, where something is left over."""
        found = dict.fromkeys(self._lagging)
        if (last := self._leaves_over()) is not None:
            found[last.order.order_id] = None
        dependent = sorted((self._lines[one] for one in found), key=lambda line: line.place)
        return [one.order.order_id for one in dependent if one.exits or self.overtaken(one.order)]

    def left_over(self, order: Order) -> bool:
        """Whether the order is the last one by which the leader traded, an exit that left nothing,
        and the copies still hold something that it could leave."""
        last = self._leaves_over()
        return last is not None and last.order.order_id == order.order_id

    def _leaves_over(self) -> Line | None:
        """The line of that order, if there is one."""
        if self.total.leader or not self.total.mine:
            return None
        lines = (self._lines[one] for _, one in reversed(self._in_order))
        last = next((line for line in lines if line.shares.leader), None)
        if last is None or not last.exits or last.order.side.other.sign * self.total.mine <= 0:
            return None
        return last

    def overtaken(self, order: Order) -> bool:
        """Whether the leader has left again all that the order entered: first in, first out."""
        known = self._lines[order.order_id]
        later = self._after(known.place)
        left = sum(_of(line) for line in later if line.order.leaders_side is not order.leaders_side)
        more = sum(_of(line) for line in later if line.order.leaders_side is order.leaders_side)
        held = self.total.leader * order.leaders_side.sign - more + left
        return 0 < held <= left

    def _stand(self, order_id: str, place: _Place, known: Line | None) -> None:
        """Have the order in its place, and not where it was `known` to be."""
        if known is not None:
            if known.place == place:
                return
            del self._in_order[bisect_left(self._in_order, (known.place, order_id))]
        insort(self._in_order, (place, order_id))

    def _after(self, place: _Place) -> list[Line]:
        """The lines that come after that place, in order."""
        since = bisect_right(self._in_order, place, key=itemgetter(0))
        return [self._lines[one] for _, one in self._in_order[since:]]


def _keep(ids: dict[str, None], order_id: str, there: bool) -> None:
    if there:
        ids[order_id] = None
    else:
        ids.pop(order_id, None)


def _depended_on(line: Line) -> tuple[object, ...]:
    """All of a line on which the copies of other orders depend."""
    return line.shares, line.lags, line.leaders_rest, line.rest


def _lags(order: Order, copy: Copy | None, rest: int, reach: int) -> bool:
    if copy is None or order.flattening:
        return False
    if isinstance(copy.sizing, Exit):
        grows = reach > copy.filled + rest or copy.sizing.to_come > 0
        return grows or copy.skipped is Skipped.UNDER_ONE_LOT
    return order.status.terminal and copy.standing is not None


def _place(order: Order, known: Line | None) -> _Place:
    if order.flattening:
        return _FIRST
    if order.placed_at is None and known is not None:
        return known.place
    return order.place


def _precedes(line: Line, order: Order, place: _Place) -> bool:
    """Whether the line comes before an order that has that place."""
    if line.place < place:
        return True
    if line.order.leaders_side is order.leaders_side:
        return False
    return not order.status.terminal or line.order.stamp.updated_at < order.stamp.updated_at


def _placed_after(line: Line, order: Order, sent_at: datetime | None) -> bool:
    """Whether the line is an exit beside the order that was not placed before it, which was
    `sent_at` then, None where it was not yet."""
    if line.order.leaders_side is not order.leaders_side or not line.exits:
        return False
    return line.sent_at is None or (sent_at is not None and line.sent_at >= sent_at)


def _take(found: Shares, order: Order, later: list[Line]) -> None:
    """Take off what exits that come `later` than this one, in their order, took of the same: what
    was entered between they left first."""
    between = Shares()
    for line in later:
        if line.order.leaders_side is not order.leaders_side:
            between.add(line.shares, 1)
        elif line.exits:
            between.add(line.shares, 1)
            for one in fields(Shares):
                rest = getattr(between, one.name)
                if rest * getattr(line.shares, one.name) > 0:
                    setattr(found, one.name, getattr(found, one.name) + rest)
                    setattr(between, one.name, 0)


def _of(line: Line) -> int:
    """What the leader traded by an order, in shares."""
    return abs(line.shares.leader)
