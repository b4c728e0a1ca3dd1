"""A follower whose day is lost asks for its own squaring off, under a key of the day."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pykka
import pytest

from actors.account import Account
from actors.day_loss import LossWatch
from actors.post import LEDGER, Post
from domain.copybook import CopyBook
from domain.halts import HaltAsked
from domain.limits import DayLoss, Limits
from domain.rules import Rules
from tests.actors.test_operators_word import Ear
from tests.domain.builders import NOON

LIMITS = Limits(day_loss=500_000, square_off=True)
LOST = DayLoss(NOON.date(), 500_000)


class Idle(Account):
    """An account of which nothing is asked here."""

    def __init__(self) -> None:
        pass


class Desk:
    """What the ledger is told by the watches of one follower's lives."""

    def __init__(self) -> None:
        self.ledger = Ear.start()
        self.post = Post()
        self.post.register(LEDGER, self.ledger)
        self.book = CopyBook(Rules("asha", limits=LIMITS))

    def life(self) -> LossWatch:
        return LossWatch(self.post, Idle(), self.book)

    @property
    def asked(self) -> list[HaltAsked]:
        heard = self.ledger.ask("what?")
        assert all(isinstance(one, HaltAsked) for one in heard)
        return list(heard)


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.ledger.stop()
    assert not pykka.ActorRegistry.get_by_urn(made.ledger.actor_urn)


def test_it_asks_once_in_a_life_and_once_more_in_the_next(desk: Desk) -> None:
    first = desk.life()
    desk.book.means.lost(replace(LOST, loss=499_999))
    first.square_off(NOON)
    assert desk.asked == []
    desk.book.means.lost(LOST)
    first.square_off(NOON)
    desk.book.means.lost(replace(LOST, loss=700_000))
    first.square_off(NOON)
    (asked,) = desk.asked
    desk.life().square_off(NOON)
    assert [one.key for one in desk.asked] == [asked.key] * 2


def test_it_asks_by_the_rules_and_on_the_day_of_now(desk: Desk) -> None:
    watch = desk.life()
    desk.book.means.lost(LOST)
    watch.square_off(NOON + timedelta(days=1))
    desk.book.resize(Rules("asha", limits=replace(LIMITS, square_off=False)))
    watch.square_off(NOON)
    assert desk.asked == []
    desk.book.resize(Rules("asha", limits=LIMITS))
    watch.square_off(NOON)
    assert len(desk.asked) == 1
