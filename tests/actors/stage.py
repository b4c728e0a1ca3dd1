"""A shop whose actors may crash as often as they like, with the broker's books as the witness of
what comes of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

from actors.patience import Patience
from actors.settings import FollowerSettings
from domain.copies import CopyState
from domain.correlation import correlation_id
from domain.permits import Window
from domain.rules import Rules
from domain.sizing import Multiplier
from ledger.reader import Reader
from tests.actors.shop import LEADER, NAMES, ONE, TWO, Row, Shop
from tests.waiting import eventually

ACCOUNTS = {ONE: 1, TWO: 2}
_OPEN = ("TRANSIT", "PENDING", "PART_TRADED")
_STATES = {
    "PENDING": {CopyState.OPEN},
    "TRADED": {CopyState.FILLED},
    "CANCELLED": {CopyState.CANCELLED, CopyState.SKIPPED},
}


@dataclass
class Stage(Shop):
    """In a hurry to find out what is not known, and without limits of how much may be sent."""

    timeout: float = 5.0

    def settings(self, account: str, **more: Any) -> FollowerSettings:
        sizing = Multiplier(Fraction(ACCOUNTS[account]))
        given: dict[str, Any] = {
            "rules": Rules(NAMES[account], sizing, settle=timedelta(seconds=1)),
            "windows": (Window(1.0, 100),),
            "drift_seconds": 0.3,
            "timeout": self.timeout,
        }
        return super().settings(account, **given | more)

    @classmethod
    def set_up(cls, folder: Path) -> "Stage":
        """A stage where every account is listened to and RELIANCE trades at 2,500."""
        stage = cls(folder, Patience(limit=10_000, first=0.01, longest=0.05))
        for account in (LEADER, *ACCOUNTS):
            stage.control.limits(account, orders={}, reads={})
        stage.control.price("NSE_EQ", "2885", 2500)
        stage.start()
        return stage

    def listens(self) -> None:
        """Wait until every account is listened to."""
        for account in (LEADER, *ACCOUNTS):
            eventually(partial(self.control.sockets, account), 30)

    def follow(self, accounts: Sequence[str] = tuple(ACCOUNTS)) -> None:
        """Tell the engine that these follow, as they are now."""
        self.engine.follow(tuple(map(self.settings, accounts)))

    def changes(self, order_id: str, **changes: Any) -> None:
        """The leader changes an order, as soon as the exchange has it."""
        self._reaches_the_exchange(order_id)
        self.control.modify(LEADER, order_id, **changes)

    def cancels(self, order_id: str) -> None:
        """The leader cancels an order, as soon as the exchange has it."""
        self._reaches_the_exchange(order_id)
        self.control.cancel(LEADER, order_id)

    def _reaches_the_exchange(self, order_id: str) -> None:
        eventually(lambda: self._leaders()[order_id]["orderStatus"] != "TRANSIT")

    def settles(self) -> None:
        """Wait until nothing is lost and nothing is doubled, and the ledger knows it."""
        try:
            eventually(lambda: not self._wrong(), 30)
        except AssertionError:
            raise AssertionError("; ".join(self._wrong())) from None

    def _leaders(self) -> dict[str, Row]:
        return {str(row["orderId"]): row for row in self.control.book(LEADER)}

    def _wrong(self) -> list[str]:
        leaders = self._leaders()
        wrong = []
        for account, times in ACCOUNTS.items():
            book = self.control.book(account)
            names = [str(row["correlationId"]) for row in book]
            if len(names) != len(set(names)):
                wrong.append(f"{account} has two orders of one name")
            for order_id, leader in leaders.items():
                copies = [row for row in book if _copies(row, order_id)]
                if not _follows(leader, copies, times):
                    wrong.append(f"{account}: {order_id} is {leader}, its copies are {copies}")
        return wrong or self._wrong_in_the_ledger(leaders)

    def _wrong_in_the_ledger(self, leaders: dict[str, Row]) -> list[str]:
        with Reader.open(self.folder / "shop.db") as reader:
            told = {(one.leader_order_id, one.follower): one.state for one in reader.copies()}
        return [
            f"the ledger has {state} for {name}'s copy of {order_id}, which is {status}"
            for order_id, status in ((one, str(row["orderStatus"])) for one, row in leaders.items())
            for name in NAMES.values()
            if (state := told.get((order_id, name))) not in _STATES.get(status, ())
        ]


def _copies(row: Row, order_id: str) -> bool:
    return str(row["correlationId"]).startswith(
        correlation_id(order_id, 0, 0).rpartition("-")[0] + "-"
    )


def _follows(leader: Row, copies: Sequence[Row], times: int) -> bool:
    """Whether the copies amount to exactly the leader's order."""
    still_open = [row for row in copies if row["orderStatus"] in _OPEN]
    traded = sum(int(row["filledQty"]) for row in copies)
    if leader["orderStatus"] == "PENDING":
        wanted = {"orderStatus": "PENDING", "quantity": leader["quantity"] * times}
        wanted["price"] = leader["price"]
        return not traded and [{key: row[key] for key in wanted} for row in still_open] == [wanted]
    return not still_open and traded == leader["filledQty"] * times
