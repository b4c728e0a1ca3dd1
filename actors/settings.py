"""What the actors are told by the configuration."""

from dataclasses import dataclass, field
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

from actors.patience import Patience
from dhan.addresses import AccountAddress, FeedAddress
from domain.hours import Sessions, exchange_hours
from domain.inputs import Mandate
from domain.permits import DHAN_ORDERS, RESERVE, Window
from domain.rules import Rules


@dataclass(frozen=True, slots=True)
class FollowerSettings:
    """What the configuration says of one follower. `sweep_seconds` is how often its order book
    is read while it has something open; `timeout` (seconds) is how long an answer may take;
    `drift_seconds` is how often its positions are compared with its copies; `reserve` is the share
    of `windows` that entries leave to cancels and exits."""

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
    patience: Patience = field(default_factory=Patience)
    master_pace: MasterPace = field(default_factory=MasterPace)
