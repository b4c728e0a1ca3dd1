"""Permits are granted a moment ahead of their slots, and no sooner."""

from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from actors.floor import Begin, Floor
from actors.limiter import AccountOpened, RateLimiterActor
from actors.master import Master
from actors.uses import UsesTold, UsesWanted
from dhan.wire import Wire
from domain.messages import (
    BackedOff,
    PermitsGranted,
    PermitsReturned,
    PermitsWanted,
    PermitUsed,
    Tick,
)
from domain.permits import Window
from ledger.instruments import MasterFile
from tests.actors.test_following_pace import Told
from tests.actors.troupe import HandClock, HandTimer

_ACCOUNT = "1000000002"
_AHEAD = 0.15
_WINDOWS = (Window(1.0, 2), Window(60.0, 100))
_GUARDED = 1.005


class Limited:
    """A limiter whose time is turned by hand, with one account."""

    def __init__(self) -> None:
        self.clock, self.post = HandClock(), Told()
        self.timer = HandTimer(self.clock)
        floor = Floor(self.clock, self.post, self.timer, Wire(), Master(MasterFile(Path(), "")))
        self.ref = RateLimiterActor.start(floor)
        self.tell(Begin())
        self.tell(AccountOpened(_ACCOUNT, "asha", _WINDOWS, 7, Fraction(0), timedelta(seconds=14)))
        self.tell(UsesTold(_ACCOUNT, 7, (), ()))

    def tell(self, message: object) -> None:
        """Tell it, and wait until it has thought about it."""
        self.ref.tell(message)
        self.ref.ask(Tick("nobody's"), timeout=10.0)

    def use(self, at: float) -> None:
        """A request is answered then, `at` seconds from the beginning."""
        self.tell(PermitUsed(_ACCOUNT, round((1_000.0 + at) * 1e9), self.clock.ns()))

    def granted(self) -> list[list[float]]:
        """The slots that were granted since this was asked last, in seconds from the beginning."""
        told, self.post.told[:] = list(self.post.told), []
        grants = [one for one in told if isinstance(one, PermitsGranted)]
        return [[round(slot / 1e9 - 1_000.0, 6) for slot in one.slots] for one in grants]

    def turn(self, to: float) -> None:
        """Let time pass, until so many seconds from the beginning."""
        while (ring := self.timer.next_before(1_000.0 + to)) is not None:
            ring()
            self.ref.ask(Tick("nobody's"), timeout=10.0)
        self.clock.seconds = 1_000.0 + to


@pytest.fixture
def limited() -> Iterator[Limited]:
    limited = Limited()
    yield limited
    limited.ref.stop()


def test_a_permit_is_granted_a_moment_before_its_slot(limited: Limited) -> None:
    limited.tell(PermitsWanted(_ACCOUNT, 4))
    assert limited.granted() == [[0.0, 0.0]]
    limited.use(0.1)
    limited.use(0.3)
    assert limited.granted() == []
    limited.turn(0.1 + _GUARDED - _AHEAD - 0.001)
    assert limited.granted() == []
    limited.turn(0.1 + _GUARDED - _AHEAD + 0.001)
    assert limited.granted() == [[0.1 + _GUARDED]]
    limited.turn(0.3 + _GUARDED)
    assert limited.granted() == [[0.3 + _GUARDED]]
    limited.turn(30.0)
    assert limited.granted() == [], "neither was used"


def test_a_permit_that_comes_back_is_granted_with_the_slot_that_it_has(limited: Limited) -> None:
    limited.tell(PermitsWanted(_ACCOUNT, 3))
    limited.use(0.1)
    limited.use(0.1)
    limited.turn(1.0)
    assert limited.granted() == [[0.0, 0.0], [0.1 + _GUARDED]]
    limited.tell(PermitsReturned(_ACCOUNT, 1))
    limited.tell(PermitsWanted(_ACCOUNT, 1))
    assert limited.granted() == [[0.1 + _GUARDED]]


def test_a_pause_that_the_broker_wants_ends_a_moment_before_its_end(limited: Limited) -> None:
    limited.tell(BackedOff(_ACCOUNT, 5.0))
    limited.tell(PermitsWanted(_ACCOUNT, 1))
    limited.turn(5.0 - _AHEAD - 0.001)
    assert limited.granted() == []
    limited.turn(5.0 - _AHEAD + 0.001)
    assert limited.granted() == [[5.0]]


def test_what_is_on_its_way_is_counted_for_as_long_as_it_may_wait_for_its_slot_too(
    limited: Limited,
) -> None:
    wanted = [one for one in limited.post.told if isinstance(one, UsesWanted)]
    longest = timedelta(seconds=60 * _GUARDED + 1)
    assert [one.within for one in wanted] == [longest + timedelta(seconds=14 + _AHEAD)]
    limited.tell(AccountOpened(_ACCOUNT, "asha", _WINDOWS, 8, Fraction(0), timedelta(seconds=14)))
    at = limited.clock.now()
    limited.tell(UsesTold(_ACCOUNT, 8, (), (at, at)))
    limited.granted()
    limited.tell(PermitsWanted(_ACCOUNT, 1))
    limited.turn(15.0)
    assert limited.granted() == []
    limited.turn(16.0)
    assert limited.granted() == [[pytest.approx(14 + _AHEAD + _GUARDED)]]
