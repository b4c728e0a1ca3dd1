"""The supervisor under everything at once: crashes at any message and at any start, news of them
that comes late, rosters that change meanwhile, restarts that wait, and a stop at any moment."""

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from actors.board import Roster
from actors.floor import Begin
from actors.ledger import LedgerActor, Restore
from actors.patience import Patience
from actors.post import BOARD, FEED, LEDGER, LIMITER, RECOVERY, follower_name
from actors.settings import FollowerSettings, KeptFor
from actors.upkeep import BoardRestarted, LimiterRestarted
from dhan.addresses import AccountAddress, FeedAddress
from domain.inputs import Restored
from domain.messages import Alert, MoodChanged
from domain.rules import Mood, Rules
from domain.sizing import Multiplier
from tests.actors.troupe import Crash, Player, Troupe

LIMIT, WITHIN = 2, 64.0
PAUSES = (1.0, 2.0)
SHARED = (BOARD, LEDGER, LIMITER, RECOVERY, FEED)
ESSENTIAL = (LEDGER, LIMITER, RECOVERY)
FOLLOWERS = ("asha", "bina")
NAMES = (*SHARED, *map(follower_name, FOLLOWERS))
# Followers and the actors that others depend on more often, as most can go wrong there.
names = st.sampled_from(NAMES) | st.sampled_from((BOARD, LEDGER, *map(follower_name, FOLLOWERS)))


def _settings(name: str, wires: int, size: int) -> FollowerSettings:
    address = AccountAddress(name, f"http://127.0.0.1:{wires}", str)
    feed = FeedAddress(name, f"ws://127.0.0.1:{wires}", str)
    return FollowerSettings(name, address, feed, Rules(name, Multiplier(Fraction(size))))


rosters = st.lists(
    st.builds(_settings, st.sampled_from(FOLLOWERS), st.sampled_from((1, 2)), st.integers(1, 2)),
    unique_by=lambda one: one.name,
)


@dataclass
class Expected:
    """What should be true of an actor: it runs, waits until `due`, or is `down` for good.

    `held` is that it crashed and the supervisor does not know yet; it is then started at once if
    it is to begin `anew`, and not at all if it is not `wanted`.
    """

    crashes: list[float] = field(default_factory=list)
    due: float | None = None
    number: int = 0
    down: bool = False
    held: bool = False
    anew: bool = False
    wanted: bool = True

    @property
    def runs(self) -> bool:
        return not (self.held or self.down or self.due is not None)


class Supervision(RuleBasedStateMachine):
    """A troupe beside what is expected of it, by a model without threads."""

    def __init__(self) -> None:
        super().__init__()
        patience = Patience(limit=LIMIT, within=WITHIN, first=PAUSES[0], longest=PAUSES[1])
        self.troupe = Troupe(patience)
        self.expected = {name: Expected() for name in SHARED}
        self.roster: dict[str, FollowerSettings] = {}
        self.fright: dict[str, int] = {}
        self.fatal = False
        self.now = self.troupe.clock.seconds
        self.crash_count = 0
        self.alerts = 0

    @initialize(followers=rosters)
    def begin(self, followers: list[FollowerSettings]) -> None:
        self.troupe.start(*SHARED)
        self.changes_the_roster(followers)

    # What happens

    @rule(name=names, held=st.booleans())
    def crashes(self, name: str, held: bool) -> None:
        """An actor crashes at a message; the supervisor hears of it at once, or later."""
        one = self.expected.get(name)
        if one is None or not one.runs:
            return
        self.troupe.tell(name, Crash(held))
        if held:
            one.held = True
        else:
            self._crashed(name)

    @rule(name=names)
    def crashes_again_and_again(self, name: str) -> None:
        """An actor crashes whenever it was started again, until it is once too often."""
        for _ in range(LIMIT + 1):
            one = self.expected.get(name)
            if one is not None and one.due is not None and one.due - self.now <= PAUSES[-1]:
                self.time_passes(one.due - self.now)
            self.crashes(name, held=False)

    @rule(name=names)
    def the_news_comes(self, name: str) -> None:
        """The supervisor hears of a crash that was held back."""
        one = self.expected.get(name)
        if one is None or not one.held:
            return
        self.troupe.let_go(name)
        one.held = False
        if not one.wanted:
            del self.expected[name]
        elif one.anew:
            self._run(name)
        else:
            self._crashed(name)

    @precondition(lambda self: not self.fright)
    @rule(name=names, times=st.integers(1, 2))
    def will_crash_at_its_start(self, name: str, times: int) -> None:
        """The next incarnations of an actor crash as they begin."""
        self.fright[name] = self.troupe.stage_fright[name] = times

    @rule(followers=rosters)
    def changes_the_roster(self, followers: list[FollowerSettings]) -> None:
        """Followers come, go and change."""
        before, self.roster = self.roster, {one.name: one for one in followers}
        self.troupe.follow(tuple(followers))
        for name in before.keys() - self.roster.keys():
            one = self.expected[follower_name(name)]
            one.wanted = False
            if not one.held:
                del self.expected[follower_name(name)]
        for name, now in self.roster.items():
            self._configure(follower_name(name), before.get(name), now)

    @rule(seconds=st.sampled_from((0.25, 1.0, 2.0, 30.0, 65.0)))
    def time_passes(self, seconds: float) -> None:
        until = self.now + seconds
        self.troupe.advance(seconds)
        while due := sorted(
            (one.due, one.number, name)
            for name, one in self.expected.items()
            if one.due is not None and one.due <= until
        ):
            self.now, _, name = due[0]
            self._run(name)
            if name == LEDGER:
                self._run_after_the_ledger()
        self.now = until

    # What is expected to come of it

    def _crashed(self, name: str) -> None:
        one = self.expected[name]
        one.crashes = [at for at in one.crashes if at >= self.now - WITHIN] + [self.now]
        self.crash_count += 1
        one.number = self.crash_count
        if len(one.crashes) <= LIMIT:
            one.due = self.now + PAUSES[len(one.crashes) - 1]
        elif name in ESSENTIAL:
            one.due, one.down, self.fatal = None, True, True
        else:
            self.alerts += 1
            one.down = name not in SHARED
            one.due = None if one.down else self.now + WITHIN

    def _run(self, name: str) -> None:
        one = self.expected[name]
        one.due, one.anew = None, False
        if self.fright.get(name):
            self.fright[name] -= 1
            if not self.fright[name]:
                del self.fright[name]
            self._crashed(name)

    def _run_after_the_ledger(self) -> None:
        for name, one in list(self.expected.items()):
            if name == RECOVERY or name not in SHARED:
                if one.held:
                    one.anew = True
                elif one.runs:
                    self._run(name)

    def _configure(self, name: str, before: FollowerSettings | None, now: FollowerSettings) -> None:
        one = self.expected.get(name)
        same_wires = before is not None and before.feed == now.feed
        if before == now or (one is not None and same_wires and not one.down):
            return
        self.expected[name] = Expected(held=one is not None and one.held, anew=True)
        if not self.expected[name].held:
            self._run(name)

    # What is looked at after every step

    @invariant()
    def nobody_runs_twice(self) -> None:
        assert self.troupe.doubled == []

    @invariant()
    def those_run_who_should(self) -> None:
        for name in NAMES:
            one = self.expected.get(name)
            alive, runs = self.troupe.alive(name), one is not None and one.runs
            assert len(alive) == runs, f"{name}: {one}"
            assert self.troupe.playing(name) is (alive[0] if runs else None)

    @invariant()
    def the_process_ends_only_where_it_must(self) -> None:
        assert bool(self.troupe.fatal) == self.fatal

    @invariant()
    def followers_have_the_settings_of_now(self) -> None:
        for name, wanted in self.roster.items():
            follower = self.troupe.playing(follower_name(name))
            assert follower is None or follower.settings == wanted

    @invariant()
    def the_board_knows_who_follows_and_who_is_parked(self) -> None:
        board = self.troupe.playing(BOARD)
        if board is None:
            return
        rosters_told = [told for told in board.told if isinstance(told, Roster)]
        assert rosters_told[-1:] == [Roster(tuple(self.roster))]
        for name in FOLLOWERS:
            one = self.expected.get(follower_name(name))
            if one is not None and one.down:
                parked = [told for told in board.told if isinstance(told, MoodChanged)]
                assert (name, Mood.PARKED) in {(told.follower, told.mood) for told in parked}

    @invariant()
    def nothing_is_told_of_those_who_are_well(self) -> None:
        told = [told for one in self.troupe.players for told in one.told if one.name == BOARD]
        assert sum(isinstance(one, Alert) for one in told) <= self.alerts

    @invariant()
    def what_an_actor_lost_is_told_again(self) -> None:
        """By the others, who hear that it was started again, or are started again themselves."""
        for name in (RECOVERY, *map(follower_name, FOLLOWERS)):
            one = self.troupe.playing(name)
            if one is None:
                continue
            assert self._births(LEDGER, since=one) == 0
            assert self._births(BOARD, since=one) == _count(one, BoardRestarted)
            if name != RECOVERY:
                assert self._births(LIMITER, since=one) == _count(one, LimiterRestarted)

    def _births(self, name: str, since: Player) -> int:
        later = self.troupe.players[self.troupe.players.index(since) :]
        return sum(other.name == name for other in later)

    def teardown(self) -> None:
        """A stop at this moment: all end, and nobody is started ever after."""
        try:
            assert self.troupe.stop()
            born = len(self.troupe.players)
            for name in NAMES:
                self.troupe.let_go(name)
            self.troupe.advance(2 * WITHIN)
            assert len(self.troupe.players) == born
            assert not any(map(self.troupe.alive, NAMES))
        finally:
            self.troupe.close()


def _count(player: Player, kind: type) -> int:
    return sum(isinstance(told, kind) for told in player.told)


TestSupervision = Supervision.TestCase
TestSupervision.settings = settings(deadline=None, max_examples=100, stateful_step_count=30)


def test_only_the_incarnation_that_asked_is_told_its_copies(tmp_path: Path) -> None:
    """What the ledger kept when an earlier one asked is not what it has for the next."""
    troupe = Troupe(Patience())
    path = tmp_path / "ledger.db"
    ledger = LedgerActor.start(troupe.floor, path, KeptFor(), troupe.fatal.append)
    ledger.ask(Begin())
    try:
        troupe.follow((_settings("asha", 1, 1),))
        before = troupe.playing(follower_name("asha"))
        assert before is not None
        troupe.tell(before.name, Crash())
        troupe.advance(1)
        now = troupe.playing(before.name)
        assert now not in (None, before)
        for asker in (before, now):
            ledger.ask(Restore("asha", asker.actor_ref))
        troupe.settle()
        assert (before.told, now.told) == ([], [Restored(())])
    finally:
        ledger.stop()
        troupe.close()


def test_whoever_is_parked_is_told_with_the_way_out() -> None:
    troupe = Troupe(Patience(limit=1))
    try:
        troupe.start(BOARD)
        troupe.follow((_settings("asha", 1, 1),))
        troupe.tell(follower_name("asha"), Crash())
        troupe.advance(1)
        troupe.tell(follower_name("asha"), Crash())
        board = troupe.playing(BOARD)
        assert board is not None
        (alert,) = [told for told in board.told if isinstance(told, Alert)]
        assert (alert.where, alert.what) == (
            "asha",
            "parked: it crashed 2 times within 60 s (RuntimeError)",
        )
        assert "pause and resume it" in alert.fix
    finally:
        troupe.close()
