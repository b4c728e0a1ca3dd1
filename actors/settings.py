"""What the actors are told by the configuration."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from actors.patience import Patience
from dhan.addresses import AccountAddress, FeedAddress
from domain.hours import Sessions, exchange_hours
from domain.inputs import Mandate
from domain.permits import DHAN_ORDERS, RESERVE, Window
from domain.rules import Rules


class KeptToken(Protocol):
    """An account's token, which can be replaced for good."""

    def __call__(self) -> str:
        """The token as it is now. Raises dhan.tokens.TokenMissing."""

    def keep(self, token: str) -> None:
        """Have this one from now on. Raises dhan.tokens.NotKept when it counts only until the
        process ends."""


@dataclass(frozen=True, slots=True)
class Login:
    """How an account comes by its next token: `renews` is whether RenewToken may be used, `pin`
    and `totp_secret` are both there where one can be made from nothing, `api_key` and `api_secret`
    where its owner can consent to one in a browser, both at `auth_url`."""

    token: KeptToken = field(repr=False)
    auth_url: str
    renews: bool = True
    pin: Callable[[], str] | None = field(default=None, repr=False)
    totp_secret: Callable[[], str] | None = field(default=None, repr=False)
    api_key: Callable[[], str] | None = field(default=None, repr=False)
    api_secret: Callable[[], str] | None = field(default=None, repr=False)

    @property
    def generates(self) -> bool:
        """Whether a token can be made without another."""
        return self.pin is not None and self.totp_secret is not None


@dataclass(frozen=True, slots=True)
class FollowerSettings:
    """What the configuration says of one follower. `sweep_seconds` is how often its order book
    is read while it has something open; `timeout` (seconds) is how long an answer may take;
    `drift_seconds` is how often its positions are compared with its copies; `reserve` is the share
    of `windows` that entries leave to cancels and exits; without a `login` its token is left as it
    is; those of one `family` may send from one address."""

    name: str
    address: AccountAddress
    feed: FeedAddress
    rules: Rules
    windows: tuple[Window, ...] = DHAN_ORDERS
    paused: bool = False
    sweep_seconds: float = 3.0
    timeout: float = 7.0
    drift_seconds: float = 60.0
    reserve: Fraction = RESERVE
    login: Login | None = None
    family: str | None = None

    @property
    def mandate(self) -> Mandate:
        """What its decisions go by."""
        patience = timedelta(seconds=self.timeout)
        return Mandate(self.rules, self.paused, self.windows, patience, self.reserve)


@dataclass(frozen=True, slots=True)
class MasterPace:
    """In seconds: how often the edition and its age are looked at, how long loading may take,
    the pause after one that failed (which doubles, up to a limit), and the time after any during
    which a missing instrument leads to no other."""

    look: float = 5.0
    most: float = 180.0
    retry: float = 60.0
    retry_most: float = 900.0
    again: float = 180.0


@dataclass(frozen=True, slots=True)
class KeptFor:
    """How long the ledger keeps what followers took and every read, and how long every request
    about an order (`audit`, five years)."""

    journal: timedelta = timedelta(days=30)
    audit: timedelta = timedelta(days=1827)


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """What the engine needs to run; the followers come with `Engine.follow`."""

    ledger: Path
    leader: AccountAddress
    leader_feed: FeedAddress
    master: str
    sweep_seconds: float = 3.0
    sessions: Sessions = exchange_hours
    kept: KeptFor = field(default_factory=KeptFor)
    leader_login: Login | None = None
    patience: Patience = field(default_factory=Patience)
    master_pace: MasterPace = field(default_factory=MasterPace)
