"""Paper: the embedded broker, a leader, three followers and a scripted trading day.

What `python run.py` does where nothing is configured. The accounts are real to the engine, which
talks to them over sockets as it talks to Dhan; only the broker is simulated.
"""

import logging
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from actors.board import View
from actors.engine import Engine
from actors.settings import EngineSettings, FollowerSettings
from desk.documents import write_copies
from desk.options import Options
from desk.paper_day import DAY, Leader
from desk.running import Stop, allow_many_sockets, attend, stop_signals
from desk.show import Show
from desk.table import summary
from dhan.addresses import AccountAddress, FeedAddress
from domain.hours import always
from domain.orders import Order
from domain.rules import Rules
from domain.sizing import Multiplier
from simulator.server import Opening, Simulator

logger = logging.getLogger(__name__)

_LEADER = "1000000001"
_LEDGER = "paper.db"
_PATIENCE_SECONDS = 30.0
_LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class _Paper:
    """A follower of the paper day; `slow_ms` is how long its broker takes for every answer."""

    name: str
    client_id: str
    multiplier: Fraction
    slow_ms: int = 0


_FOLLOWERS = (
    _Paper("half", "1000000002", Fraction(1, 2)),
    _Paper("double", "1000000003", Fraction(2)),
    _Paper("slow", "1000000004", Fraction(1), slow_ms=600),
)


def run(options: Options) -> int:
    """Run the paper day; the exit code says whether every copy ended in step."""
    allow_many_sockets()
    openings = [
        Opening(_LEADER, funds=100_000_000),
        *(
            Opening(paper.client_id, funds=100_000_000, slow_ms=paper.slow_ms)
            for paper in _FOLLOWERS
        ),
    ]
    with (
        stop_signals() as stop,
        tempfile.TemporaryDirectory(prefix="lockstep-") as folder,
        Simulator(accounts=openings) as broker,
    ):
        ledger = Path(folder) / _LEDGER
        engine = Engine(_settings(broker, ledger))
        show = Show("PAPER, nothing is real", "cyan")
        engine.start()
        try:
            engine.follow(tuple(_follower(broker, paper) for paper in _FOLLOWERS))
            engine.listen()
            leader = Leader(broker.control, _LEADER)
            day = _Day(engine, leader, stop, show, options.pace)
            day.run(until_stopped=show.console.is_terminal and not options.once)
        finally:
            view = engine.stop()
        return _ended(day, view, show, ledger, options)


def _ended(day: "_Day", view: View, show: Show, ledger: Path, options: Options) -> int:
    """Print the summary, write the document, and say how it went."""
    show.console.print(summary(view))
    in_step = day.done and view.in_step and not day.engine.ended.is_set()
    for copy in view.copies:
        if not copy.in_step:
            show.console.print(f"{copy.follower}: order {copy.leader_order_id}: {copy.reason}")
    if options.json_path is not None:
        write_copies(options.json_path, ledger, in_step)
    if day.engine.unusable is not None:
        raise day.engine.unusable
    if engine_trouble := day.engine.fatal:
        show.console.print(f"Trading safely was impossible: {engine_trouble}", style="bold red")
        return 4
    if day.stopped and not options.once:
        return 0
    return 0 if in_step else 1


def _settings(broker: Simulator, ledger: Path) -> EngineSettings:
    leader = _address(broker, _LEADER)
    return EngineSettings(
        ledger=ledger,
        leader=leader,
        leader_feed=FeedAddress(_LEADER, broker.feed_url, leader.token),
        master=broker.master_url,
        sessions=always,
    )


def _follower(broker: Simulator, paper: _Paper) -> FollowerSettings:
    address = _address(broker, paper.client_id)
    return FollowerSettings(
        name=paper.name,
        address=address,
        feed=FeedAddress(paper.client_id, broker.feed_url, address.token),
        rules=Rules(paper.name, Multiplier(paper.multiplier)),
    )


def _address(broker: Simulator, client_id: str) -> AccountAddress:
    return AccountAddress(client_id, broker.api_url, lambda: broker.token(client_id))


class _Day:
    """Plays the day on a thread of its own, beside the show."""

    def __init__(self, engine: Engine, leader: Leader, stop: Stop, show: Show, pace: float) -> None:
        self.engine = engine
        self.done = False
        self._leader = leader
        self._stop = stop
        self._show = show
        self._pace = pace
        self._over = Stop()

    def run(self, until_stopped: bool) -> None:
        """Play and show the day, and after it go on showing if asked to."""
        player = threading.Thread(target=self._play, name="PaperDay", daemon=True)
        with self._over:
            player.start()
            attend(self.engine, self._show, self._over, self._look)
            if until_stopped and not self._stop.asked and not self.engine.ended.is_set():
                self._show.caption = "The day is done; Ctrl-C ends"
                attend(self.engine, self._show, self._stop, self._look)
            player.join()

    @property
    def stopped(self) -> bool:
        """Whether somebody said stop."""
        return self._stop.asked

    def _look(self) -> None:
        if self._stop.asked:
            self._over.ask()

    def _play(self) -> None:
        try:
            self.done = self._played()
        except Exception:
            logger.exception("The paper day broke off")
        finally:
            self._over.ask()

    def _played(self) -> bool:
        if not self._settled():
            return False
        for caption in self._captions():
            logger.info("%s", caption)
            self._show.caption = caption
            if not self._settled() or self._stop.wait(self._pace):
                return False
        return True

    def _captions(self) -> Iterator[str]:
        for part in DAY:
            yield from part(self._leader)

    def _settled(self) -> bool:
        """Wait until every account has caught up with the leader; False when it takes too long
        or somebody said stop."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            book = self._leader.control.book(_LEADER)
            view = self.engine.view()
            if view.moods and view.in_step and _known(view.orders, book):
                return True
            if self._stop.wait(_LOOK_SECONDS):
                return False
        logger.error("Not in step after %.0f s", _PATIENCE_SECONDS)
        return False


def _known(orders: Iterable[Order], book: Iterable[Mapping[str, object]]) -> bool:
    """Whether the board knows every order of the leader's book as it is now."""
    known = {
        order.order_id: (order.status.value, order.terms.quantity, order.filled, order.terms.price)
        for order in orders
    }
    return all(known.get(str(row["orderId"])) == _row(row) for row in book)


def _row(row: Mapping[str, object]) -> tuple[object, ...]:
    has_price = row["orderType"] in ("LIMIT", "STOP_LOSS")
    price = round(float(str(row["price"])) * 100) if has_price else 0
    return (row["orderStatus"], row["quantity"], row["filledQty"], price)
