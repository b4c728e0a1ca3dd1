"""What the rooms of the simulator share: the exchange, the accounts, faults and sightings."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from simulator.accounts import Account
from simulator.exchange import Exchange
from simulator.faults import Faults
from simulator.feed import Feed
from simulator.instruments import built_in
from simulator.orders import BrokerOrder
from simulator.tokens import new_token

Rupees = Decimal | int | str | float


@dataclass(frozen=True, slots=True)
class Opening:
    """An account to open. `funds` and `collateral` in rupees; without a token it gets one that
    lives for a day, a given one is taken literally and lives on; a `totp_secret` (base32) allows
    `generateAccessToken`, an `api_key` with its secret a login by consent; `slow_ms` is added
    before each of its requests is acted on."""

    client_id: str
    funds: Rupees = 1_000_000
    token: str | None = None
    allowed_ips: tuple[str, ...] = ()
    pin: str = "123456"
    totp_secret: str = ""
    slow_ms: int = 0
    collateral: Rupees = 0
    api_key: str = ""
    api_secret: str = ""


@dataclass(slots=True)
class Sighting:
    """A request as it arrived: `at` is monotonic nanoseconds, `status` what was answered (0 for
    nothing)."""

    client_id: str
    method: str
    path: str
    at: int
    peer: str
    correlation_id: str = ""
    status: int = 0


class Box:
    """One simulated broker. Lives on one event loop."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        transit_ms: int = 30,
        rtt_ms: int = 0,
        seed: int = 0,
    ) -> None:
        self.loop = loop
        self.stopping = asyncio.Event()
        self.rtt_ms = rtt_ms
        self.faults = Faults(seed)
        self.sightings: list[Sighting] = []
        self.feed = Feed(loop, self.faults)
        self.exchange = Exchange(loop, built_in(), self._told, transit_ms)

    def open(self, opening: Opening) -> Account:
        """Open an account. Raises ValueError when there is one of that client id, or another one
        has that token."""
        accounts = self.exchange.accounts
        if opening.client_id in accounts:
            raise ValueError(f"there is an account {opening.client_id} already")
        if self.account_of(opening.token or "") is not None:
            raise ValueError(f"the token of account {opening.client_id} is another account's")
        account = Account(
            client_id=opening.client_id,
            token=opening.token or "",
            opened=self.exchange.now(),
            funds=paise(opening.funds),
            collateral=paise(opening.collateral),
            pin=opening.pin,
            totp_secret=opening.totp_secret,
            api_key=opening.api_key,
            api_secret=opening.api_secret,
            allowed_ips=tuple(opening.allowed_ips),
            slow_ms=opening.slow_ms,
        )
        if not opening.token:
            self.grant(account)
        accounts[account.client_id] = account
        return account

    def grant(self, account: Account, *, by_web: bool = True) -> None:
        """Give the account a new token; the old one dies at once, and so do its sockets."""
        if account.token:
            account.dead_tokens.add(account.token)
            self.feed.cut(account, with_close=False)
        account.by_web = by_web
        account.expires = self.exchange.now() + timedelta(seconds=account.token_seconds)
        account.token = new_token(account.client_id, account.expires)

    def expire(self, account: Account) -> None:
        """End the account's token now."""
        account.expires = self.exchange.now() - timedelta(seconds=1)

    def believes(self, account: Account, token: object) -> bool:
        """Whether that is the account's token, and still alive."""
        alive = account.expires is None or account.expires > self.exchange.now()
        return alive and token == account.token

    def account_of(self, token: str) -> Account | None:
        """The account that a token belongs to."""
        for account in self.exchange.accounts.values():
            if token and account.token == token:
                return account
        return None

    def consenting(self, word: str) -> Account | None:
        """The account that a consent is of, by its id or by what it buys a token by."""
        for account in self.exchange.accounts.values():
            if word and (word in account.consents or word in account.consents.values()):
                return account
        return None

    def _told(self, account: Account, order: BrokerOrder) -> None:
        self.feed.tell(account, order, self.exchange.last_price(order.listing))


def paise(rupees: Rupees) -> int:
    """Rupees as whole paise. Raises ValueError when they are not a number of paise."""
    exact = Fraction(str(rupees)) * 100
    if exact.denominator != 1:
        raise ValueError(f"{rupees} rupees are no whole number of paise")
    return int(exact)
