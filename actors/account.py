"""A follower's account at Dhan: its lines for requests and its own order-update socket."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from actors.answers import ask_aside, telling
from actors.feed import SocketListener
from actors.floor import Floor
from actors.post import follower_name
from actors.settings import FollowerSettings
from dhan.feed import Feed
from dhan.requests import Request, Requests
from dhan.wire import Answer, Call
from domain.steps import Modify, Place
from domain.steps import Request as Step

_READ_URGENCY = 3
_READ_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class BookAnswered:
    """The answer to a request for the account's order book."""

    answer: Answer
    asked_at: datetime
    asked_ns: int


@dataclass(frozen=True, slots=True)
class PositionsAnswered:
    """The answer to a request for the account's positions."""

    answer: Answer
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class ProfitAnswered:
    """The answer to a request for the account's positions, for what they earned."""

    answer: Answer
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class AddressesAnswered:
    """The answer to where the account may send orders from."""

    answer: Answer


@dataclass(frozen=True, slots=True)
class KillAnswered:
    """The answer to setting the broker's kill switch."""

    answer: Answer


class Account:
    """The connections of one follower, opened and closed by its actor."""

    def __init__(self, floor: Floor, settings: FollowerSettings) -> None:
        self._floor = floor
        self._name = follower_name(settings.name)
        self.client_id = settings.address.client_id
        self._address = settings.address
        self._requests = Requests(self.client_id)
        self.line = floor.wire.open(settings.address)
        listener = SocketListener(floor.post, self._name, self.client_id)
        self._feed = Feed(settings.feed, listener)
        self._feed.start()
        self.reading = False

    @property
    def source_ip(self) -> str | None:
        """This host's address that it sends from, if it has one of its own."""
        return self._address.source_ip

    def close(self) -> None:
        """End the socket and the lines."""
        self._feed.stop(timeout=1.0)
        self._floor.wire.close(self.line)

    def renewed(self) -> None:
        """Go on with another token."""
        self._feed.renewed()

    def request(self, step: Step) -> Request:
        """The step as Dhan's API wants it."""
        if isinstance(step, Place):
            return self._requests.place(step.ticket)
        if isinstance(step, Modify):
            return self._requests.modify(step.order_id, step.terms)
        return self._requests.cancel(step.order_id)

    def read_book(self) -> None:
        """Ask for the order book, unless an answer is awaited already."""
        if self.reading:
            return
        self.reading = True
        asked_at, asked_ns = self._floor.clock.now(), self._floor.clock.ns()
        self._read(self._requests.orders(), lambda answer: BookAnswered(answer, asked_at, asked_ns))

    def read_positions(self) -> None:
        """Ask for the positions."""
        asked_at = self._floor.clock.now()
        self._read(self._requests.positions(), lambda answer: PositionsAnswered(answer, asked_at))

    def read_profit(self) -> None:
        """Ask for the positions, for what they earned."""
        asked_at = self._floor.clock.now()
        self._read(self._requests.positions(), lambda answer: ProfitAnswered(answer, asked_at))

    def read_addresses(self) -> None:
        """Ask where the account may send orders from."""
        deliver = telling(self._floor.post, self._name, AddressesAnswered)
        ask_aside(self._floor.wire, self._address, self._requests.addresses(), deliver)

    def kill(self) -> None:
        """Set the broker's kill switch."""
        self._read(self._requests.kill_switch(), KillAnswered)

    def _read(self, request: Request, message: Callable[[Answer], object]) -> None:
        call = Call(
            line=self.line,
            request=request,
            timeout=_READ_TIMEOUT,
            deliver=telling(self._floor.post, self._name, message),
            urgency=_READ_URGENCY,
        )
        self._floor.wire.dispatch([call])
