"""The RateLimiterActor: permits to send, for each account, and never a wait.

A follower holds permits in hand before it needs them, so that an order is not delayed by
asking; what it uses is counted from when the answer came. They are granted a moment ahead of
their slots: a request that waited for one is decided and recorded when the slot comes, and waits
at the wire. What was sent before a start, of the process or of this actor, is counted from the
ledger before anything is granted.
"""

import logging
import math
from dataclasses import dataclass, field
from datetime import timedelta
from fractions import Fraction

from actors.floor import Floor, FloorActor
from actors.ledger import Record
from actors.post import BOARD, LEDGER, LIMITER, follower_name
from actors.uses import UsesTold, UsesWanted
from domain.messages import (
    Alert,
    BackedOff,
    Level,
    PermitsGranted,
    PermitsReturned,
    PermitsWanted,
    PermitUsed,
    Tick,
)
from domain.permits import Allowance, Window

logger = logging.getLogger(__name__)

_NS = 1_000_000_000
_HOUR = 3600.0
_NEAR, _FAR = 0.8, 0.6
_CLOCK_ERROR = timedelta(seconds=1)
_AHEAD = 0.15  # in a burst, a decision and its recording take up to so long (benchmarks.burst)


@dataclass(frozen=True, slots=True)
class AccountOpened:
    """A follower starts to send for an account and holds no permits yet; those granted from now
    on carry this `serial`. Entries leave the `reserve` of the windows to cancels and exits; no
    request is on its way for longer than `flight`."""

    account: str
    follower: str
    windows: tuple[Window, ...]
    serial: int
    reserve: Fraction
    flight: timedelta


@dataclass(slots=True)
class _Account:
    """One account (client id) and what its follower waits for. `known` is whether everything that
    was sent before is counted, `counted` whether that is so for what was in flight when the
    follower opened it (at `opened_ns`); `told` is what was last said about entries."""

    allowance: Allowance
    opened: AccountOpened
    opened_ns: int
    wanted: int = 0
    entries_wanted: bool = False
    told: int | None = None
    known: bool = False
    counted: bool = False
    rings_at: float | None = None
    near: set[Window] = field(default_factory=set)


class RateLimiterActor(FloorActor):
    """One allowance for each account. What is told of an account that is not open (any more) is
    of an earlier life, and ignored."""

    def __init__(self, floor: Floor) -> None:
        super().__init__(LIMITER, floor)
        self._accounts: dict[str, _Account] = {}

    def receive(self, message: object) -> object:
        match message:
            case AccountOpened():
                self._open(message)
            case (
                PermitUsed(name)
                | PermitsWanted(name)
                | PermitsReturned(name)
                | BackedOff(name)
                | Tick(name)
            ):
                account = self._accounts.get(name)
                if account is not None:
                    self._note(account, message)
                    self._grant(account)
            case UsesTold(name, serial):
                account = self._accounts.get(name)
                if account is not None and account.opened.serial == serial:
                    self._count(account, message)
                    self._grant(account)
            case _:
                super().receive(message)
        return None

    def _open(self, opened: AccountOpened) -> None:
        opened_ns = self.floor.clock.ns()
        account = self._accounts.get(opened.account)
        if account is None:
            allowance = Allowance(opened.windows, reserve=opened.reserve)
            account = self._accounts[opened.account] = _Account(allowance, opened, opened_ns)
        account.allowance.limit(opened.windows, opened.reserve)
        account.opened, account.opened_ns = opened, opened_ns
        account.wanted, account.entries_wanted, account.counted = 0, False, False
        longest = timedelta(seconds=account.allowance.reach)
        within = _flight(opened) + (timedelta(0) if account.known else longest + _CLOCK_ERROR)
        self.floor.post.tell(LEDGER, UsesWanted(opened.account, within, opened.serial))

    def _count(self, account: _Account, told: UsesTold) -> None:
        """Count what was sent before; what is not answered may arrive until its time is over.
        Nothing was sent later than now, however the host's clock was set in between."""
        now, wall = self._now(), self.floor.clock.now()
        used = [now - max(0.0, (wall - at).total_seconds()) for at in told.answered]
        flight = _flight(account.opened).total_seconds()
        until = [now + flight - max(0.0, (wall - at).total_seconds()) for at in told.unanswered]
        account.allowance.recount([] if account.known else used, until)
        account.known = account.counted = True
        self._look_ahead(account)

    def _note(self, account: _Account, message: object) -> None:
        match message:
            case PermitUsed(_, at_ns, planned_ns):
                use = account.allowance.used
                if planned_ns < account.opened_ns:
                    use = account.allowance.landed
                use(at_ns / _NS)
                self._look_ahead(account)
            case PermitsWanted(_, count, entries):
                account.wanted += count
                account.entries_wanted |= entries
            case PermitsReturned(_, count):
                account.allowance.returned(count)
            case BackedOff(_, seconds):
                account.allowance.back_off(self._now() + seconds)
            case Tick():
                account.rings_at = None

    def _grant(self, account: _Account) -> None:
        """Grant what can be had now, and come back when more can be."""
        if not account.counted or not (account.wanted or account.entries_wanted):
            return
        now, opened, allowance = self._now(), account.opened, account.allowance
        slots = allowance.grant(account.wanted, now, _AHEAD)
        entries = allowance.entries(now)
        more = entries is None or account.told is None or entries > account.told
        if slots or (account.entries_wanted and more):
            account.wanted -= len(slots)
            account.entries_wanted, account.told = False, entries
            instants = tuple(math.ceil(slot * _NS) for slot in slots)
            told = PermitsGranted(instants, opened.serial, entries)
            self.floor.post.tell(follower_name(opened.follower), told)
        if account.wanted:
            slot = allowance.next_grant(now)
            self._ring(account, None if slot is None else slot - _AHEAD, now)
        if account.entries_wanted:
            self._ring(account, allowance.more_entries(now), now)

    def _ring(self, account: _Account, at: float | None, now: float) -> None:
        if at is not None and (account.rings_at is None or at < account.rings_at):
            account.rings_at = at
            self.later(at - now, Tick(account.opened.account))

    def _look_ahead(self, account: _Account) -> None:
        """Tell before the limit of an hour or of a day stops anything, once until it is far."""
        allowance, opened = account.allowance, account.opened
        for window, spent in allowance.spent(self._now()):
            entries = window.limit - allowance.kept(window)
            if window.seconds < _HOUR:
                continue
            if spent < entries * _FAR:
                account.near.discard(window)
            elif spent >= entries * _NEAR and window not in account.near:
                account.near.add(window)
                self._tell(opened.follower, window, spent, entries)

    def _tell(self, follower: str, window: Window, spent: int, entries: int) -> None:
        hours = f"{window.seconds / _HOUR:g} h"
        alert = Alert(
            Level.WARNING,
            f"{spent} of the {window.limit} requests that may be sent in {hours}: from {entries} "
            f"on entries wait, at {window.limit} cancels and exits too",
            follower,
            "copy less until then (pause the follower), or raise limits.orders if Dhan allows more",
        )
        logger.warning("%s: %s", follower, alert.what)
        self.floor.post.tell(BOARD, alert)
        self.floor.post.tell(LEDGER, Record(alert))

    def _now(self) -> float:
        return self.floor.clock.ns() / _NS


def _flight(opened: AccountOpened) -> timedelta:
    """How long a request may be on its way, once it is decided."""
    return opened.flight + timedelta(seconds=_AHEAD)
