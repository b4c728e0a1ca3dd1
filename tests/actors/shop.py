"""An engine in this process, on real sockets to a simulated broker, for tests that reach inside:
that make actors crash, or look at what one of them holds."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

from actors.engine import Engine
from actors.patience import Patience
from actors.post import Ref, tell
from actors.settings import EngineSettings, FollowerSettings
from dhan.addresses import AccountAddress, FeedAddress
from domain.correlation import correlation_id
from domain.hours import always
from domain.rules import Rules
from domain.sizing import Multiplier
from simulator.server import Opening, Simulator
from tests.waiting import eventually

LEADER = "1000000001"
ONE, TWO = "1000000002", "1000000003"
NAMES = {ONE: "one", TWO: "two"}

Row = dict[str, Any]


class Poison:
    """A message that no actor understands: whoever gets it crashes."""


@dataclass
class Shop:
    """A broker, and an engine with the followers one (as the leader) and two (double)."""

    folder: Path
    patience: Patience = field(default_factory=lambda: Patience(limit=5, first=0.01))
    accounts: Sequence[str] = (ONE, TWO)

    def __post_init__(self) -> None:
        openings = [Opening(account, funds=100_000_000) for account in (LEADER, *self.accounts)]
        self.broker = Simulator(accounts=openings, transit_ms=10)
        self.control = self.broker.control
        self._addresses = {
            opened.client_id: AccountAddress(
                opened.client_id, self.broker.api_url, partial(self.broker.token, opened.client_id)
            )
            for opened in openings
        }
        self.engine = self._engine()

    def _engine(self) -> Engine:
        leader = self._addresses[LEADER]
        return Engine(
            EngineSettings(
                ledger=self.folder / "shop.db",
                leader=leader,
                leader_feed=FeedAddress(LEADER, self.broker.feed_url, leader.token),
                master=self.broker.master_url,
                sweep_seconds=0.5,
                sessions=always,
                patience=self.patience,
            )
        )

    def settings(self, account: str, **more: Any) -> FollowerSettings:
        """A follower's settings."""
        name, address = NAMES[account], self._addresses[account]
        given: dict[str, Any] = {
            "rules": Rules(name, Multiplier(Fraction(2 if account == TWO else 1))),
            "sweep_seconds": 0.5,
        }
        return FollowerSettings(
            name=name,
            address=address,
            feed=FeedAddress(account, self.broker.feed_url, address.token),
            **given | more,
        )

    def start(self) -> "Shop":
        """Start, and wait until every account is listened to."""
        self.engine.start()
        self.engine.follow(tuple(self.settings(account) for account in self.accounts))
        self.engine.listen()
        accounts = (LEADER, *self.accounts)
        eventually(lambda: all(self.control.sockets(account) == 1 for account in accounts))
        return self

    def close(self) -> None:
        """Stop engine and broker."""
        self.engine.stop()
        self.broker.stop()

    def crash(self, name: str) -> None:
        """Make an actor crash, also one that is just being started again, and wait until another
        incarnation runs."""
        post = self.engine.post

        def told() -> Ref | None:
            ref = post.ref(name)
            return ref if ref is not None and tell(ref, Poison()) else None

        before = eventually(told, why=f"{name} does not run")

        def again() -> bool:
            ref = post.ref(name)
            return ref is not None and ref is not before and ref.is_alive()

        eventually(again, why=f"{name} is not started again")

    def buys(self, price: float, quantity: int = 10) -> str:
        """The leader bids for RELIANCE in the app."""
        return self.control.place(
            LEADER, segment="NSE_EQ", security_id="2885", side="BUY", quantity=quantity, price=price
        )

    def orders(self, order_id: str, account: str) -> list[Row]:
        """The account's orders that copy the leader's order."""
        name = correlation_id(order_id, 0, 0).rpartition("-")[0]
        rows = self.control.book(account)
        return [row for row in rows if str(row["correlationId"]).startswith(name)]

    def waits(self, order_id: str, account: str, timeout: float = 10.0, **wanted: Any) -> Row:
        """The account's only copy of the order, once it is as wanted."""

        def found() -> Row | None:
            rows = self.orders(order_id, account)
            good = len(rows) == 1 and all(rows[0][key] == value for key, value in wanted.items())
            return rows[0] if good else None

        return eventually(found, timeout, f"{account} has no single order with {wanted}")
