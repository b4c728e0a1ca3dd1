"""What the rooms of the simulator share: the exchange, faults, sightings and clocks."""

import asyncio
import secrets
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from aiohttp import web

from simulator.accounts import Account, Sighting, day_later, new_token
from simulator.exchange import Exchange
from simulator.faults import Faults
from simulator.instruments import built_in
from simulator.orders import BrokerOrder

Rupees = Decimal | int | str | float


@dataclass(frozen=True, slots=True)
class Opening:
    """An account to open. `funds` and `collateral` in rupees; without a token it gets one that
    lives for a day, a given one is taken literally and lives on; a `totp_secret` (base32) allows
    `generateAccessToken`; `slow_ms` is added to each of its requests."""

    client_id: str
    funds: Rupees = 1_000_000
    token: str | None = None
    allowed_ips: tuple[str, ...] = ()
    pin: str = "123456"
    totp_secret: str = ""
    slow_ms: int = 0
    collateral: Rupees = 0


class Box:
    """One simulated broker. Lives on one event loop."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        tell: "Callable[[Box, Account, BrokerOrder], None]",
        transit_ms: int = 30,
        rtt_ms: int = 0,
        seed: int = 0,
    ) -> None:
        self.loop = loop
        self.stopping = asyncio.Event()
        self.rtt_ms = rtt_ms
        self.faults = Faults(seed)
        self.sightings: list[Sighting] = []
        self.throttled: dict[str, int] = {}
        self.held_frames: dict[str, str] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.exchange = Exchange(
            loop, built_in(), lambda account, order: tell(self, account, order), transit_ms
        )

    def open(self, opening: Opening) -> Account:
        """Open an account. Raises ValueError when there is one of that client id."""
        if opening.client_id in self.exchange.accounts:
            raise ValueError(f"there is an account {opening.client_id} already")
        account = Account(
            client_id=opening.client_id,
            token=opening.token or "",
            funds=paise(opening.funds),
            collateral=paise(opening.collateral),
            pin=opening.pin,
            totp_secret=opening.totp_secret,
            allowed_ips=opening.allowed_ips,
            slow_ms=opening.slow_ms,
        )
        if not opening.token:
            self.rotate(account)
        self.exchange.accounts[account.client_id] = account
        return account

    # Tokens

    def rotate(self, account: Account) -> None:
        """Give the account a new token; the old one dies at once."""
        account.expires = day_later(self.exchange.now())
        account.token = new_token(account.client_id, account.expires)

    def expire(self, account: Account) -> None:
        """End the account's token now."""
        account.expires = self.exchange.now() - timedelta(seconds=1)

    def believes(self, account: Account, token: object) -> bool:
        """Whether that is the account's token, and still alive."""
        alive = account.expires is None or account.expires > self.exchange.now()
        return (
            alive
            and isinstance(token, str)
            and secrets.compare_digest(token.encode(), account.token.encode())
        )

    def account_of(self, token: str) -> Account | None:
        """The account that a token belongs to."""
        for account in self.exchange.accounts.values():
            if token and account.token == token:
                return account
        return None

    # What came in

    def sight(self, client_id: str, request: web.Request, correlation_id: str = "") -> Sighting:
        """Note a request."""
        sighting = Sighting(
            client_id=client_id,
            method=request.method,
            path=request.path,
            at=time.monotonic_ns(),
            peer=request.remote or "",
            correlation_id=correlation_id,
        )
        self.sightings.append(sighting)
        return sighting

    def spawn(self, work: Coroutine[object, object, None]) -> None:
        """Do something in the background, and keep it from being collected before it is done."""
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def paise(rupees: Rupees) -> int:
    """Rupees as whole paise. Raises ValueError when they are not a number of paise."""
    exact = Fraction(str(rupees)) * 100
    if exact.denominator != 1:
        raise ValueError(f"{rupees} rupees are no whole number of paise")
    return int(exact)
