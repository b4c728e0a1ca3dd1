"""The MarketClockActor: each change of a session is told once and on time, however the wall clock
jumps. Time is turned by hand."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pykka
import pytest

from actors.floor import Begin, Floor
from actors.market_clock import CalendarChanged, MarketClockActor
from actors.master import Master
from actors.post import BOARD, Post, Ref, follower_name
from dhan.wire import Wire
from domain.calendars import Special
from domain.exchanges import exchanges
from domain.hours import Hours
from domain.instruments import Segment
from domain.messages import SessionChanged, Tick
from domain.schedules import Schedule
from domain.sessions import IST, Phase
from ledger.instruments import MasterFile
from tests.actors.test_instruments import Listener
from tests.actors.troupe import HandClock, HandTimer


def ist(written: str) -> datetime:
    local: datetime = IST.localize(datetime.fromisoformat(written))
    return local


class Wall(HandClock):
    """Its wall time can be set, by which nothing that waits is due earlier or later."""

    off = timedelta(0)

    def wall(self) -> datetime:
        return self.now() + self.off

    def set(self, instant: datetime) -> None:
        self.off = instant - self.now()


class Desk:
    """The actor, and who listens to it."""

    def __init__(self, at: str) -> None:
        self.clock = Wall()
        self.clock.set(ist(at))
        self.timer = HandTimer(self.clock)
        self.hours = Hours()
        master = Master(MasterFile(Path("none"), "nowhere"))
        floor = Floor(self.clock, Post(), self.timer, Wire(), master)
        self.board: list[object] = []
        self.follower: list[object] = []
        self._refs: list[Ref] = [Listener.start(self.board), Listener.start(self.follower)]
        for name, ref in zip((BOARD, follower_name("asha")), self._refs, strict=True):
            floor.post.register(name, ref)
        self.actor = MarketClockActor.start(floor, self.hours)
        self._refs.append(self.actor)
        self.actor.tell(Begin())

    def heard(self) -> list[SessionChanged]:
        """What the follower was told since this was asked last; the board was told the same."""
        self.actor.ask(Tick("nothing"))
        for ref in self._refs[:2]:
            ref.ask(None)
        assert self.board == self.follower
        told = [one for one in self.follower if isinstance(one, SessionChanged)]
        self.board.clear()
        self.follower.clear()
        return told

    def phases(self) -> dict[Schedule, Phase]:
        return {one.schedule: one.phase for one in self.heard()}

    def advance(self, seconds: float) -> list[SessionChanged]:
        """Let time pass, timer by timer; what was told."""
        told, until = self.heard(), self.clock.seconds + seconds
        while (ring := self.timer.next_before(until)) is not None:
            ring()
            told += self.heard()
        self.clock.seconds = until
        return told

    def close(self) -> None:
        for ref in self._refs:
            ref.stop()


@pytest.fixture
def desks() -> Iterator[list[Desk]]:
    opened: list[Desk] = []
    yield opened
    for desk in opened:
        desk.close()


@pytest.fixture
def desk(desks: list[Desk]) -> Desk:
    desks.append(Desk("2026-11-25 09:14:50"))
    return desks[0]


def test_at_a_start_every_schedule_is_told(desk: Desk) -> None:
    told = desk.phases()
    assert set(told) == set(Schedule)
    assert told[Schedule.NSE_EQ] is told[Schedule.NSE_FNO] is Phase.BUFFER
    assert told[Schedule.MCX_COMM] is Phase.OPEN


def test_s6_1_the_open_is_told_at_its_second(desk: Desk) -> None:
    desk.heard()
    told = desk.advance(20)
    assert {one.schedule for one in told} == {
        *(Schedule.NSE_EQ, Schedule.NSE_EQ_PLAIN, Schedule.NSE_FNO),
        *(Schedule.BSE_EQ, Schedule.BSE_EQ_PLAIN, Schedule.BSE_FNO),
    }
    assert {(one.phase, one.open, one.at) for one in told} == {
        (Phase.OPEN, True, ist("2026-11-25 09:15:00"))
    }


def test_a_day_is_told_once_each_and_on_time(desk: Desk) -> None:
    desk.heard()
    told = desk.advance(24 * 3600)
    shares = [one for one in told if one.schedule is Schedule.NSE_EQ]
    assert [(f"{one.at.astimezone(IST):%H:%M:%S}", one.phase) for one in shares] == [
        ("09:15:00", Phase.OPEN),
        ("15:15:00", Phase.CLOSING_AUCTION),
        ("15:35:00", Phase.CLOSED),
        ("09:00:00", Phase.PRE_OPEN),
        ("09:08:00", Phase.MATCHING),
        ("09:12:00", Phase.BUFFER),
    ]
    plain = [one.phase for one in told if one.schedule is Schedule.NSE_EQ_PLAIN]
    assert plain[:2] == [Phase.OPEN, Phase.CLOSED]
    for schedule in Schedule:
        mine = [one.phase for one in told if one.schedule is schedule]
        assert all(one is not after for one, after in pairwise(mine))


@pytest.mark.parametrize(
    ("to", "phase"),
    [
        ("2026-11-25 12:00:00", Phase.OPEN),
        ("2026-11-25 15:20:00", Phase.CLOSING_AUCTION),
        ("2026-11-25 06:00:00", Phase.CLOSED),
        ("2026-11-22 12:00:00", Phase.CLOSED),
    ],
)
def test_a_jump_of_the_wall_clock_is_noticed_within_half_a_minute(
    desk: Desk, to: str, phase: Phase
) -> None:
    desk.heard()
    desk.advance(5)
    desk.clock.set(ist(to))
    told = {one.schedule: one.phase for one in desk.advance(30)}
    assert told[Schedule.NSE_EQ] is phase


def test_another_calendar_counts_at_once_and_no_tick_is_awaited_twice(desk: Desk) -> None:
    desk.advance(60)
    halt = (ist("2026-11-25 09:15:30"), ist("2026-11-25 09:20:00"))
    halted = Special(frozenset({Segment.NSE_FNO}), *halt, opens=False)
    desk.hours.follow(exchanges().amended([halted], ()))
    for _ in range(5):
        desk.actor.tell(CalendarChanged())
    assert [(one.schedule, one.phase) for one in desk.heard()] == [(Schedule.NSE_FNO, Phase.HALTED)]
    resumed = desk.advance(300)
    assert [(one.phase, one.at) for one in resumed] == [(Phase.OPEN, halt[1])]
    looks = 0
    while desk.timer.next_before(desk.clock.seconds + 30) is not None:
        looks += 1
    assert looks <= 1, "one chain of looks goes on"


def test_it_understands_nothing_else(desk: Desk) -> None:
    with pytest.raises(TypeError, match="does not understand"):
        desk.actor.ask(pykka.ActorDeadError())
