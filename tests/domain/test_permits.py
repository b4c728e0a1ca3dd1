"""Pacing: no window is ever exceeded, no permit is lost, and the next one comes when promised."""

from copy import deepcopy
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.permits import DHAN_ORDERS, Allowance, Window

_WINDOWS = (
    (Window(1.0, 3),),
    (Window(1.0, 3), Window(5.0, 7)),
    (Window(0.7, 2), Window(1.0, 4), Window(6.0, 9)),
    DHAN_ORDERS,
)


class Sender:
    """Somebody who takes permits, uses or returns them whenever, and keeps count himself."""

    def __init__(self, windows: tuple[Window, ...], guard: float, seed: int) -> None:
        self.windows, self.chance = windows, Random(seed)
        self.allowance = Allowance(windows, guard)
        self.now = 1000.0
        self.held: list[float] = []
        self.until = self.now
        self.arrived: list[float] = []

    def act(self) -> None:
        """Do one thing; time passes, sometimes hardly any."""
        self.now += self.chance.choice((0.0, 0.001, 0.05, 0.3, 1.0, 4.0)) * self.chance.random()
        what = self.chance.choice(("take", "take", "take", "use", "use", "return", "throttle"))
        getattr(self, f"_{what}")()
        assert self.allowance.held == len(self.held)
        self._check_promise()

    def _take(self) -> None:
        wanted, ahead = self.chance.randrange(6), self.chance.choice((0.0, 0.0, 0.2, 3.0))
        slots = self.allowance.grant(wanted, self.now, ahead)
        assert len(slots) <= wanted
        assert slots == sorted(slots)
        for slot in slots:
            assert self.now <= slot <= self.now + ahead
            assert slot >= self.until, "granted while the broker wants a pause"
        self.held += slots

    def _use(self) -> None:
        """A request is answered now; it arrived at any time since its slot came."""
        if came := [slot for slot in self.held if slot <= self.now]:
            slot = self.chance.choice(came)
            self.held.remove(slot)
            self.arrived.append(self.chance.choice((slot, self.now)))
            self.allowance.used(self.now)

    def _return(self) -> None:
        count = self.chance.randrange(len(self.held) + 1)
        del self.held[:count]
        self.allowance.returned(count)

    def _throttle(self) -> None:
        if self.chance.random() < 0.1:
            self.until = max(self.until, self.now + 2.0)
            self.allowance.back_off(self.now + 2.0)

    def _check_promise(self) -> None:
        """A permit is there at the promised instant, and not before."""
        at = self.allowance.next_grant(self.now)
        if at is None:
            far = self.now + 1_000_000.0
            assert not deepcopy(self.allowance).grant(1, far), "time alone frees one"
            return
        assert at >= self.now
        assert len(deepcopy(self.allowance).grant(1, at)) == 1
        if at > self.now:
            early = self.now + (at - self.now) * 0.999
            assert not deepcopy(self.allowance).grant(1, early)
            assert not deepcopy(self.allowance).grant(1, self.now, (at - self.now) * 0.999)
            assert deepcopy(self.allowance).grant(1, self.now, (at - self.now) * 1.001) == [at]

    def check_windows(self) -> None:
        """At no time did more requests arrive than any window admits."""
        arrived = sorted(self.arrived)
        for window in self.windows:
            for first, last in zip(arrived, arrived[window.limit :], strict=False):
                assert last - first >= window.seconds - 1e-9, f"{window} was exceeded"


@given(
    windows=st.sampled_from(_WINDOWS),
    guard=st.sampled_from((0.0, 0.02)),
    seed=st.integers(0, 2**32),
)
@settings(deadline=None, max_examples=300)
def test_no_window_is_exceeded_and_no_permit_is_lost(
    windows: tuple[Window, ...], guard: float, seed: int
) -> None:
    sender = Sender(windows, guard, seed)
    for _ in range(80):
        sender.act()
    sender.check_windows()
    sender.allowance.returned(len(sender.held))
    least = min(window.limit for window in windows)
    assert len(sender.allowance.grant(10**6, sender.now + 10**6)) == least


def test_s7_5_ten_in_a_second_and_the_eleventh_in_the_next() -> None:
    allowance = Allowance(DHAN_ORDERS, guard=0.0)
    assert len(allowance.grant(12, 50.0)) == 10
    for number in range(10):
        allowance.used(50.0 + number / 100)
    assert allowance.next_grant(50.2) == 51.0
    assert len(allowance.grant(2, 50.999)) == 0
    assert len(allowance.grant(2, 51.0)) == 1
    assert len(allowance.grant(9, 51.05)) == 5


def test_a_permit_may_be_had_ahead_of_its_slot() -> None:
    """As soon as it is known when one is free again, and never more than there will be."""
    allowance = Allowance((Window(1.0, 3), Window(60.0, 5)), guard=0.0)
    assert allowance.grant(9, 50.0, ahead=0.5) == [50.0, 50.0, 50.0]
    assert allowance.grant(9, 50.4, ahead=0.5) == [], "not known while none is used"
    for at in (50.1, 50.2, 50.3):
        allowance.used(at)
    assert allowance.next_grant(50.4) == 51.1
    assert allowance.grant(9, 50.4, ahead=0.5) == []
    assert allowance.grant(9, 50.65, ahead=0.5) == [51.1]
    assert allowance.grant(9, 51.0, ahead=10.0) == [51.2], "the longer window has room for five"
    assert allowance.next_grant(51.0) == 110.1
    allowance.returned(1)
    assert allowance.grant(9, 51.0, ahead=10.0) == [51.2]
    allowance.back_off(55.0)
    allowance.returned(1)
    assert allowance.grant(9, 51.0, ahead=1.0) == []
    assert allowance.grant(9, 51.0, ahead=5.0) == [55.0]


def test_the_longer_windows_bind_too() -> None:
    allowance = Allowance((Window(1.0, 10), Window(60.0, 25)), guard=0.0)
    sent, now = 0, 0.0
    while now < 59.0:
        granted = allowance.grant(10, now)
        for _ in granted:
            allowance.used(now)
        sent += len(granted)
        now += 0.5
    assert sent == 25
    assert allowance.next_grant(now) == 60.0


def test_a_permit_in_hand_counts_until_it_is_used_or_returned() -> None:
    allowance = Allowance((Window(1.0, 2),), guard=0.0)
    assert len(allowance.grant(2, 0.0)) == 2
    assert allowance.next_grant(1000.0) is None
    assert len(allowance.grant(1, 1000.0)) == 0
    allowance.returned(1)
    assert len(allowance.grant(5, 1000.0)) == 1
    allowance.used(1000.5)
    allowance.used(1000.2)
    assert allowance.held == 0
    assert allowance.next_grant(1000.6) == 1001.5


def test_s7_6_a_throttled_account_waits_as_long_as_the_longest_pause_asked_for() -> None:
    allowance = Allowance((Window(1.0, 2),))
    allowance.back_off(20.0)
    allowance.back_off(15.0)
    assert len(allowance.grant(1, 19.9)) == 0
    assert allowance.next_grant(16.0) == 20.0
    assert len(allowance.grant(1, 20.0)) == 1


def test_other_windows_count_what_was_used_before() -> None:
    allowance = Allowance((Window(1.0, 3), Window(60.0, 100)), guard=0.0)
    assert len(allowance.grant(3, 0.0)) == 3
    for _ in range(3):
        allowance.used(0.0)
    allowance.limit((Window(10.0, 4),))
    assert len(allowance.grant(5, 5.0)) == 1
    assert allowance.next_grant(5.0) == 10.0


def test_the_guard_widens_every_window() -> None:
    allowance = Allowance((Window(1.0, 1),), guard=0.25)
    assert len(allowance.grant(1, 0.0)) == 1
    allowance.used(0.0)
    assert len(allowance.grant(1, 1.2)) == 0
    assert allowance.next_grant(1.2) == 1.25


@pytest.mark.parametrize(("seconds", "limit"), [(0.0, 1), (-1.0, 1), (1.0, 0)])
def test_windows_without_length_or_limit_are_refused(seconds: float, limit: int) -> None:
    with pytest.raises(ValueError, match="a window needs"):
        Window(seconds, limit)


def test_an_allowance_without_windows_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one window"):
        Allowance(())
