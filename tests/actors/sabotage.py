"""Making an actor crash at a message of one kind, before or after it did what the message asks."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import Any

import pytest

from actors.board import BoardActor
from actors.feed import LeaderFeedActor
from actors.floor import FloorActor
from actors.follower import FollowerActor
from actors.instruments import InstrumentsActor
from actors.ledger import LedgerActor, Record
from actors.limiter import RateLimiterActor
from actors.market_clock import MarketClockActor
from actors.recovery import RecoveryActor
from actors.tokens import TokensActor

_ACTORS: tuple[type[FloorActor], ...] = (
    BoardActor,
    FollowerActor,
    InstrumentsActor,
    LeaderFeedActor,
    MarketClockActor,
    RateLimiterActor,
    RecoveryActor,
    TokensActor,
)
BEFORE, AFTER, UNSENT = "before", "after", "recorded but not sent"


class Sabotaged(Exception):
    """The crash that was asked for."""


def kind(message: object) -> str:
    """The kind of a message, with what is recorded by it."""
    name = type(message).__name__.lstrip("_")
    return f"{name} {type(message.entry).__name__}" if isinstance(message, Record) else name


@dataclass
class Saboteur:
    """Waits for a message of a kind to an actor. `taken` are the kinds of messages that the
    actors took, by the actor's name."""

    actor: str = ""
    kind: str = ""
    when: str = ""
    struck: Event = field(default_factory=Event)
    taken: set[tuple[str, str]] = field(default_factory=set)

    @contextmanager
    def at(self, actor: str, kind: str, when: str) -> Iterator[None]:
        """Have the actor crash, once, within the block."""
        self.actor, self.kind, self.when = actor, kind, when
        self.struck.clear()
        try:
            yield
        finally:
            self.when = ""

    def strike(self, actor: str, messages: Sequence[object], when: str) -> None:
        """Raise Sabotaged if it is for this that it waits."""
        kinds = [kind(message) for message in messages]
        self.taken |= {(actor, one) for one in kinds}
        if (self.actor, self.when) == (actor, when) and self.kind in kinds:
            self.when = ""
            self.struck.set()
            raise Sabotaged

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Sit in every actor's mailbox, and between the ledger's commit and the wire."""
        for actor in _ACTORS:
            patch.setattr(actor, "receive", self._receiving(actor.receive))
        # The ledger takes many messages at once.
        patch.setattr(LedgerActor, "_received", self._receiving(LedgerActor._received))
        patch.setattr(LedgerActor, "_commit", self._batched(LedgerActor._commit, BEFORE, AFTER))
        patch.setattr(LedgerActor, "_dispatch", self._batched(LedgerActor._dispatch, UNSENT, ""))

    def _receiving(self, receive: Callable[[Any, object], object]) -> Callable[..., object]:
        def receiving(actor: FloorActor, message: object) -> object:
            self.strike(actor.name, [message], BEFORE)
            answer = receive(actor, message)
            self.strike(actor.name, [message], AFTER)
            return answer

        return receiving

    def _batched(
        self, act: Callable[[Any, Any], None], before: str, after: str
    ) -> Callable[..., None]:
        def batched(actor: LedgerActor, batch: Sequence[object]) -> None:
            self.strike(actor.name, batch, before)
            act(actor, batch)
            self.strike(actor.name, batch, after)

        return batched
