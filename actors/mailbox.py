"""A follower's mailbox: what the leader does, permits and the operator's halts are read first."""

from collections import deque
from queue import SimpleQueue
from typing import Any, Protocol

from actors.upkeep import Configured
from domain.halts import HaltAsked
from domain.messages import OrderSeen, PermitsGranted, SessionChanged
from domain.orders import Status

_FIRST = (PermitsGranted, SessionChanged, HaltAsked, Configured)


class Inbox(Protocol):
    """What Pykka asks of an actor's inbox."""

    def put(self, envelope: Any, /) -> None: ...

    def get(self) -> Any: ...

    def empty(self) -> bool: ...


def is_first(message: object) -> bool:
    """Whether it goes before what is not. About an order of the leader that is still on its way to
    the exchange there is nothing to be done yet."""
    if isinstance(message, OrderSeen):
        return message.order.status is not Status.TRANSIT
    return isinstance(message, _FIRST)


class Mailbox:
    """An inbox for one reader. In a burst the account's own events and answers, several for each
    order, would otherwise keep the next order waiting. Either kind is read in the order in which
    it was told."""

    def __init__(self) -> None:
        self._first: deque[Any] = deque()
        self._others: deque[Any] = deque()
        self._told: SimpleQueue[None] = SimpleQueue()

    def put(self, envelope: Any) -> None:
        kind = self._first if is_first(envelope.message) else self._others
        kind.append(envelope)
        self._told.put(None)

    def get(self) -> Any:
        """The next envelope; waits for one."""
        self._told.get()
        return (self._first or self._others).popleft()

    def empty(self) -> bool:
        return self._told.empty()
