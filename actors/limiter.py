"""The RateLimiterActor: permits to send, for each account, and never a wait.

A follower holds permits in hand before it needs them, so that an order is not delayed by
asking; what it uses is counted by the wire's own word of when the request left.
"""

from dataclasses import dataclass

from actors.floor import Floor, FloorActor
from actors.post import LIMITER, follower_name
from domain.messages import (
    BackedOff,
    PermitsGranted,
    PermitsReturned,
    PermitsUsed,
    PermitsWanted,
    Tick,
)
from domain.permits import Allowance, Window

_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class AccountOpened:
    """A follower starts to send for an account and holds no permits yet."""

    account: str
    follower: str
    windows: tuple[Window, ...]


class RateLimiterActor(FloorActor):
    """One allowance for each account (client id)."""

    def __init__(self, floor: Floor) -> None:
        super().__init__(LIMITER, floor)
        self._allowances: dict[str, Allowance] = {}
        self._followers: dict[str, str] = {}
        self._wanted: dict[str, int] = {}
        self._ringing: set[str] = set()

    def receive(self, message: object) -> object:
        match message:
            case PermitsUsed(sent):
                self._used(sent)
            case PermitsWanted(account, count):
                self._wanted[account] = self._wanted.get(account, 0) + count
                self._grant(account)
            case PermitsReturned(account, count):
                self._allowances[account].returned(count)
                self._grant(account)
            case BackedOff(account, seconds):
                self._allowances[account].back_off(self._now() + seconds)
            case AccountOpened():
                self._open(message)
            case Tick(account):
                self._ringing.discard(account)
                self._grant(account)
            case _:
                super().receive(message)
        return None

    def _open(self, opened: AccountOpened) -> None:
        allowance = self._allowances.get(opened.account)
        if allowance is None:
            self._allowances[opened.account] = Allowance(opened.windows)
        else:
            allowance.limit(opened.windows)
            allowance.returned(allowance.held)
        self._followers[opened.account] = opened.follower
        self._wanted[opened.account] = 0

    def _used(self, sent: tuple[tuple[str, int], ...]) -> None:
        touched = set()
        for account, at_ns in sent:
            allowance = self._allowances.get(account)
            if allowance is not None:
                allowance.used(at_ns / _NS)
                touched.add(account)
        for account in touched:
            self._grant(account)

    def _grant(self, account: str) -> None:
        allowance, wanted = self._allowances[account], self._wanted[account]
        if not wanted:
            return
        now = self._now()
        granted = allowance.grant(wanted, now)
        if granted:
            self._wanted[account] = wanted - granted
            follower = follower_name(self._followers[account])
            self.floor.post.tell(follower, PermitsGranted(granted))
        if granted < wanted and account not in self._ringing:
            at = allowance.next_grant(now)
            if at is not None:
                self._ringing.add(account)
                self.later(at - now, Tick(account))

    def _now(self) -> float:
        return self.floor.clock.ns() / _NS
