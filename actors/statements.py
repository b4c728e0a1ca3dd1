"""The StatementsActor: reads what accounts have, for those who ask the ledger by the queries of
the older program. It runs only on a ledger that was that one's database."""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from actors.answers import Answers, telling
from actors.floor import Floor, FloorActor
from actors.ledger import Record
from actors.post import LEDGER, STATEMENTS
from dhan.addresses import AccountAddress
from dhan.codec.funds import statement as funds_shown
from dhan.codec.positions import statement as positions_shown
from dhan.requests import Requests
from dhan.wire import Answer, Call, Line
from domain.messages import Tick
from domain.statements import FundsSeen, FundsShown, PositionShown, PositionsSeen

logger = logging.getLogger(__name__)

_EVERY_SECONDS = 60.0
_TIMEOUT = 10.0
_URGENCY = 5


@dataclass(frozen=True, slots=True)
class _Funds:
    """The answer to a request for an account's funds."""

    client_id: str
    at: datetime
    answer: Answer


@dataclass(frozen=True, slots=True)
class _Positions:
    """The answer to a request for an account's positions."""

    client_id: str
    at: datetime
    answer: Answer


class _Account:
    """The line to an account, and what was last read of it."""

    def __init__(self, address: AccountAddress, line: Line) -> None:
        self.address, self.line = address, line
        self.requests = Requests(address.client_id)
        self.funds: FundsShown | None = None
        self.positions: tuple[PositionShown, ...] | None = None
        failure = f"The {{}} of {address.client_id} cannot be read"
        self.funds_read = Answers(logger, failure.format("funds"))
        self.positions_read = Answers(logger, failure.format("positions"))


class StatementsActor(FloorActor):
    """Reads the funds and positions of all `accounts` every minute, and keeps what changed."""

    def __init__(self, floor: Floor, accounts: Callable[[], Sequence[AccountAddress]]) -> None:
        super().__init__(STATEMENTS, floor)
        self._wanted = accounts
        self._accounts: dict[str, _Account] = {}

    def begin(self) -> None:
        self._look()

    def end(self) -> None:
        self._close(list(self._accounts))

    def receive(self, message: object) -> object:
        match message:
            case Tick():
                self._look()
            case _Funds():
                self._funds(message)
            case _Positions():
                self._positions(message)
            case _:
                super().receive(message)
        return None

    def _look(self) -> None:
        """Ask every account for both."""
        wanted = {address.client_id: address for address in self._wanted()}
        held = self._accounts
        self._close([one for one in held if held[one].address != wanted.get(one)])
        for client_id, address in wanted.items():
            if client_id not in held:
                held[client_id] = _Account(address, self.floor.wire.open(address))
            self._ask(client_id, held[client_id])
        self.later(_EVERY_SECONDS, Tick(STATEMENTS))

    def _close(self, client_ids: Iterable[str]) -> None:
        for client_id in client_ids:
            self.floor.wire.close(self._accounts.pop(client_id).line)

    def _ask(self, client_id: str, account: _Account) -> None:
        post, at = self.floor.post, self.floor.clock.now()
        funds = telling(post, STATEMENTS, lambda answer: _Funds(client_id, at, answer))
        held = telling(post, STATEMENTS, lambda answer: _Positions(client_id, at, answer))
        line, requests = account.line, account.requests
        self.floor.wire.dispatch(
            [
                Call(line, requests.funds(), _TIMEOUT, funds, _URGENCY),
                Call(line, requests.positions(), _TIMEOUT, held, _URGENCY),
            ]
        )

    def _funds(self, told: _Funds) -> None:
        account = self._accounts.get(told.client_id)
        shown = account and account.funds_read.read(told.answer, funds_shown)
        if account and shown and shown != account.funds:
            account.funds = shown
            self.floor.post.tell(LEDGER, Record(FundsSeen(told.client_id, told.at, shown)))

    def _positions(self, told: _Positions) -> None:
        account = self._accounts.get(told.client_id)
        if account is None:
            return
        shown = account.positions_read.read(told.answer, positions_shown)
        if shown is not None and shown != account.positions:
            account.positions = shown
            self.floor.post.tell(LEDGER, Record(PositionsSeen(told.client_id, told.at, shown)))
