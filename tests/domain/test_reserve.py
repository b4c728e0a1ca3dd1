"""Pacing over restarts, and what entries leave to cancels and exits."""

import math
from fractions import Fraction
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.permits import Allowance, Window

_WINDOWS = (
    (Window(1.0, 3), Window(5.0, 8)),
    (Window(0.7, 2), Window(1.0, 4), Window(6.0, 9)),
    (Window(1.0, 10), Window(3.0, 25), Window(20.0, 60)),
)


class Restarted:
    """A sender whose permits are forgotten now and then, and counted anew from what is recorded of
    its requests: those that are answered, and those that may arrive until some time."""

    def __init__(self, windows: tuple[Window, ...], seed: int) -> None:
        self.windows, self.chance = windows, Random(seed)
        self.allowance = Allowance(windows, guard=0.0)
        self.now = 100.0
        self.in_hand = 0
        self.flying: list[tuple[float, float, bool]] = []  # arrives, answered, of this count
        self.answered: list[float] = []
        self.arrived: list[float] = []

    def act(self) -> None:
        self.now += self.chance.choice((0.0, 0.05, 0.3, 1.0)) * self.chance.random()
        self._answers()
        getattr(self, self.chance.choice(("take", "take", "send", "send", "send", "restart")))()

    def _answers(self) -> None:
        for one in sorted(self.flying, key=lambda one: one[1]):
            _, answered, counted = one
            if answered <= self.now:
                self.flying.remove(one)
                self.answered.append(answered)
                (self.allowance.used if counted else self.allowance.landed)(answered)

    def take(self) -> None:
        self.in_hand += len(self.allowance.grant(self.chance.randrange(5), self.now))

    def send(self) -> None:
        if self.in_hand:
            self.in_hand -= 1
            arrives = self.now + self.chance.random() * 2.0
            self.arrived.append(arrives)
            self.flying.append((arrives, arrives + self.chance.random() * 2.0, True))

    def restart(self) -> None:
        """Half of the time nothing but the records is left."""
        self.in_hand = 0
        until = [self.now + 4.0 for _ in self.flying]
        self.flying = [(arrives, answered, False) for arrives, answered, _ in self.flying]
        if self.chance.random() < 0.5:
            self.allowance = Allowance(self.windows, guard=0.0)
            self.allowance.recount(self.answered, until)
        else:
            self.allowance.recount((), until)


@given(windows=st.sampled_from(_WINDOWS), seed=st.integers(0, 2**32))
@settings(deadline=None, max_examples=150)
def test_no_restart_lets_more_through_than_a_window_admits(
    windows: tuple[Window, ...], seed: int
) -> None:
    sender = Restarted(windows, seed)
    for _ in range(80):
        sender.act()
    arrived = sorted(sender.arrived)
    for window in windows:
        for first, last in zip(arrived, arrived[window.limit :], strict=False):
            assert last - first >= window.seconds - 1e-9, f"{window} was exceeded"
    held = sender.in_hand + sum(counted for _, _, counted in sender.flying)
    assert sender.allowance.held == held
    least = min(window.limit for window in windows)
    assert len(sender.allowance.grant(10**6, 10.0**6)) == least - held, "a permit is lost"


@given(
    windows=st.sampled_from(_WINDOWS),
    reserve=st.sampled_from((Fraction(0), Fraction(1, 10), Fraction(1, 4), Fraction(1, 2))),
    seed=st.integers(0, 2**32),
)
@settings(deadline=None, max_examples=150)
def test_entries_leave_the_reserve_and_wait_no_longer_than_they_must(
    windows: tuple[Window, ...], reserve: Fraction, seed: int
) -> None:
    """Somebody who enters whenever that is allowed, and gets out now and then."""
    chance, now = Random(seed), 100.0
    allowance = Allowance(windows, guard=0.0, reserve=reserve)
    slots, sent, kept = (
        list[float](),
        list[float](),
        [one for one in windows if allowance.kept(one)],
    )

    def beside(at: float) -> float:
        entries = allowance.entries(at)
        return math.inf if entries is None else entries + len(slots)

    for _ in range(150):
        now += chance.choice((0.0, 0.05, 0.4, 2.0)) * chance.random()
        ahead = chance.choice((0.0, 0.2))
        slots += allowance.grant(min(one.limit for one in windows) - len(slots), now, ahead)
        entry, left = chance.random() < 0.8, beside(now)
        if entry:
            spent = [
                window.limit
                - allowance.kept(window)
                - sum(at + window.seconds > now for at in sent)
                for window in kept
            ]
            assert left == min(spent, default=math.inf), "entries wait for nothing, or go too far"
            if left <= 0 and (at := allowance.more_entries(now)) is not None:
                assert beside(at - 1e-6) <= 0
                assert beside(at) > left
                now = at
                continue
        if slots and min(slots) <= now and (not entry or left > 0):
            slots.remove(min(slots))
            sent.append(now)
            allowance.used(now)
    assert not allowance.kept(windows[0]), "the shortest window is shared by urgency alone"


def test_an_exit_has_what_entries_left() -> None:
    allowance = Allowance((Window(1.0, 10), Window(60.0, 20)), guard=0.0, reserve=Fraction(1, 4))
    for second in range(2):
        assert len(allowance.grant(10, second * 2.0)) == 10
        for _ in range(10 if not second else 5):
            allowance.used(second * 2.0)
    assert allowance.held == 5
    assert allowance.entries(3.0) == -allowance.held
    assert allowance.more_entries(3.0) == 60.0
    assert allowance.spent(3.0) == [(Window(1.0, 10), 0), (Window(60.0, 20), 15)]
