"""The engine: the floor with all of its actors, started and stopped in the safe order.

A start is the same as a recovery: each follower first takes over what the ledger kept and looks
for requests whose outcome is not known, then the leader's order book is read, then the feed is
believed.
"""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pykka

from actors.account import FollowerSettings
from actors.board import BoardActor, Look, View
from actors.clock import Clock, HostClock
from actors.feed import LeaderFeedActor
from actors.floor import Begin, Floor
from actors.follower import FollowerActor
from actors.instruments import InstrumentsActor
from actors.ledger import LedgerActor, Settle
from actors.limiter import RateLimiterActor
from actors.market_clock import MarketClockActor, TakesOrders, exchange_hours
from actors.post import (
    BOARD,
    FEED,
    INSTRUMENTS,
    LEDGER,
    LIMITER,
    MARKET_CLOCK,
    RECOVERY,
    SUPERVISOR,
    Post,
    Ref,
    follower_name,
)
from actors.recovery import RecoveryActor
from actors.supervisor import Patience, RosterChanged, Started, StartActor, StopChildren, Supervisor
from actors.timer import Timer
from dhan.feed import FeedAddress
from dhan.wire import AccountAddress, Wire
from domain.messages import PermitsUsed

logger = logging.getLogger(__name__)

_FINISH_SECONDS = 4.0
_ASK_SECONDS = 5.0
_SETTLE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """What the engine needs to run; the followers come with `Engine.follow`."""

    ledger: Path
    leader: AccountAddress
    leader_feed: FeedAddress
    master: str
    sweep_seconds: float = 3.0
    takes_orders: TakesOrders = exchange_hours
    patience: Patience = Patience()


class Engine:
    """Runs the actors. Not restartable: make another one."""

    def __init__(self, settings: EngineSettings, clock: Clock | None = None) -> None:
        self._settings = settings
        self.post = Post()
        wire = Wire(on_written=self._written)
        self._floor = Floor(clock or HostClock(), self.post, Timer(), wire)
        self._followers: tuple[str, ...] = ()
        self.fatal = ""
        self.ended = threading.Event()

    def start(self) -> None:
        """Start everything but the followers."""
        floor, settings = self._floor, self._settings
        floor.timer.start()
        floor.wire.start()
        supervisor = Supervisor.start(floor, self._start_follower, self._fail, settings.patience)
        self.post.register(SUPERVISOR, supervisor)
        supervisor.tell(Begin())
        self._run(BOARD, lambda: BoardActor.start(floor))
        self._run(LEDGER, lambda: LedgerActor.start(floor, settings.ledger))
        self._run(LIMITER, lambda: RateLimiterActor.start(floor))
        self._run(MARKET_CLOCK, lambda: MarketClockActor.start(floor))
        self._run(INSTRUMENTS, lambda: InstrumentsActor.start(floor, settings.master))

    def listen(self) -> None:
        """Read the leader's order book, then believe the feed."""
        floor, settings = self._floor, self._settings
        self._run(
            RECOVERY, lambda: RecoveryActor.start(floor, settings.leader, settings.sweep_seconds)
        )
        self._run(FEED, lambda: LeaderFeedActor.start(floor, settings.leader_feed))

    def follow(self, followers: tuple[FollowerSettings, ...]) -> None:
        """Have exactly these followers from now on."""
        self._followers = tuple(follower_name(settings.name) for settings in followers)
        self._supervisor().ask(RosterChanged(followers), timeout=None)

    def view(self) -> View:
        """What the board shows now. Raises pykka.Timeout when it does not answer."""
        ref = self.post.ref(BOARD)
        if ref is None:
            raise pykka.ActorDeadError(BOARD)
        view = ref.ask(Look(), timeout=_ASK_SECONDS)
        if not isinstance(view, View):
            raise TypeError("the board answered with something else")
        return view

    def stop(self) -> None:
        """Stop deciding, let requests in flight finish or be recorded as unknown, save, end."""
        supervisor = self._supervisor()
        supervisor.ask(StopChildren((FEED, RECOVERY, MARKET_CLOCK, INSTRUMENTS)))
        supervisor.ask(StopChildren(self._followers))
        self._settle_ledger()
        self._floor.wire.stop(_FINISH_SECONDS)
        supervisor.ask(StopChildren((LIMITER, LEDGER, BOARD)))
        supervisor.stop()
        self._floor.timer.stop()

    def _settle_ledger(self) -> None:
        """Have every request that was on its way to the ledger recorded and written, or refused."""
        ledger = self.post.ref(LEDGER)
        if ledger is None:
            return
        try:
            ledger.ask(Settle(), timeout=_SETTLE_SECONDS)
        except (pykka.Timeout, pykka.ActorDeadError):
            logger.error("The ledger did not answer before the stop")

    def _run(self, name: str, start: StartActor) -> None:
        self._supervisor().ask(Started(name, start))

    def _supervisor(self) -> Ref:
        ref = self.post.ref(SUPERVISOR)
        if ref is None:
            raise pykka.ActorDeadError(SUPERVISOR)
        return ref

    def _start_follower(self, settings: FollowerSettings) -> Ref:
        return FollowerActor.start(self._floor, settings, self._settings.takes_orders)

    def _fail(self, why: str) -> None:
        self.fatal = why
        self.ended.set()

    def _written(self, sent: Sequence[tuple[str, int]]) -> None:
        self.post.tell(LIMITER, PermitsUsed(tuple(sent)))
