"""What the tests of the wire share: a running wire, and calls that note their answers."""

from collections.abc import Callable, Iterator
from pathlib import Path

import certifi
import pytest

from dhan.addresses import AccountAddress
from dhan.calls import Answer, Call
from dhan.lines import Line
from dhan.requests import Request, Requests
from dhan.trust import trust
from dhan.wire import Wire
from domain.instruments import InstrumentKey, Segment
from domain.orders import OrderType, Product, Side, Terms
from domain.tickets import Ticket
from tests.dhan.broker import TOKEN, Broker
from tests.dhan.certificates import Authority

CLIENT = "1000000002"
REQUESTS = Requests(CLIENT)
TICKET = Ticket(
    correlation_id="LSn9xkzabc12-0-0",
    instrument=InstrumentKey(Segment.NSE_EQ, "1333"),
    side=Side.BUY,
    product=Product.INTRADAY,
    terms=Terms(quantity=10, order_type=OrderType.LIMIT, price=142_805),
)
PLACE = REQUESTS.place(TICKET)
READ = REQUESTS.orders()


class Sent:
    """Calls of one line, and every answer that each of them got."""

    def __init__(self, wire: Wire, line: Line) -> None:
        self._wire, self._line = wire, line
        self.answers: list[tuple[str, Answer]] = []

    def call(
        self, request: Request = PLACE, timeout: float = 5.0, name: str = "", urgency: int = 2
    ) -> Call:
        """A call whose answer is noted under `name`."""
        return Call(
            self._line,
            request,
            timeout,
            lambda answer: self.answers.append((name, answer)),
            urgency,
        )

    def send(self, request: Request = PLACE, timeout: float = 5.0, name: str = "") -> None:
        """Dispatch one call."""
        self._wire.dispatch([self.call(request, timeout, name)])

    def named(self, name: str) -> list[Answer]:
        """The answers to the calls of that name."""
        return [answer for called, answer in self.answers if called == name]


def account(
    broker: Broker,
    lines: int = 4,
    keep_warm: float = 20.0,
    token: Callable[[], str] = lambda: TOKEN,
    source_ip: str | None = None,
) -> AccountAddress:
    """The address of an account at the test's broker."""
    return AccountAddress(CLIENT, broker.url, token, source_ip, lines, keep_warm)


@pytest.fixture
def wire() -> Iterator[Wire]:
    """A running wire."""
    running = Wire()
    running.start()
    yield running
    running.stop(0.0)


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Authority]:
    """An authority that stands in certifi's place."""
    ours = Authority(tmp_path)
    monkeypatch.setattr(certifi, "where", lambda: str(ours.path))
    trust.cache_clear()
    yield ours
    trust.cache_clear()
