"""The RateLimiterActor: permits to send, for each account, and never a wait.

A follower holds permits in hand before it needs them, so that an order is not delayed by
asking; what it uses is counted from when the answer came.
"""

from dataclasses import dataclass

from actors.floor import Floor, FloorActor
from actors.post import LIMITER, follower_name
from domain.messages import (
    BackedOff,
    PermitsGranted,
    PermitsReturned,
    PermitsWanted,
    PermitUsed,
    Tick,
)
from domain.permits import Allowance, Window

_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class AccountOpened:
    """A follower starts to send for an account and holds no permits yet; those granted from now
    on carry this `serial`."""

    account: str
    follower: str
    windows: tuple[Window, ...]
    serial: int


@dataclass(slots=True)
class _Account:
    """One account (client id) and what its follower waits for."""

    allowance: Allowance
    opened: AccountOpened
    wanted: int = 0
    ringing: bool = False


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
            case _:
                super().receive(message)
        return None

    def _open(self, opened: AccountOpened) -> None:
        account = self._accounts.get(opened.account)
        if account is None:
            self._accounts[opened.account] = _Account(Allowance(opened.windows), opened)
            return
        account.allowance.limit(opened.windows)
        account.allowance.returned(account.allowance.held)
        account.opened, account.wanted = opened, 0

    def _note(self, account: _Account, message: object) -> None:
        match message:
            case PermitUsed(_, at_ns):
                account.allowance.used(at_ns / _NS)
            case PermitsWanted(_, count):
                account.wanted += count
            case PermitsReturned(_, count):
                account.allowance.returned(count)
            case BackedOff(_, seconds):
                account.allowance.back_off(self._now() + seconds)
            case Tick():
                account.ringing = False

    def _grant(self, account: _Account) -> None:
        if not account.wanted:
            return
        now, opened = self._now(), account.opened
        granted = account.allowance.grant(account.wanted, now)
        if granted:
            account.wanted -= granted
            self.floor.post.tell(
                follower_name(opened.follower), PermitsGranted(granted, opened.serial)
            )
        if account.wanted and not account.ringing:
            at = account.allowance.next_grant(now)
            if at is not None:
                account.ringing = True
                self.later(at - now, Tick(opened.account))

    def _now(self) -> float:
        return self.floor.clock.ns() / _NS
