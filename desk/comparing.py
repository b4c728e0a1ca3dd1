"""Reading accounts beside an engine or without one, and comparing them with the ledger's copies."""

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from actors.master import Master
from actors.settings import FollowerSettings
from desk.asking import asking
from desk.config import Config
from dhan.addresses import AccountAddress
from dhan.codec.positions import positions
from dhan.codec.rest import book
from dhan.codec.values import Unreadable
from dhan.outcomes import outcome_of
from dhan.requests import Kind as RequestKind
from dhan.requests import Request, Requests
from dhan.wire import Line, Wire
from domain.copybook import CopyBook
from domain.differences import Difference, Followed, Kind, Shown
from domain.drift import differences
from domain.inputs import Restored
from domain.instruments import InstrumentKey, Listing
from domain.listings import Listings
from domain.messages import OrderSeen
from domain.orders import Order
from domain.outcomes import Refusal
from domain.rules import Mood
from domain.sessions import IST
from domain.steps import Skip
from ledger.history import leader_orders
from ledger.instruments import MasterFile
from ledger.leaders import last_day
from ledger.memory import Memory
from ledger.reader import Reader

logger = logging.getLogger(__name__)

_ANSWER_SECONDS = 5.0
_STOP_SECONDS = 1.0
_PAUSE_SECONDS = 2.0
_AT_ONCE = 16
_Read = TypeVar("_Read")


@dataclass(frozen=True, slots=True)
class _Kept:
    """What the ledger says: each follower's copies, the leader's orders, and whether an engine
    runs."""

    copies: Mapping[str, Restored]
    orders: Sequence[Order]
    working: bool


def compare(config: Config, followers: Sequence[FollowerSettings]) -> list[Difference]:
    """What differs in these accounts, and stands when looked at twice. An account that cannot be
    read is a difference too. Raises ledger.opening.LedgerUnusable."""
    with asking(config, _STOP_SECONDS) as wire:
        look = _Look(config, followers, wire)
        found = look.differences()
        if any(one.kind is not Kind.UNREAD for one in found):
            time.sleep(_PAUSE_SECONDS)
            before = set(found)
            found = [one for one in look.differences() if one in before or one.kind is Kind.UNREAD]
    return found


class _Look:
    """The accounts, and lines to them."""

    def __init__(self, config: Config, followers: Sequence[FollowerSettings], wire: Wire) -> None:
        self._config, self._followers, self._wire = config, followers, wire
        self._leader = wire.open(config.engine.leader)
        self._lines = [wire.open(settings.address) for settings in followers]
        self._master = Master(MasterFile.beside(config.engine.ledger, config.engine.master))
        self._no_master = self._master.renew()

    def differences(self) -> list[Difference]:
        """Look once at everything."""
        kept = self._kept()
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            shown = list(pool.map(self._shown, self._followers, self._lines))
        orders = [*kept.orders, *self._leaders()]
        return [
            found
            for settings, account in zip(self._followers, shown, strict=True)
            for found in self._compared(settings, account, kept, orders)
        ]

    def _kept(self) -> _Kept:
        now = datetime.now(UTC)
        with Reader.open(self._config.engine.ledger) as reader:
            memory = Memory(reader)
            return _Kept(
                {one.name: memory.restored(one.name, now) for one in self._followers},
                leader_orders(reader, last_day(reader) or now),
                reader.running_pid() is not None,
            )

    def _shown(self, settings: FollowerSettings, line: Line) -> Shown | str:
        """The account as the broker shows it, or why it cannot be read."""
        try:
            held = self._read(line, Requests(settings.address.client_id).positions(), positions)
            return Shown(self._book(line, settings.address), held)
        except Unreadable as trouble:
            return str(trouble)

    def _leaders(self) -> tuple[Order, ...]:
        try:
            return self._book(self._leader, self._config.engine.leader)
        except Unreadable as trouble:
            logger.warning("The leader's orders are those of the ledger: %s", trouble)
            return ()

    def _book(self, line: Line, address: AccountAddress) -> tuple[Order, ...]:
        request, asked_ns = Requests(address.client_id).orders(), time.monotonic_ns()
        orders, junk = self._read(
            line, request, lambda body: book(body, asked_ns, address.client_id)
        )
        if junk:
            raise Unreadable(f"a row of the order book: {junk[0].reason}")
        return orders

    def _read(self, line: Line, request: Request, parse: Callable[[bytes], _Read]) -> _Read:
        answer = self._wire.call(line, request, _ANSWER_SECONDS)
        if answer.status == 200:
            return parse(answer.body)
        came = outcome_of(RequestKind.READ, answer)
        refused = came.message if isinstance(came, Refusal) else ""
        raise Unreadable(refused or answer.error or f"HTTP {answer.status}")

    def _compared(
        self,
        settings: FollowerSettings,
        account: Shown | str,
        kept: _Kept,
        orders: Sequence[Order],
    ) -> list[Difference]:
        if isinstance(account, str):
            return [Difference(settings.name, Kind.UNREAD, f"it cannot be read: {account}")]
        mine = kept.copies[settings.name]
        followed = self._followed(settings, mine, orders, account.orders)
        if self._no_master and any(one.lot is None for one in followed):
            what = "Contracts whose lot is not known are not compared: no instrument master (%s)"
            logger.warning(what, self._no_master)
            self._no_master = ""
        today = datetime.now(IST).date()
        return differences(settings.name, followed, account, kept.working, today)

    def _followed(
        self,
        settings: FollowerSettings,
        mine: Restored,
        orders: Sequence[Order],
        rows: Sequence[Order],
    ) -> list[Followed]:
        """The copies as an engine would have them by now, with its verdict on those that nobody
        has placed."""
        now, copybook = datetime.now(UTC), CopyBook(settings.rules)
        traded = {order.instrument for order in orders}
        traded |= {one.ticket.instrument for copy in mine.copies for one in copy.attempts}
        self._look_up(copybook.listings, traded, now)
        copybook.restore(mine.copies, now, mine.orders, mine.built)
        for order in orders:
            copybook.seen(OrderSeen(order, order.placed_at, order.stamp.heard))
        copybook.read(rows, now)
        mood = Mood.PAUSED if settings.paused else Mood.ACTIVE
        if mine.halt is not None:
            mood = mine.halt.word.mood
        for leader_id, order in copybook.orders.items():
            schedule = copybook.listings.schedule(order.instrument)
            takes = False
            if schedule is not None:
                session = self._config.engine.sessions(schedule, now)
                copybook.listings.session(schedule, session, now)
                takes = session.phase.takes_orders
            step = copybook.step(leader_id, mood, takes, now)
            if isinstance(step, Skip):
                copybook.skip(leader_id, step)
        return copybook.followed()

    def _look_up(
        self, listings: Listings, traded: Collection[InstrumentKey], now: datetime
    ) -> None:
        """Learn what the master says of whatever is traded."""
        told = self._master.find(traded)
        listings.learn(one for one in told.values() if one is not None)
        edition = self._master.edition
        if edition is not None and edition.fresh(now):
            listings.miss((key for key, one in told.items() if one is None), Listing.UNKNOWN)
