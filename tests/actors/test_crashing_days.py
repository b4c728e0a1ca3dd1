"""Random trading while actors crash, sockets are cut and the roster is edited, in any order: by
the broker's books nothing is lost and nothing doubled."""

import logging
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from actors.post import BOARD, FEED, INSTRUMENTS, LEDGER, LIMITER, MARKET_CLOCK, RECOVERY
from tests.actors.shop import LEADER, ONE, TWO, Poison
from tests.actors.stage import ACCOUNTS, Stage

logger = logging.getLogger(__name__)

_ACTORS = (BOARD, FEED, INSTRUMENTS, LEDGER, LIMITER, MARKET_CLOCK, RECOVERY)
_FOLLOWERS = ("follower:one", "follower:two")


class Day:
    """A day on a stage: each step is told, and nobody waits for what comes of it."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._resting: list[str] = []
        self._price = 2400.0

    def places(self) -> None:
        """The leader bids below the market."""
        self._price -= 1
        self._resting.append(self._stage.buys(self._price))

    def buys(self) -> None:
        """The leader buys what is offered."""
        self._stage.buys(2520, quantity=3)

    def changes(self) -> None:
        """The leader changes what was bid last."""
        if self._resting:
            self._price -= 1
            self._stage.changes(self._resting[-1], price=self._price, quantity=7)

    def cancels(self) -> None:
        """The leader takes back what was bid first."""
        if self._resting:
            self._stage.cancels(self._resting.pop(0))

    def crashes(self, name: str) -> None:
        """An actor crashes, if it runs."""
        self._stage.engine.post.tell(name, Poison())

    def is_cut(self, account: str) -> None:
        """The order-update socket of an account ends."""
        self._stage.control.cut(account)

    def edits(self) -> None:
        """The roster changes what need not begin anew."""
        self._stage.timeout += 1.0
        self._stage.follow()

    def leaves_and_returns(self, account: str) -> None:
        """A follower is removed, and added again at once."""
        self._stage.follow([one for one in ACCOUNTS if one != account])
        self._stage.follow()


_steps: st.SearchStrategy[Callable[[Day], None]] = st.one_of(
    st.sampled_from([Day.places, Day.buys, Day.changes, Day.cancels]),
    st.sampled_from([Day.places, Day.buys, Day.changes, Day.cancels]),
    st.sampled_from([partial(Day.crashes, name=name) for name in (*_ACTORS, *_FOLLOWERS)]),
    st.sampled_from([partial(Day.crashes, name=name) for name in (LEDGER, *_FOLLOWERS)]),
    st.sampled_from([partial(Day.is_cut, account=account) for account in (LEADER, ONE)]),
    st.sampled_from([Day.edits, partial(Day.leaves_and_returns, account=TWO)]),
)


@pytest.mark.scenario("9.2")
@given(steps=st.lists(_steps, min_size=20, max_size=30))
@settings(
    deadline=None,
    max_examples=6,
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_whatever_crashes_whenever(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Callable[[Day], None]]
) -> None:
    stage = Stage.set_up(tmp_path_factory.mktemp("day"))
    try:
        day = Day(stage)
        for step in steps:
            logger.info("%s", step)
            step(day)
        stage.settles()
    finally:
        stage.close()
