"""Every actor crashed at every kind of message that it takes, with orders in flight: by the
broker's books nothing is lost and nothing doubled."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import pytest

from actors.ledger import Recall
from actors.post import BOARD, FEED, INSTRUMENTS, LEDGER, LIMITER, MARKET_CLOCK, RECOVERY, TOKENS
from domain.inputs import InstrumentsMissed
from domain.instructions import Instruction, Verdict
from domain.instruments import InstrumentKey, Listing, Segment
from domain.messages import (
    Alert,
    FeedRefused,
    Level,
    Tick,
    TokenRefused,
    TokenRenewed,
    Unlisted,
)
from tests.actors.sabotage import AFTER, BEFORE, UNSENT, Saboteur
from tests.actors.shop import LEADER, ONE
from tests.actors.stage import Stage
from tests.ledger.makers import intent
from tests.waiting import eventually

FOLLOWER = "follower:one"
_TESTS_ON_A_STAGE = 10


@pytest.fixture(scope="module")
def saboteur() -> Iterator[Saboteur]:
    """Sits in every mailbox."""
    waiting = Saboteur()
    with pytest.MonkeyPatch.context() as patch:
        waiting.install(patch)
        yield waiting


class Stages:
    """One stage after another: each is left after some tests, before its books grow long."""

    def __init__(self, factory: pytest.TempPathFactory) -> None:
        self._factory = factory
        self._stage: Stage | None = None
        self._left = 0

    def take(self) -> Stage:
        """A stage where trading goes on, with every account listened to."""
        if self._stage is None or not self._left:
            self.close()
            self._stage = Stage.set_up(self._factory.mktemp("stage"))
            self._left = _TESTS_ON_A_STAGE
        self._left -= 1
        self._stage.listens()
        return self._stage

    def close(self) -> None:
        """Leave the stage."""
        if self._stage is not None:
            self._stage.close()


@pytest.fixture(scope="module")
def stages(saboteur: Saboteur, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stages]:
    """All stages of this file."""
    opened = Stages(tmp_path_factory)
    yield opened
    opened.close()


Provoke = Callable[[Stage], object]


def _nothing(stage: Stage) -> None:
    """Trading brings it by itself."""


def _crash(name: str) -> Provoke:
    return lambda stage: stage.crash(name)


def _tell(name: str, message: object) -> Provoke:
    return lambda stage: stage.engine.post.tell(name, message)


def _cut(account: str) -> Provoke:
    return lambda stage: stage.control.cut(account)


def _alert(stage: Stage) -> None:
    stage.engine.alert(Alert(Level.NOTE, "a test", "here"))


def _edit(stage: Stage) -> None:
    stage.timeout += 1.0
    stage.follow()


def _throttle(stage: Stage) -> None:
    stage.control.fault(ONE, "place", "throttle")
    stage.buys(2300)


def _lock(stage: Stage) -> None:
    """Have a request refused by a ledger that somebody else keeps locked."""
    with closing(sqlite3.connect(stage.folder / "shop.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        before = _ledger_alerts(stage)
        stage.buys(2300)
        eventually(lambda: _ledger_alerts(stage) > before, why="it is not told")
        other.execute("ROLLBACK")


def _ledger_alerts(stage: Stage) -> int:
    return sum("cannot be written" in alert.what for alert in stage.engine.view().alerts)


def _recall(stage: Stage) -> None:
    """Have something called back that has left."""
    line: Any = SimpleNamespace(recall=lambda key: None)
    stage.engine.post.tell(LEDGER, Recall(intent(), line))


_NOBODYS = InstrumentKey(Segment.NSE_EQ, "1")
_WORD = Instruction("0", "1", "one", 0, Verdict.ABSENT, "")

# Of each actor, the kinds of messages that it takes, and what brings them about.
MESSAGES: dict[str, dict[str, Provoke]] = {
    BOARD: {
        "CopyChanged": _nothing,
        "LeaderOrder": _nothing,
        "MoodChanged": _crash(FOLLOWER),
        "FeedLive": _crash(FOLLOWER),
        "FeedLost": _cut(ONE),
        "FeedRefused": _tell(BOARD, FeedRefused(ONE, "a test")),
        "SessionChanged": _crash(MARKET_CLOCK),
        "Alert": _alert,
        "Roster": Stage.follow,
    },
    LEDGER: {
        "Dispatch": _nothing,
        "Journaled": _nothing,
        "Recall": _recall,
        "Record OrderKnown": _nothing,
        "Record Answered": _nothing,
        "Record CopyChanged": _nothing,
        "Record Alert": _alert,
        "Record Setting": _crash(FOLLOWER),
        "Restore": _crash(FOLLOWER),
        "RestoreLeader": _crash(RECOVERY),
        "UsesWanted": _crash(LIMITER),
        "ReadDone": _nothing,
        "Tick": _nothing,
    },
    LIMITER: {
        "AccountOpened": _crash(FOLLOWER),
        "UsesTold": _crash(FOLLOWER),
        "PermitUsed": _nothing,
        "PermitsWanted": _nothing,
        "PermitsReturned": _throttle,
        "BackedOff": _throttle,
        "Tick": _tell(LIMITER, Tick(ONE)),
    },
    MARKET_CLOCK: {"Tick": _tell(MARKET_CLOCK, Tick("session"))},
    INSTRUMENTS: {
        "Tick": _tell(INSTRUMENTS, Tick("look")),
        "Unlisted": _tell(INSTRUMENTS, Unlisted("one", (_NOBODYS,))),
    },
    RECOVERY: {
        "OrderSeen": _nothing,
        "Swept": _nothing,
        "LeaderRestored": _crash(RECOVERY),
        "TradesAnswered": _crash(FEED),
        "Tick": _nothing,
        "SweepWanted": _crash(FOLLOWER),
        "FeedLive": _crash(FEED),
        "FeedLost": _cut(LEADER),
        "BoardRestarted": _crash(BOARD),
    },
    FEED: {
        "FrameHeard": _nothing,
        "FeedLive": _crash(FEED),
        "FeedLost": _cut(LEADER),
        "FeedRefused": _tell(FEED, FeedRefused(LEADER, "a test")),
        "TokenRenewed": _tell(FEED, TokenRenewed()),
    },
    TOKENS: {
        "Tick": _tell(TOKENS, Tick("look")),
        "TokenRefused": _tell(TOKENS, TokenRefused(FEED)),
    },
    FOLLOWER: {
        "OrderSeen": _nothing,
        "Answered": _nothing,
        "PermitsGranted": _nothing,
        "FrameHeard": _nothing,
        "BookAnswered": _nothing,
        "PositionsAnswered": _nothing,
        "Tick": _nothing,
        "SessionChanged": _crash(MARKET_CLOCK),
        "NotRecorded": _lock,
        "FeedLive": _crash(FOLLOWER),
        "FeedLost": _cut(ONE),
        "FeedRefused": _tell(FOLLOWER, FeedRefused(ONE, "a test")),
        "Restored": _crash(FOLLOWER),
        "AddressesAnswered": _crash(FOLLOWER),
        "TokenRenewed": _tell(FOLLOWER, TokenRenewed()),
        "MasterRenewed": _crash(INSTRUMENTS),
        "InstrumentsMissed": _tell(FOLLOWER, InstrumentsMissed((_NOBODYS,), Listing.PRESUMED)),
        "Instruction": _tell(FOLLOWER, _WORD),
        "Configured": _edit,
        "BoardRestarted": _crash(BOARD),
        "LimiterRestarted": _crash(LIMITER),
    },
}
# What is asked has an answer or an exception, and no crash; Poison is the crash itself.
_ELSEWHERE = {"Look", "Settle", "Drain", "Poison", "NoneType"}
CASES = [
    (actor, kind, when)
    for actor, kinds in MESSAGES.items()
    for kind in kinds
    for when in (BEFORE, AFTER, *([UNSENT] if kind == "Dispatch" else []))
]


@pytest.mark.scenario("9.2")
@pytest.mark.parametrize(("actor", "kind", "when"), CASES)
def test_nothing_is_lost_or_doubled(
    stages: Stages, saboteur: Saboteur, actor: str, kind: str, when: str
) -> None:
    stage = stages.take()
    resting = stage.buys(2400)
    with saboteur.at(actor, kind, when):
        dropped = stage.buys(2405)
        stage.buys(2520)
        MESSAGES[actor][kind](stage)
        late = stage.buys(2402, quantity=5)
        assert saboteur.struck.wait(10), "it took no such message"
    stage.changes(resting, price=2390, quantity=12)
    stage.cancels(dropped)
    stage.settles()
    stage.cancels(resting)
    stage.cancels(late)
    stage.settles()


def test_every_kind_of_message_was_among_them(saboteur: Saboteur) -> None:
    """What the actors took while all this went on is what they were made to crash at."""
    known = {(actor, kind) for actor, kinds in MESSAGES.items() for kind in kinds}
    taken = {one for one in saboteur.taken if one[0] != "follower:two"}
    assert {one for one in taken - known if one[1] not in _ELSEWHERE} == set()
