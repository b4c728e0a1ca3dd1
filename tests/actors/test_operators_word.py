"""A follower takes the operator's word once, and only after a look at the account."""

from collections.abc import Iterator
from dataclasses import replace

import pykka
import pytest

from actors.ledger import Record
from actors.operators_word import OperatorsWord
from actors.own_orders import OwnOrders
from actors.post import LEDGER, Post
from domain.copies import CopyState
from domain.inputs import Instructed
from domain.instructions import Instruction, Settled, Verdict
from domain.messages import Alert, Level
from domain.orders import Status
from ledger.entries import OrderKnown
from tests.domain.builders import FOLLOWER, LEADER_ORDER, after
from tests.domain.pair import Pair

ABSENT = Instruction("1", LEADER_ORDER, "asha", 0, Verdict.ABSENT, "")
PLACED = Instruction("2", LEADER_ORDER, "asha", 0, Verdict.PLACED, "30000")


class Ear(pykka.ThreadingActor):
    """Remembers what the ledger is told."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[object] = []

    def on_receive(self, message: object) -> object:
        if message == "what?":
            return list(self.heard)
        assert isinstance(message, Record)
        self.heard.append(message.entry)
        return None


class Desk:
    """A parked copy, and all that is said and asked for about it."""

    def __init__(self) -> None:
        self.pair = Pair().lose_answer()
        self.pair.at(130)
        self.pair.book.give_up(self.pair.now)
        self.looks = 0
        post = Post()
        self.ledger = Ear.start()
        post.register(LEDGER, self.ledger)
        self.own = OwnOrders(post, "asha", FOLLOWER, self.pair.book, self._look)
        self.word = OperatorsWord(post, self.pair.book, self.own, self._look)

    def _look(self) -> None:
        self.looks += 1

    def take(self, told: Instruction, read_at: float | None, now: float) -> bool:
        """Whether it is believed; then the copy is settled, as the follower does."""
        asked_at = None if read_at is None else after(read_at)
        for one in self.word.take(told, asked_at, after(now)):
            assert isinstance(one, Instructed)
            self.pair.book.resolve(one.instruction, one.shown)
            return True
        return False

    @property
    def entries(self) -> list[object]:
        """What the ledger was told to keep."""
        heard = self.ledger.ask("what?")
        assert isinstance(heard, list)
        return heard


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.ledger.stop()


@pytest.mark.parametrize("told", [ABSENT, PLACED])
def test_nothing_is_believed_or_refused_before_a_book_that_was_asked_for_since(
    desk: Desk, told: Instruction
) -> None:
    assert not desk.take(told, None, 140)
    assert not desk.take(told, 139.9, 141)
    assert (desk.looks, desk.entries) == (2, [])
    assert desk.pair.state is CopyState.PARKED


def test_it_is_taken_once_however_often_it_is_told(desk: Desk) -> None:
    desk.take(ABSENT, None, 140)
    assert desk.take(ABSENT, 140, 141)
    settled, alert = desk.entries
    assert settled == Settled(ABSENT, True, "taken", after(141), desk.pair.copy)
    assert isinstance(alert, Alert)
    assert (alert.level, alert.where) == (Level.NOTE, "asha")
    assert f"order {LEADER_ORDER} (absent): taken" in alert.what
    assert not desk.take(ABSENT, 142, 143)
    assert len(desk.entries) == 2


def test_the_named_order_is_recorded_before_the_word(desk: Desk) -> None:
    pair = desk.pair
    shown = replace(pair.own(), order_id="30000", correlation_id=None, status=Status.PENDING)
    desk.own.shown = {"30000": shown}
    desk.take(PLACED, None, 140)
    assert desk.take(PLACED, 140, 141)
    known, settled, _ = desk.entries
    assert known == OrderKnown("follower", shown)
    assert isinstance(settled, Settled)
    assert settled.copy == pair.copy
    assert pair.attempt.order_id == "30000"


def test_what_is_refused_is_said_with_the_reason_and_changes_nothing(desk: Desk) -> None:
    before = desk.pair.copy
    desk.take(PLACED, None, 140)
    assert not desk.take(PLACED, 140, 141)
    why = "refused: the account's order book does not show order 30000"
    settled, alert = desk.entries
    assert settled == Settled(PLACED, False, why, after(141))
    assert isinstance(alert, Alert)
    assert alert.level is Level.WARNING
    assert desk.pair.copy is before


def test_what_is_so_already_is_no_error_and_changes_nothing(desk: Desk) -> None:
    desk.pair.hear(order_id="30000", status=Status.PENDING)
    before = desk.pair.copy
    desk.take(PLACED, None, 140)
    assert not desk.take(PLACED, 140, 141)
    assert desk.entries[0] == Settled(PLACED, True, "it is known to be so already", after(141))
    assert desk.pair.copy is before


def test_a_later_word_waits_for_a_book_of_its_own(desk: Desk) -> None:
    desk.take(PLACED, None, 140)
    assert not desk.take(PLACED, 140, 141)
    assert not desk.take(ABSENT, 140, 141.5)
    assert desk.take(ABSENT, 142, 142.5)
