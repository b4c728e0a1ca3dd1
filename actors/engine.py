"""The engine: the floor with all of its actors, started and stopped in the safe order.

A start is the same as a recovery: each follower first takes over what the ledger kept and looks
for requests whose outcome is not known, then the leader's order book is read, then the feed is
believed.
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pykka

from actors import interpreter
from actors.board import BoardActor, Look, View
from actors.clock import Clock, HostClock
from actors.feed import LeaderFeedActor
from actors.floor import Begin, Floor
from actors.follower import FollowerActor
from actors.instruments import InstrumentsActor
from actors.ledger import LedgerActor, Record, Settle
from actors.limiter import RateLimiterActor
from actors.market_clock import CalendarChanged, MarketClockActor
from actors.master import Master
from actors.post import (
    BOARD,
    FEED,
    INSTRUMENTS,
    LEDGER,
    LIMITER,
    MARKET_CLOCK,
    RECOVERY,
    STATEMENTS,
    SUPERVISOR,
    TOKENS,
    Post,
    Ref,
    follower_name,
)
from actors.recovery import RecoveryActor
from actors.settings import EngineSettings, FollowerSettings
from actors.statements import StatementsActor
from actors.supervisor import (
    RosterChanged,
    StartActor,
    Started,
    StopChildren,
    Supervisor,
    end_all,
)
from actors.timer import Timer
from actors.tokens import TokenAccount, TokensActor
from actors.upkeep import Drain
from dhan.addresses import AccountAddress
from dhan.calls import ReadDone
from dhan.wire import Wire
from domain.messages import Alert
from ledger.instruments import MasterFile
from ledger.ledger import Ledger
from ledger.opening import LedgerUnusable
from ledger.statements import inherited

logger = logging.getLogger(__name__)

_FINISH_SECONDS = 3.0
_ASK_SECONDS = 5.0
_DRAIN_SECONDS = 0.7
_SETTLE_SECONDS = 0.7


class Engine:
    """Runs the actors. Not restartable: make another one.

    `ended` is set when it cannot go on: because of its ledger, which is `unusable` then, or as
    `fatal` says. It does not stop by itself.
    """

    def __init__(self, settings: EngineSettings, clock: Clock | None = None) -> None:
        self._settings = settings
        self.post = Post()
        master = Master(MasterFile.beside(settings.ledger, settings.master))
        self._floor = Floor(clock or HostClock(), self.post, Timer(), Wire(self._read), master)
        self._followers: tuple[str, ...] = ()
        self._tokens: tuple[TokenAccount, ...] = ()
        self._accounts: tuple[AccountAddress, ...] = (settings.leader,)
        self._inherited = False
        self.fatal = ""
        self.unusable: LedgerUnusable | None = None
        self.ended = threading.Event()

    def _read(self, done: ReadDone) -> None:
        self.post.tell(LEDGER, done)

    def start(self) -> None:
        """Start everything but the followers.

        Raises LedgerUnusable, with nothing started, for a ledger that cannot be used: its actor
        alone would be restarted again and again.
        """
        floor, settings = self._floor, self._settings
        with Ledger.open(settings.ledger) as ledger:
            self._inherited = inherited(ledger)
        interpreter.share()
        floor.master.renew()
        floor.timer.start()
        floor.wire.start()
        supervisor = Supervisor.start(floor, self._start_follower, self._fail, settings.patience)
        self.post.register(SUPERVISOR, supervisor)
        supervisor.tell(Begin())
        self._run(BOARD, lambda: BoardActor.start(floor))
        self._run(
            LEDGER,
            lambda: LedgerActor.start(floor, settings.ledger, settings.kept, self._ledger_lost),
        )
        self._run(LIMITER, lambda: RateLimiterActor.start(floor))
        self._run(MARKET_CLOCK, lambda: MarketClockActor.start(floor))
        self._run(INSTRUMENTS, lambda: InstrumentsActor.start(floor, settings.master_pace))

    def listen(self) -> None:
        """Read the leader's order book, then believe the feed."""
        floor, settings = self._floor, self._settings
        self._run(
            RECOVERY, lambda: RecoveryActor.start(floor, settings.leader, settings.sweep_seconds)
        )
        self._run(FEED, lambda: LeaderFeedActor.start(floor, settings.leader_feed))
        self._run(TOKENS, lambda: TokensActor.start(floor, lambda: self._tokens))
        if self._inherited:
            self._run(STATEMENTS, lambda: StatementsActor.start(floor, lambda: self._accounts))

    def follow(self, followers: tuple[FollowerSettings, ...]) -> None:
        """Have exactly these followers from now on."""
        self._followers = tuple(follower_name(settings.name) for settings in followers)
        self._tokens = tuple(self._looked_after(followers))
        self._accounts = (self._settings.leader, *(settings.address for settings in followers))
        self._supervisor().ask(RosterChanged(followers), timeout=None)

    def _looked_after(self, followers: tuple[FollowerSettings, ...]) -> Iterator[TokenAccount]:
        """The accounts whose tokens the TokensActor looks after."""
        leader, login = self._settings.leader, self._settings.leader_login
        if login is not None:
            yield TokenAccount(FEED, "leader", leader, login)
        for one in followers:
            if one.login is not None:
                yield TokenAccount(follower_name(one.name), one.name, one.address, one.login)

    def view(self) -> View:
        """What the board shows now. Raises pykka.Timeout when it does not answer, and
        pykka.ActorDeadError while it is down."""
        return self._look(_ASK_SECONDS)

    def _look(self, seconds: float) -> View:
        ref = self.post.ref(BOARD)
        view = None if ref is None else ref.ask(Look(), timeout=seconds)
        if not isinstance(view, View):
            raise pykka.ActorDeadError(f"{BOARD} does not run yet")
        return view

    def alert(self, alert: Alert) -> None:
        """Tell the operator something, and keep it."""
        self.post.tell(BOARD, alert)
        self.post.tell(LEDGER, Record(alert))

    def calendar_changed(self) -> None:
        """Have the sessions looked at, for `domain.hours.HOURS` goes by another calendar."""
        self.post.tell(MARKET_CLOCK, CalendarChanged())

    def stop(self) -> View:
        """Stop deciding, let requests in flight finish or be recorded as unknown, save, end.

        Takes less than ten seconds, and does every part of it whoever is down. The board as it
        was last, empty when it could not be had.
        """
        view = View()
        with _going_on():
            self._stop_deciding()
        self._floor.wire.stop(_FINISH_SECONDS)
        with _going_on():
            # A token that was granted in the last moment is kept: the one before it is dead.
            self._stop_children((*self._followers, TOKENS))
            self._ask_ledger_to_settle()
        with _going_on():
            view = self._look(_SETTLE_SECONDS)
        with _going_on():
            self._stop_children((LIMITER, LEDGER, BOARD))
            end_all([self._supervisor()])
        self._floor.timer.stop()
        return view

    def _stop_deciding(self) -> None:
        """Have every request that was decided on recorded and written, and no other follow."""
        self._stop_children((FEED, RECOVERY, MARKET_CLOCK, INSTRUMENTS, STATEMENTS))
        deadline = time.monotonic() + _DRAIN_SECONDS
        refs = [ref for name in self._followers if (ref := self.post.ref(name)) is not None]
        for drained in [ref.ask(Drain(), block=False) for ref in refs]:
            with suppress(pykka.Timeout, pykka.ActorDeadError):
                drained.get(timeout=max(0.0, deadline - time.monotonic()))
        self._ask_ledger_to_settle()

    def _ask_ledger_to_settle(self) -> None:
        ledger = self.post.ref(LEDGER)
        if ledger is not None:
            ledger.ask(Settle(), timeout=_SETTLE_SECONDS)

    def _stop_children(self, names: tuple[str, ...]) -> None:
        try:
            self._supervisor().ask(StopChildren(names))
        except pykka.ActorDeadError:
            end_all([ref for name in names if (ref := self.post.ref(name)) is not None])

    def _run(self, name: str, start: StartActor) -> None:
        self._supervisor().ask(Started(name, start))

    def _supervisor(self) -> Ref:
        ref = self.post.ref(SUPERVISOR)
        if ref is None:
            raise pykka.ActorDeadError(SUPERVISOR)
        return ref

    def _start_follower(self, settings: FollowerSettings) -> Ref:
        return FollowerActor.start(self._floor, settings, self._settings.sessions)

    def _ledger_lost(self, unusable: LedgerUnusable) -> None:
        self.unusable = unusable
        self.ended.set()

    def _fail(self, why: str) -> None:
        self.fatal = why
        self.ended.set()


@contextmanager
def _going_on() -> Iterator[None]:
    """Let nobody who is down, or takes too long, keep the rest of a stop from being done."""
    try:
        yield
    except (pykka.ActorDeadError, pykka.Timeout):
        logger.warning("Not every actor took part in the stop", exc_info=True)
