"""What follows from what a follower knows: the next step of each copy, and the request that it
asks for, as soon as there is a permit."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from actors.flattening import Flattening
from actors.hands import Hands, Timing
from actors.pace import Pace
from actors.post import Post
from actors.reporter import Reporter
from actors.standing import Standing
from domain.breaker import Breaker
from domain.copies import Skipped
from domain.copybook import CopyBook
from domain.inputs import Mandate
from domain.instruments import InstrumentKey
from domain.legs import Legs, bought_first
from domain.schedules import Schedule
from domain.steps import Cancel, Done, Hold, Modify, Place, Request, Skip, Step, Why
from domain.unread import Unread

_RANK = {Cancel: 0, Modify: 1, Place: 2}
_ON_THE_ACCOUNT = frozenset(
    {Why.IN_FLIGHT, Why.TRANSIT, Why.ENTRY, Why.BOUGHT_LEG, Why.FUNDS, Why.UNREAD}
)


class Deciding:
    """The decisions of one follower, with everything that they depend on. `pressing` are the
    leader's orders for which something is to be sent that waits for a word of the account's."""

    def __init__(
        self, name: str, client_id: str, mandate: Mandate, post: Post, hands: Hands
    ) -> None:
        self.book = CopyBook(mandate.rules)
        self.pace = Pace(post, client_id, name)
        self.standing = Standing(post, name, mandate.paused)
        self.reporter = Reporter(post, self.book)
        self.flattening = Flattening(post, client_id, self.book, self.standing)
        self.ready = False
        self.drained = False
        self.breaker = Breaker()
        self.live: dict[str, None] = {}
        self.unread = Unread()
        self.legs = Legs(self.book)
        self.pressing: set[str] = set()
        self._name = name
        self._mandate = mandate
        self._hands = hands
        self._now: datetime
        self._takes: dict[Schedule, bool] = {}
        self._waiting: dict[str, type[Request]] = {}
        self._waiting_since: dict[str, datetime] = {}
        self._heard_ns: dict[str, int] = {}
        self._alarms: dict[str, datetime] = {}
        self._changed: set[str] = set()

    def _consider(self, leader_id: str) -> None:
        """Take the next step of one copy."""
        if not self.ready or leader_id not in self.book.orders:
            return
        self.reporter.touch(leader_id)
        if self.drained:
            return
        step = self._step(leader_id)
        while isinstance(step, Place | Modify | Cancel):
            if not self._request(leader_id, step) or not self.book.in_slices(leader_id):
                break
            step = self._step(leader_id)
        if not isinstance(step, Place | Modify | Cancel):
            self._waiting_since.pop(leader_id, None)
        self._press(leader_id, step)
        match step:
            case Skip():
                self.book.skip(leader_id, step)
            case Hold(why, until):
                self.book.hold(leader_id, why)
                if until is not None:
                    self._set_alarm(leader_id, until)
        if isinstance(step, Done | Skip):
            self.live.pop(leader_id, None)
            self._waiting.pop(leader_id, None)
        else:
            self.live[leader_id] = None

    def _press(self, leader_id: str, step: Step) -> None:
        """Note whether it waits for a word of the account's. An order that was just placed as it
        is wanted waits for an answer too, but nothing waits for that."""
        why = step.why if isinstance(step, Hold) else None
        if why is not Why.IN_FLIGHT:
            self._changed.discard(leader_id)
        if why in _ON_THE_ACCOUNT and (why is not Why.IN_FLIGHT or leader_id in self._changed):
            self.pressing.add(leader_id)
        else:
            self.pressing.discard(leader_id)

    def _step(self, leader_id: str) -> Step:
        order = self.book.orders[leader_id]
        takes = self._takes_orders(order.instrument)
        if not order.flattening:
            self.legs.note(order)
        step = self.book.step(leader_id, self.standing.mood, takes, self._now)
        if self.unread.before(leader_id, step, bool(self.book.unresolved())):
            return Hold(Why.UNREAD)
        if isinstance(step, Skip) and step.reason is Skipped.HALTED and self.flattening.asked:
            return replace(step, detail=self.flattening.asked.words)
        if self.breaker.holds and isinstance(step, Place | Modify | Cancel):
            return Hold(Why.BROKER_DOWN)
        until = self.legs.wait(leader_id, self._now) if isinstance(step, Place) else None
        return step if until is None else Hold(Why.BOUGHT_LEG, until)

    def _takes_orders(self, key: InstrumentKey) -> bool:
        """Whether the instrument's market takes orders."""
        schedule = self.book.listings.schedule(key)
        return schedule is not None and self._takes.get(schedule, False)

    def _request(self, leader_id: str, step: Request) -> bool:
        """Send a step's request, as soon as there is a permit; whether there is one."""
        entry = not isinstance(step, Cancel) and not self.book.exits(leader_id)
        slot = self.pace.take(entry=entry)
        if slot is None:
            self._waiting[leader_id] = type(step)
            self._waiting_since.setdefault(leader_id, self._now)
            if not isinstance(step, Place) and not self.pace.in_hand:
                urgent = sum(kind is not Place for kind in self._waiting.values())
                self._hands.make_way(urgent, self.book.exits)
            return False
        copy = self.book.copies[leader_id]
        self.breaker = self.breaker.sent()
        self.book.intended(leader_id, step, self._now)
        waited = self._now - self._waiting_since.pop(leader_id, self._now)
        timing = Timing(self._heard_ns.get(leader_id), waited, slot)
        self._hands.send(copy, step, self._now, timing)
        return True

    def _set_alarm(self, leader_id: str, until: datetime) -> None:
        now, set_for = self._now, self._alarms.get(leader_id)
        if set_for is None or until < set_for or set_for < now:
            self._alarms[leader_id] = until
            self._hands.ring(leader_id, until - now)

    def _consider_each(self, leader_ids: Iterable[str]) -> None:
        for leader_id in leader_ids:
            self._consider(leader_id)

    def _consider_live(self, concerned: Callable[[InstrumentKey], bool]) -> None:
        """Consider the copies that wait or rest, in the instruments that are concerned."""
        self._consider_each(self._most_urgent(self._live_in(concerned)))

    def _live_in(self, concerned: Callable[[InstrumentKey], bool]) -> list[str]:
        orders = self.book.orders
        return [one for one in self.live if one in orders and concerned(orders[one].instrument)]

    def _consider_stirred(self) -> None:
        """Consider the copies that depend on others, in the holdings that have changed, but for
        what is to be placed: it is decided anew when its permit comes."""
        if self.ready:
            stirred = self.book.stirred(self._now)
            self._consider_each(one for one in stirred if self._waiting.get(one) is not Place)

    def _consider_in(self, keys: Collection[InstrumentKey]) -> None:
        """Consider all orders in these instruments, also those that were not copied."""
        orders = self.book.orders.items()
        concerned = [leader_id for leader_id, order in orders if order.instrument in keys]
        self._consider_each(self._most_urgent(concerned) if self.ready else ())

    def _consider_all(self) -> None:
        self._consider_each(self._most_urgent(list(self.book.orders)) if self.ready else ())

    def _flatten(self) -> None:
        """Leave what is to be left, as far as that is possible now."""
        if not self.flattening.needed or not self.ready or self.drained:
            return
        for leader_id in list(self.flattening.due(self.live, self._takes_orders, self._now)):
            self._consider(leader_id)
        for leader_id, until in self.flattening.waits.items():
            self._set_alarm(leader_id, until)

    def _most_urgent(self, leader_ids: list[str]) -> list[str]:
        """Cancels before modifications before placements, of these bought legs before sold ones,
        else as they came; of a follower that is flattened, entries are cancelled before exits."""
        return self._by_urgency({one: type(self._step(one)) for one in leader_ids})

    def _by_urgency(self, steps: Mapping[str, type[Step]]) -> list[str]:
        last = self.book.exits if self.flattening.active else lambda leader_id: False
        urgent = sorted(steps, key=lambda one: (_RANK.get(steps[one], 3), last(one)))
        placed = [one for one in urgent if steps[one] is Place]
        ranks = {one: rank for one in placed if (rank := self.legs.rank(one)) is not None}
        return bought_first(urgent, ranks)
