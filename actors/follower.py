"""The FollowerActor: one account that follows the leader.

It hands what its account, the leader and the operator tell to a `Following`, which decides, and
keeps that account's connections, socket and order book. It never waits for anything: answers,
permits, books and its own account's events all come back as messages.
"""

import logging
import random
from collections.abc import Iterable
from datetime import datetime, timedelta

from actors.account import (
    Account,
    AddressesAnswered,
    BookAnswered,
    KillAnswered,
    PositionsAnswered,
    ProfitAnswered,
)
from actors.capital import CapitalWatch, FundsAnswered, LeaderCapital, Purse
from actors.day_loss import LossWatch
from actors.dispatcher import Dispatcher
from actors.drift_watch import DriftWatch
from actors.egress import EgressWatch
from actors.floor import Floor, FloorActor
from actors.following import Following
from actors.halting import Halting
from actors.ledger import Restore
from actors.lookout import Lookout
from actors.mailbox import Mailbox, is_first
from actors.margin import MarginAnswered, MarginWatch
from actors.operators_word import OperatorsWord
from actors.own_orders import OwnOrders
from actors.post import BOARD, INSTRUMENTS, LEDGER, RECOVERY, TOKENS, follower_name
from actors.reporter import REPORTS, Telling, log_answer
from actors.settings import FollowerSettings
from actors.surroundings import Surroundings
from actors.upkeep import BoardRestarted, Configured, Drain, LimiterRestarted
from domain.halts import HaltAsked
from domain.hours import Sessions
from domain.inputs import (
    BookRead,
    BookRefused,
    Drained,
    Granted,
    Input,
    InstrumentsMissed,
    LimiterLost,
    Mandated,
    Rang,
    Restored,
)
from domain.instructions import Instruction
from domain.instruments import InstrumentKey
from domain.messages import (
    Answered,
    FeedLive,
    FeedLost,
    FeedRefused,
    FrameHeard,
    MasterRenewed,
    NotRecorded,
    OrderSeen,
    PermitsGranted,
    SessionChanged,
    SweepWanted,
    Tick,
    TokenRefused,
    TokenRenewed,
    Unlisted,
)
from domain.outcomes import Refused

logger = logging.getLogger(__name__)

_LOOK = "look"
_LOOK_SECONDS = 0.5
_IDLE_SWEEP = timedelta(seconds=20)


class FollowerActor(FloorActor):
    """Follows the leader in one account."""

    def __init__(self, floor: Floor, settings: FollowerSettings, sessions: Sessions) -> None:
        super().__init__(follower_name(settings.name), floor)
        self._settings = settings
        self._surroundings = Surroundings(floor.master, sessions)
        self._account: Account
        self._dispatcher: Dispatcher
        self._following: Following
        self._own: OwnOrders
        self._word: OperatorsWord
        self._halting: Halting
        self._drift: DriftWatch
        self._egress: EgressWatch
        self._capital: CapitalWatch
        self._margin: MarginWatch
        self._loss: LossWatch
        self._lookout: Lookout
        self._telling: Telling
        self._read_at: datetime | None = None

    @staticmethod
    def _create_actor_inbox() -> Mailbox:
        return Mailbox()

    def begin(self) -> None:
        floor, settings = self.floor, self._settings
        post, name, client_id = floor.post, settings.name, settings.address.client_id
        self._account = account = Account(floor, settings)
        self._dispatcher = Dispatcher(floor, settings, account, self.later)
        self._following = following = Following(
            name, client_id, settings.mandate, post, self._dispatcher
        )
        book = following.book
        self._own = OwnOrders(post, name, client_id, book, account.read_book)
        self._word = OperatorsWord(post, book, self._own, account.read_book)
        self._halting = Halting(post, account, following)
        every = timedelta(seconds=settings.drift_seconds)
        self._egress = EgressWatch(account, following.standing, name)
        self._drift = DriftWatch(floor.clock, account, book, following.standing, every)
        purse = Purse(floor, account.line, client_id, self.name)
        self._capital = CapitalWatch(floor, purse, settings.rules)
        self._margin = MarginWatch(floor, self.name, account, self._capital, book.funds)
        self._loss = LossWatch(post, account, book)
        self._lookout = Lookout(following)
        self._telling = Telling(following.reporter, floor.clock, self.later)
        following.open(floor.clock.now())
        post.tell(LEDGER, Restore(name, self.actor_ref))
        # Not all followers at once: order books are read at a look, and all wait for whoever reads.
        self.later(random.uniform(0, _LOOK_SECONDS), Tick(_LOOK))

    def end(self) -> None:
        self._dispatcher.flush()
        self._telling.now()
        self._account.close()

    def receive(self, message: object) -> object:
        turns = self.floor.turns
        urgent = is_first(message) or bool(self._following.pressing)
        have = turns.urgent if urgent else turns.at_leisure
        return have(self._think, message)

    def _think(self, message: object) -> None:
        if isinstance(message, OrderSeen):
            self._learn((message.order.instrument,))
            self._take(message)
            self._look_around()
            return
        self._take_each(self._surroundings.markets(self.floor.clock.wall()))
        self._received(message)
        self._look_around()
        self._dispatcher.flush()
        self._telling.look()

    def _look_around(self) -> None:
        """Ask at once for what a decision waits for."""
        self._margin.look()
        unread = self._following.unread
        if unread.asks and not self._account.reading:
            unread.asks = False
            self._account.read_book()

    def _take(self, told: Input) -> None:
        self._following.take(told, self.floor.clock.now())

    def _take_each(self, told: Iterable[Input]) -> None:
        for one in told:
            self._take(one)

    def _received(self, message: object) -> None:
        match message:
            case Answered():
                log_answer(message)
                self._dispatcher.settled(message.intent)
                self._take(message)
            case PermitsGranted(slots, _, entries):
                if self._following.pace.awaits(message):
                    self._take(Granted(len(slots), entries, slots))
            case FrameHeard(frame, heard_ns):
                if (heard := self._own.frame(frame, heard_ns)).orders:
                    self._take(heard)
            case BookAnswered():
                self._book_answered(message)
                self._drift.book(message)
            case FundsAnswered() | LeaderCapital():
                self._take_each(self._capital.told(message))
            case MarginAnswered():
                self._take_each(self._margin.told(message))
            case PositionsAnswered():
                self._drift.positions(message)
            case ProfitAnswered():
                self._take_each(self._loss.told(message))
            case Tick(name) if name == _LOOK:
                self._look()
            case Tick(name) if name == REPORTS:
                self._telling.rang()
            case Tick(leader_id):
                self._take(Rang(leader_id))
            case SessionChanged():
                pass  # the markets were looked at already
            case NotRecorded():
                self._not_recorded(message)
            case FeedLive() | FeedLost() | FeedRefused():
                self._feed_changed(message)
            case _:
                self._received_rarer(message)

    def _received_rarer(self, message: object) -> None:
        match message:
            case Restored():
                self._restored(message)
            case MasterRenewed():
                self._take_each(self._surroundings.renewed(self.floor.clock.wall()))
                self._ask_for(self._surroundings.missed)
            case InstrumentsMissed():
                self._take(message)
            case AddressesAnswered():
                self._take_each(self._egress.told(message))
            case TokenRenewed():
                self._account.renewed()
                self._account.read_book()
            case Instruction():
                if self._following.ready:
                    now = self.floor.clock.now()
                    self._take_each(self._word.take(message, self._read_at, now))
            case HaltAsked():
                if self._following.ready:
                    self._take_each(self._halting.take(message, self.floor.clock.now()))
            case KillAnswered():
                self._halting.answered(message, self.floor.clock.now())
            case Configured(settings):
                self._settings = self._dispatcher.settings = settings
                self._egress.again()
                self._take(Mandated(settings.mandate))
            case Drain():
                self._take(Drained())
            case BoardRestarted():
                self._following.standing.tell()
                self._following.reporter.retell()
            case LimiterRestarted():
                self._take(LimiterLost())
            case _:
                super().receive(message)

    def _learn(self, keys: Iterable[InstrumentKey]) -> None:
        """Learn what surrounds these instruments before deciding about orders in them."""
        for one in self._surroundings.around(keys, self.floor.clock.wall()):
            self._take(one)
            if isinstance(one, InstrumentsMissed):
                self._ask_for(one.keys)

    def _ask_for(self, keys: tuple[InstrumentKey, ...]) -> None:
        """Have the instrument master read anew for what it does not have."""
        if keys:
            self.floor.post.tell(INSTRUMENTS, Unlisted(self._settings.name, keys))

    def _restored(self, restored: Restored) -> None:
        """Begin to decide, with the copies that the ledger kept."""
        waiting = restored.waiting
        traded = {a.ticket.instrument for copy in restored.copies for a in copy.attempts}
        traded |= {one.instrument for one in restored.orders if one.order_id in waiting}
        self._learn(traded)
        self._halting.restored(restored)
        self._take(restored)
        self._account.read_book()
        self.floor.post.tell(RECOVERY, SweepWanted("a follower started", self._settings.name))

    def _book_answered(self, told: BookAnswered) -> None:
        self._account.reading = False
        read = self._own.book(told)
        if isinstance(read, BookRefused) and read.refusal.kind is Refused.TOKEN:
            self.floor.post.tell(TOKENS, TokenRefused(self.name))
        if isinstance(read, BookRead):
            self._read_at = told.asked_at
            following = self._following
            needed = (
                read.rows
                or following.unread.awaited
                or following.book.unresolved()
                or following.flattening.awaits_book
                or following.standing.token_refused
                or following.breaker.awaits_read
            )
            if not needed:
                return
        if read is not None:
            self._take(read)

    def _not_recorded(self, told: NotRecorded) -> None:
        unsent = told.intent
        logger.error(
            "Not sent, because not recorded: %s",
            told.why,
            extra={
                "leader_order": unsent.leader_order_id,
                "follower": unsent.follower,
                "correlation_id": unsent.correlation_id,
            },
        )
        self._dispatcher.settled(unsent)
        self._take(told)

    def _look(self) -> None:
        """Do what only time asks for: look at what is late, read the book."""
        self.later(_LOOK_SECONDS, Tick(_LOOK))
        now, following = self.floor.clock.now(), self._following
        following.look(now)
        self._take_each(self._lookout.look(now))
        refused = following.standing.token_refused
        busy = timedelta(seconds=self._settings.sweep_seconds)
        every = busy if following.live or refused else _IDLE_SWEEP
        if self._read_at is None or now - self._read_at >= every:
            self._account.read_book()
        self._halting.look(now)
        self._capital.look(self._settings.rules, now)
        if following.ready and not following.drained:
            self._egress.look(now)
            self._drift.look(now)
            self._loss.look(self._surroundings.open, now)
            self._loss.square_off(now)

    def _feed_changed(self, change: FeedLive | FeedLost | FeedRefused) -> None:
        if isinstance(change, FeedLive):
            self._account.read_book()
        else:
            logger.warning("The order feed of %s: %s", self.name, change.why)
        if isinstance(change, FeedRefused):
            self.floor.post.tell(TOKENS, TokenRefused(self.name))
        self.floor.post.tell(BOARD, change)
