"""The FollowerActor: one account that follows the leader.

It keeps its copies in a `CopyBook`, asks for the next step of whatever something happened to,
and sends a step's request through the ledger to the wire. It never waits for anything: answers,
permits, books and its own account's events all come back as messages.
"""

import logging
from datetime import datetime, timedelta

from actors.account import Account, BookAnswered, FollowerSettings, PositionsAnswered
from actors.drift_watch import DriftWatch
from actors.floor import Floor, FloorActor
from actors.intents import intent
from actors.ledger import Dispatch, Restore, Restored
from actors.market_clock import TakesOrders
from actors.operators_word import OperatorsWord
from actors.own_orders import OwnOrders
from actors.pace import Pace
from actors.post import BOARD, INSTRUMENTS, LEDGER, RECOVERY, follower_name
from actors.reporter import Reporter, log_answer
from actors.standing import Standing
from actors.upkeep import BoardRestarted, Configured, Drain, LimiterRestarted
from domain.copybook import CopyBook
from domain.instructions import Instruction
from domain.messages import (
    Answered,
    FeedLive,
    FeedLost,
    FeedRefused,
    FrameHeard,
    Intent,
    Level,
    MasterLoaded,
    MasterWanted,
    NotRecorded,
    OrderSeen,
    PermitsGranted,
    SessionChanged,
    SweepWanted,
    Tick,
)
from domain.outcomes import Accepted, Outcome, Refusal, Throttled
from domain.steps import Cancel, Done, Hold, Modify, Place, Request, Skip, Step

logger = logging.getLogger(__name__)

_LOOK = "look"
_LOOK_SECONDS = 0.5
_IDLE_SWEEP = timedelta(seconds=20)
_OVERDUE = timedelta(seconds=10)
_LEDGER_PAUSE = 1.0
_RANK = {Cancel: 0, Modify: 1, Place: 2}


class FollowerActor(FloorActor):
    """Follows the leader in one account."""

    def __init__(self, floor: Floor, settings: FollowerSettings, takes_orders: TakesOrders) -> None:
        super().__init__(follower_name(settings.name), floor)
        self._settings = settings
        self._takes_orders = takes_orders
        self._book = CopyBook(settings.rules)
        self._account: Account
        self._own: OwnOrders
        self._word: OperatorsWord
        self._drift: DriftWatch
        self._pace = Pace(floor.post, settings.address.client_id, settings.name)
        self._reporter = Reporter(floor.post, self._book)
        self._ready = False
        self._drained = False
        self._standing = Standing(floor.post, settings)
        self._waiting: dict[str, None] = {}
        self._live: set[str] = set()
        self._heard_ns: dict[str, int] = {}
        self._alarms: dict[str, datetime] = {}
        self._read_at: datetime | None = None

    def begin(self) -> None:
        self._account = Account(self.floor, self._settings)
        self._own = OwnOrders(
            self.floor.post,
            self._settings.name,
            self._settings.address.client_id,
            self._book,
            self._account.read_book,
        )
        self._word = OperatorsWord(self.floor.post, self._book, self._own, self._account.read_book)
        every = timedelta(seconds=self._settings.drift_seconds)
        self._drift = DriftWatch(self.floor.clock, self._account, self._book, self._standing, every)
        self._pace.open(self._settings.windows)
        self._standing.tell()
        self.floor.post.tell(LEDGER, Restore(self._settings.name))
        self.later(_LOOK_SECONDS, Tick(_LOOK))

    def end(self) -> None:
        self._reporter.flush(self.floor.clock.now())
        self._account.close()

    def receive(self, message: object) -> object:
        if isinstance(message, OrderSeen):
            self._seen(message)
            return None
        self._received(message)
        self._reporter.flush(self.floor.clock.now())
        return None

    def _received(self, message: object) -> None:
        match message:
            case Answered():
                self._answered(message)
            case PermitsGranted():
                self._granted(message)
            case FrameHeard(frame, heard_ns):
                for leader_id in self._own.frame(frame, heard_ns):
                    self._consider(leader_id)
            case BookAnswered():
                self._book_answered(message)
                self._drift.book(message)
            case PositionsAnswered():
                self._drift.positions(message)
            case Tick(name):
                self._rang(name)
            case Instruction():
                self._instructed(message)
            case NotRecorded(unsent, why):
                self._not_recorded(unsent, why)
            case SessionChanged():
                self._consider_all()
            case Restored():
                self._restored(message)
            case MasterLoaded(instruments):
                self._book.master(instruments)
                self._consider_all()
            case Configured(settings):
                self._configured(settings)
            case Drain():
                self._drained = True
            case BoardRestarted():
                self._standing.tell()
                self._reporter.retell()
            case LimiterRestarted():
                self._pace.open(self._settings.windows)
            case FeedLive() | FeedLost() | FeedRefused():
                self._feed_changed(message)
            case _:
                super().receive(message)

    # What happened

    def _seen(self, seen: OrderSeen) -> None:
        order_id = seen.order.order_id
        if self._book.seen(seen):
            self._heard_ns[order_id] = seen.heard_ns
        if self._ready:
            self._consider(order_id)

    def _restored(self, restored: Restored) -> None:
        """Begin to decide, with the copies that the ledger kept."""
        self._book.restore(restored.copies, self.floor.clock.now())
        self._book.resize(self._settings.rules)
        self._ready = True
        self._account.read_book()
        self.floor.post.tell(INSTRUMENTS, MasterWanted(self._settings.name))
        self.floor.post.tell(RECOVERY, SweepWanted("a follower started", self._settings.name))
        self._consider_all()

    def _answered(self, answer: Answered) -> None:
        leader_id = answer.intent.leader_order_id
        if leader_id not in self._book.copies:
            return
        self._book.answered(answer, self.floor.clock.now())
        self._note_outcome(answer.outcome)
        log_answer(answer)
        if answer.written_ns is None:
            self._pace.put_back()
        self._pace.want()
        self._consider(leader_id)

    def _note_outcome(self, came: Outcome) -> None:
        """Learn about the account from an answer."""
        if isinstance(came, Accepted):
            self._pace.went_through()
        elif isinstance(came, Throttled):
            self._pace.throttled()
        elif isinstance(came, Refusal):
            self._standing.refused(came)

    def _granted(self, grant: PermitsGranted) -> None:
        self._pace.granted(grant)
        for leader_id in self._most_urgent(list(self._waiting)):
            if not self._pace.in_hand:
                break
            self._waiting.pop(leader_id, None)
            self._consider(leader_id)

    def _most_urgent(self, leader_ids: list[str]) -> list[str]:
        """Cancels before modifications before placements, else as they came."""
        steps = {leader_id: self._step(leader_id) for leader_id in leader_ids}
        return sorted(leader_ids, key=lambda leader_id: _RANK.get(type(steps[leader_id]), 3))

    def _book_answered(self, told: BookAnswered) -> None:
        self._account.reading = False
        read = self._own.book(told)
        if not isinstance(read, list):
            if isinstance(read, Refusal):
                self._standing.refused(read)
            return
        self._read_at = told.asked_at
        if self._standing.token_refused:
            self._standing.accepted()
            self._consider_all()
        for leader_id in read:
            self._consider(leader_id)

    def _instructed(self, told: Instruction) -> None:
        """Take the operator's word, once there are copies that it may be about."""
        if self._ready:
            self._word.take(told, self._read_at, self.floor.clock.now())
            self._consider(told.leader_order_id)

    def _not_recorded(self, unsent: Intent, why: str) -> None:
        """Nothing was sent; ask again after a pause."""
        logger.error(
            "Not sent, because not recorded: %s",
            why,
            extra={
                "leader_order": unsent.leader_order_id,
                "follower": unsent.follower,
                "correlation_id": unsent.correlation_id,
            },
        )
        self._book.unrecorded(unsent)
        self._pace.put_back()
        self.later(_LEDGER_PAUSE, Tick(unsent.leader_order_id))

    def _rang(self, name: str) -> None:
        if name == _LOOK:
            self._look()
            self.later(_LOOK_SECONDS, Tick(_LOOK))
            return
        self._alarms.pop(name, None)
        if name in self._book.orders:
            self._consider(name)

    def _look(self) -> None:
        """Do what only time asks for: read the book, doubt what was never answered."""
        now = self.floor.clock.now()
        patience = timedelta(seconds=self._settings.timeout) + _OVERDUE
        overdue = self._book.overdue(self._live, now - patience)
        if overdue:
            self._pace.open(self._settings.windows)
        for leader_id in overdue:
            self._consider(leader_id)
        for leader_id in self._book.give_up(now):
            self._gave_up(leader_id)
        for leader_id, how in self._book.lagging(now):
            self._standing.alert(
                f"the copy of order {leader_id} lags: {how}",
                "see whether its price can still be had, and change or cancel it by hand if not",
                Level.WARNING,
            )
        every = timedelta(seconds=self._settings.sweep_seconds) if self._live else _IDLE_SWEEP
        if self._read_at is None or now - self._read_at >= every:
            self._account.read_book()
        if self._ready and not self._drained:
            self._drift.look(now)

    def _feed_changed(self, change: FeedLive | FeedLost | FeedRefused) -> None:
        if isinstance(change, FeedLive):
            self._account.read_book()
        else:
            logger.warning("The order feed of %s: %s", self.name, change.why)
        self.floor.post.tell(BOARD, change)

    def _configured(self, settings: FollowerSettings) -> None:
        self._settings = settings
        self._book.resize(settings.rules)
        self._standing.configured(settings)
        self._pace.open(settings.windows)
        self._consider_all()

    # What follows

    def _step(self, leader_id: str) -> Step:
        clock = self.floor.clock
        segment = self._book.orders[leader_id].instrument.segment
        takes = self._takes_orders(segment, clock.wall())
        return self._book.step(leader_id, self._standing.mood, takes, clock.now())

    def _consider(self, leader_id: str) -> None:
        """Take the next step of one copy."""
        if not self._ready or leader_id not in self._book.orders:
            return
        self._reporter.touch(leader_id)
        if self._drained:
            return
        step = self._step(leader_id)
        match step:
            case Place() | Modify() | Cancel():
                self._request(leader_id, step)
            case Skip():
                self._book.skip(leader_id, step)
            case Hold(why, until):
                self._book.hold(leader_id, why)
                if until is not None:
                    self._set_alarm(leader_id, until)
        if isinstance(step, Done | Skip):
            self._live.discard(leader_id)
            self._waiting.pop(leader_id, None)
        else:
            self._live.add(leader_id)

    def _consider_all(self) -> None:
        for leader_id in self._most_urgent(list(self._book.orders)) if self._ready else ():
            self._consider(leader_id)

    def _request(self, leader_id: str, step: Request) -> None:
        """Send a step's request on its way to the ledger, as soon as there is a permit."""
        if not self._pace.take():
            self._waiting[leader_id] = None
            return
        copy, heard_ns = self._book.copies[leader_id], self._heard_ns.get(leader_id)
        made = intent(self._settings, copy, step, heard_ns, self.floor.clock)
        dispatch = Dispatch(
            made, self._account.request(step), self._account.line, self._settings.timeout
        )
        self._book.intended(leader_id, step, made.intended_at)
        self.floor.post.tell(LEDGER, dispatch)

    def _set_alarm(self, leader_id: str, until: datetime) -> None:
        now, set_for = self.floor.clock.now(), self._alarms.get(leader_id)
        if set_for is None or until < set_for or set_for < now:
            self._alarms[leader_id] = until
            self.later((until - now).total_seconds(), Tick(leader_id))

    def _gave_up(self, leader_id: str) -> None:
        self._reporter.touch(leader_id)
        self._standing.alert(
            f"the outcome of a request for order {leader_id} could not be found out",
            "look at the account's order book, then: python run.py copies resolve "
            f"{leader_id} {self._settings.name} placed|absent",
        )
