"""When readers are told what became of a follower's copies."""

from dataclasses import replace

import pytest

from actors.following import Following
from actors.post import BOARD, Post
from actors.reporter import REPORTS, Telling
from domain.copies import CopyState
from domain.inputs import Granted, Heard, Input, Mandate, Restored
from domain.messages import Answered, CopyChanged, OrderHeard, OrderSeen, Tick
from domain.orders import Source, Status
from domain.outcomes import Accepted
from domain.steps import Place
from tests.actors.test_following import MANDATE, READY, Hands
from tests.actors.troupe import HandClock
from tests.domain.builders import NOON, after, intent, leader_order, stamp

SEEN = OrderSeen(leader_order(), NOON, 1)
UNPERMITTED = tuple(one for one in READY if not isinstance(one, Granted))


class Readers(Post):
    """Keeps the states that the board is told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[CopyState] = []

    def tell(self, name: str, message: object) -> bool:
        if name == BOARD and isinstance(message, CopyChanged):
            self.told.append(message.report.state)
        return True


class Account:
    """A follower whose reports are told by a clock that is turned by hand."""

    def __init__(self, *told: Input, mandate: Mandate = MANDATE) -> None:
        self.readers, self.hands, self.clock = Readers(), Hands(), HandClock()
        self.rings: list[tuple[float, object]] = []
        self.following = Following("asha", "1000000002", mandate, self.readers, self.hands)
        self.telling = Telling(
            self.following.reporter, self.clock, lambda *ring: self.rings.append(ring)
        )
        self.following.open(NOON)
        self.take(*told)

    def take(self, *told: Input) -> None:
        for one in told:
            self.following.take(one, after(0))
            self.telling.look()

    def answer(self) -> None:
        copy, step, now = self.hands.sent[-1]
        sent = intent(copy, step, now)
        self.take(Answered(sent, Accepted("112", "TRANSIT"), 1, 2, 3, 200))


def test_a_copy_that_is_placed_is_told_once_in_a_moment() -> None:
    account = Account(*UNPERMITTED, SEEN)
    assert account.readers.told == [CopyState.HELD]
    account.clock.seconds += 0.04
    account.take(Granted(1))
    account.answer()
    assert account.readers.told == [CopyState.HELD]
    ((seconds, tick),) = account.rings
    assert seconds == pytest.approx(0.06)
    assert tick == Tick(REPORTS)
    account.clock.seconds += 0.06
    account.telling.rang()
    assert account.readers.told == [CopyState.HELD, CopyState.PLACING]


def test_after_a_pause_it_is_told_at_once() -> None:
    account = Account(*UNPERMITTED, SEEN)
    account.clock.seconds += 0.1
    account.take(Granted(1))
    assert account.readers.told == [CopyState.HELD, CopyState.PLACING]
    assert account.rings == []


def test_what_rests_is_told_at_once() -> None:
    account = Account(*UNPERMITTED, SEEN)
    account.take(Granted(1))
    account.answer()
    ((_, step, _),) = account.hands.sent
    assert isinstance(step, Place)
    name, key = step.ticket.correlation_id, step.ticket.instrument
    own = leader_order(order_id="112", client_id="1000000002", correlation_id=name, instrument=key)
    account.take(Heard((OrderHeard(own),)))
    assert account.readers.told == [CopyState.HELD, CopyState.OPEN]


def test_a_verdict_is_told_at_once() -> None:
    account = Account(*UNPERMITTED, SEEN)
    gone = replace(SEEN.order, status=Status.CANCELLED, stamp=stamp(1))
    account.take(replace(SEEN, order=gone))
    assert account.readers.told == [CopyState.HELD, CopyState.SKIPPED]


def test_nothing_is_told_twice() -> None:
    account = Account(*UNPERMITTED, SEEN)
    account.clock.seconds += 1
    account.following.reporter.touch(SEEN.order.order_id)
    account.telling.look()
    assert account.readers.told == [CopyState.HELD]
    account.following.reporter.retell()
    account.telling.now()
    assert account.readers.told == [CopyState.HELD] * 2


def test_a_row_that_says_what_is_known_leads_to_no_step() -> None:
    following = Account(Restored(()), SEEN).following
    live = dict(following.live)
    following.live.clear()
    row = replace(SEEN.order, stamp=stamp(0, Source.BOOK))
    following.take(replace(SEEN, order=row), after(1))
    assert following.live == {}
    following.take(replace(SEEN, ltp=10_000), after(2))
    assert following.live == live
