"""One leader order, one follower and a broker, played by hand: everything that happens goes to a
live `CopyBook`, which then decides, and to a ledger, as the actors do it."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from actors.hands import Timing
from actors.intents import intent
from domain.copies import Copy
from domain.copybook import CopyBook
from domain.instructions import Instruction, Refuted, Settled, Verdict
from domain.instruments import Instrument
from domain.messages import Answered, CopyChanged, Intent, OrderSeen
from domain.orders import Order, OrderType, Source, Stamp, Status, Terms
from domain.outcomes import Accepted, Outcome
from domain.rules import Mood, Rules
from domain.steps import Cancel, Modify, Place, Request, Skip, Step
from ledger.entries import Entry, OrderKnown
from ledger.history import copies_of
from ledger.instructions import instruct, take_over, waiting
from ledger.ledger import Ledger
from tests.ledger.makers import HALF, KEY, LONG_AGO, NOW, order

LEADER_ID = "1001"
CLIENT = "client of asha"
OVERDUE = timedelta(seconds=17)


def is_open(row: Order) -> bool:
    """Whether some of the order can still trade."""
    return not row.status.terminal and row.filled < row.terms.quantity


class TradingFloor:
    """Time, the leader's order, the follower's book, the broker's book, and the ledger.

    With `reporting` off nothing of `copies` reaches the ledger, as if the process always died
    before that.
    """

    def __init__(self, path: Path, reporting: bool = True, freeze: int | None = None) -> None:
        self.path = path
        self.ledger = Ledger.open(path)
        self.ledger.connection.execute("PRAGMA synchronous = OFF")
        self.reporting = reporting
        self.instrument = Instrument(KEY, lot=1, tick=5, freeze=freeze)
        self.rules = Rules("asha", HALF, max_age=timedelta(hours=1))
        self.now = NOW
        self.mood = Mood.ACTIVE
        self.open = True
        self.leader = replace(
            order(LEADER_ID, "leader"), terms=Terms(20, OrderType.LIMIT, 10_000), symbol="HDFCBANK"
        )
        self.orders: dict[str, Order] = {}
        self.told: list[Order] = []
        self.in_flight: list[Intent] = []
        self.blurred = False
        self._heard = 0
        self._reported: CopyChanged | None = None
        self.book = self._new_book(())

    def close(self) -> None:
        """Close the ledger."""
        self.ledger.close()

    @property
    def live(self) -> Copy:
        """The copy as the running process has it."""
        return self.book.copies[LEADER_ID]

    @property
    def rebuilt(self) -> Copy | None:
        """The copy as a process would have it that starts now."""
        return next(iter(copies_of(self.ledger, "asha", LONG_AGO)), None)

    @property
    def broker_book(self) -> list[Order]:
        """The rows of the account's order book."""
        self._heard += 1
        return [
            replace(row, stamp=replace(row.stamp, source=Source.BOOK, heard=self._heard))
            for row in self.orders.values()
        ]

    # What happens at the leader

    def leader_has(self, **changes: object) -> None:
        """The leader's order changes."""
        told = replace(self.leader, stamp=self._stamp(), **changes)  # type: ignore[arg-type]
        self.book.seen(OrderSeen(told, NOW, self._ns))
        self.leader = self.book.told(LEADER_ID) or told
        self.decide()

    # What the follower decides

    def decide(self, recorded: bool = True) -> Step:
        """Take the next step, as the FollowerActor does; `recorded` is whether the ledger can
        keep an intent now."""
        step = self.book.step(LEADER_ID, self.mood, self.open, self.now)
        if isinstance(step, Skip):
            self.book.skip(LEADER_ID, step)
        while isinstance(step, Place | Modify | Cancel):
            intent = self._intent(step)
            self.book.intended(LEADER_ID, step, intent.intended_at)
            if recorded:
                self.ledger.commit([intent])
                self.in_flight.append(intent)
            else:
                self.book.unrecorded(intent)
                self.blurred = self.blurred or isinstance(step, Modify)
            if not recorded or not self.book.in_slices(LEADER_ID):
                break
            step = self.book.step(LEADER_ID, self.mood, self.open, self.now)
        self._report()
        return step

    def look(self) -> None:
        """Doubt what was never answered, park what was looked for too long.

        A change is answered in time or never. (Were it answered later, the running process would
        not listen any more, and one that starts would know better.)
        """
        late = self.now - OVERDUE
        self.book.overdue([LEADER_ID], late)
        self.in_flight = [
            intent for intent in self.in_flight if not intent.change or intent.intended_at >= late
        ]
        self.book.give_up(self.now)
        self._report()

    # What the broker does

    def carried_out(self, intent: Intent) -> bool:
        """The broker acts on a request that reached it; whether it can."""
        request = intent.request
        if isinstance(request, Place):
            order_id = self.placed_as(intent)
            if order_id not in self.orders:
                self.orders[order_id] = replace(
                    order(order_id, CLIENT, correlation=intent.correlation_id),
                    side=request.ticket.side,
                    terms=request.ticket.terms,
                    status=Status.TRANSIT,
                    stamp=self._stamp(),
                )
            return True
        known = self.orders.get(request.order_id)
        if known is None or not is_open(known):
            return False
        if isinstance(request, Modify):
            self.becomes(known.order_id, terms=request.terms)
        else:
            self.becomes(known.order_id, status=Status.CANCELLED)
        return True

    def accepted(self, intent: Intent) -> Outcome | None:
        """The answer of a broker that can do it, None of one that cannot."""
        if not self.carried_out(intent):
            return None
        return Accepted(intent.order_id or self.placed_as(intent), "TRANSIT")

    @staticmethod
    def placed_as(intent: Intent) -> str:
        """The id of the order that a placement makes."""
        return f"9{intent.number:03d}"

    def becomes(self, order_id: str, **changes: object) -> None:
        """Something happens to an order of the account."""
        known = self.orders[order_id]
        self.orders[order_id] = replace(known, stamp=self._stamp(), **changes)  # type: ignore[arg-type]

    def answer(self, intent: Intent, outcome: Outcome) -> None:
        """The answer reaches ledger and follower."""
        self.in_flight.remove(intent)
        told = Answered(intent, outcome, self._ns, self._ns, self._ns, 200)
        self._commit([told])
        self.book.answered(told, self.now)
        self.decide()

    def hear(self, told: Order) -> None:
        """An event reaches the follower."""
        self._heard += 1
        told = replace(told, stamp=replace(told.stamp, heard=self._heard))
        self.told.append(told)
        if self.book.heard(told) is not None:
            self._commit([OrderKnown("follower", told)])
        self.decide()

    def read(self, rows: Iterable[Order]) -> None:
        """A complete order book reaches the follower."""
        rows = tuple(rows)
        before = {row.order_id: self.book.known(row.order_id) for row in rows}
        self.book.read(rows, self.now)
        self._commit(
            [
                OrderKnown("follower", row)
                for row in rows
                if self.book.known(row.order_id) not in (None, before[row.order_id])
            ]
        )
        self.decide()

    def instruct(self, verdict: Verdict, dies: bool) -> None:
        """The operator settles the parked copy, after a hand-made order where it is placed. With
        `dies` the process does, before it has recorded what it made of that."""
        order_id = ""
        if verdict is Verdict.PLACED:
            order_id = f"8{len(self.orders):03d}"
            self.orders[order_id] = replace(order(order_id, CLIENT), stamp=self._stamp())
        told = instruct(self.path, LEADER_ID, "asha", verdict, order_id, self.now)
        take_over(self.ledger)
        assert waiting(self.ledger) == [told]
        if dies:
            self.restart()
        self._settle(told)
        self.decide()

    def _settle(self, told: Instruction) -> None:
        """What `OperatorsWord` does."""
        rows = {row.order_id: row for row in self.broker_book}
        self.read(rows.values())
        shown = rows.get(told.order_id)
        before = self.live
        try:
            copy = self.book.resolved(told, shown)
        except Refuted as refuted:
            self._commit([Settled(told, False, str(refuted), self.now)])
            return
        known = [OrderKnown("follower", shown)] if shown else []
        changed = None if copy is before else copy
        self._commit([*known, Settled(told, True, "taken", self.now, changed)])
        self.book.resolve(told, shown)

    def restart(self) -> None:
        """The process dies, and another one takes over what the ledger kept."""
        rebuilt = self.rebuilt
        self.in_flight.clear()
        self._reported = None
        self.book = self._new_book(() if rebuilt is None else (rebuilt,))
        self.decide()

    # Inside

    def _new_book(self, copies: Iterable[Copy]) -> CopyBook:
        book = CopyBook(self.rules)
        book.listings.learn((self.instrument,))
        book.restore(copies, self.now)
        book.seen(OrderSeen(self.leader, NOW, self._ns))
        return book

    @property
    def _ns(self) -> int:
        return 10**9 + (self.now - NOW) // timedelta(microseconds=1) * 1000

    def _stamp(self) -> Stamp:
        second = self.now.replace(microsecond=0)
        return Stamp(second, Source.FEED, 0)

    def _intent(self, step: Request) -> Intent:
        return intent("asha", CLIENT, self.live, step, Timing(self._ns), self.now, self._ns)

    def _commit(self, entries: list[Entry]) -> None:
        self.ledger.commit(entries)

    def _report(self) -> None:
        report = self.book.report(LEADER_ID, self.now)
        told = self._reported
        if report is None or not self.reporting:
            return
        changed = CopyChanged(report, self.live)
        if told is None or not changed.repeats(told):
            self._reported = changed
            self._commit([changed])
