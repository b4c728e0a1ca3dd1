"""What a halt holds back, and what goes on under it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.attempts import Withdrawal
from domain.copies import CopyState, Skipped
from domain.halts import HaltAsked, Word, in_force, squared_off
from domain.limits import Limits
from domain.messages import OrderSeen
from domain.orders import Side, Status
from domain.rules import Mood, Rules
from domain.sessions import IST
from domain.steps import Cancel, Done, Hold, Modify, Place, Skip, Why
from tests.domain.builders import LOT, NOON, leader_order, stamp, terms
from tests.domain.pair import Pair


def asked(word: Word) -> HaltAsked:
    return HaltAsked("1", "asha", word, "operator", NOON)


@pytest.mark.parametrize(
    ("before", "word", "then"),
    [
        (None, Word.HALT, Word.HALT),
        (None, Word.RELEASE, None),
        (Word.HALT, Word.FLATTEN, Word.FLATTEN),
        (Word.FLATTEN, Word.KILL, Word.KILL),
        (Word.FLATTEN, Word.HALT, Word.FLATTEN),
        (Word.KILL, Word.FLATTEN, Word.KILL),
        (Word.KILL, Word.KILL, Word.KILL),
        (Word.KILL, Word.RELEASE, None),
    ],
)
def test_only_a_release_weakens(before: Word | None, word: Word, then: Word | None) -> None:
    standing = in_force(asked(before) if before else None, asked(word))
    assert (standing and standing.word) == then


LOSING = Rules("asha", limits=Limits(day_loss=500_000, square_off=True))


@pytest.mark.parametrize(
    ("limits", "loss", "by"),
    [
        (LOSING.limits, 499_999, None),
        (LOSING.limits, 500_000, "max_day_loss (the day's loss 5000.00, limit 5000.00)"),
        (LOSING.limits, 512_345, "max_day_loss (the day's loss 5123.45, limit 5000.00)"),
        (replace(LOSING.limits, square_off=False), 512_345, None),
        (Limits(square_off=True), 512_345, None),
    ],
)
def test_a_day_is_squared_off_at_its_limit(limits: Limits, loss: int, by: str | None) -> None:
    found = squared_off(replace(LOSING, limits=limits), loss, NOON)
    assert (found and found.by) == by
    assert found is None or (found.word, found.follower, found.at) == (Word.FLATTEN, "asha", NOON)


def test_a_day_in_india_has_one_word_that_squares_it_off() -> None:
    midnight = NOON.astimezone(IST).replace(hour=0, minute=0, second=0)
    later = midnight + timedelta(hours=23, minutes=59)
    raised = replace(LOSING, limits=replace(LOSING.limits, day_loss=600_000))
    keys = [
        asked.key
        for rules, loss, at in (
            (LOSING, 500_000, midnight),
            (raised, 700_000, later),
            (replace(LOSING, follower="birju"), 500_000, later),
            (LOSING, 500_000, midnight + timedelta(days=1)),
        )
        if (asked := squared_off(rules, loss, at)) is not None
    ]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


def halted(mood: Mood = Mood.HALTED) -> Pair:
    """A copy of 100 of the leader's 200, open when the follower is halted."""
    pair = Pair()
    pair.place()
    pair.mood = mood
    return pair


@pytest.mark.parametrize("mood", [Mood.HALTED, Mood.FLATTENED])
def test_an_entry_is_not_placed_and_never_later(mood: Mood) -> None:
    pair = Pair()
    pair.mood = mood
    step = pair.step()
    assert step == Skip(Skipped.HALTED)
    pair.book.skip(pair.leader.order_id, step)
    assert (pair.state, pair.report.in_step) == (CopyState.SKIPPED, True)
    pair.mood = Mood.ACTIVE
    assert pair.step() == Done()


def test_what_is_open_is_followed_in_price_but_not_raised() -> None:
    pair = halted()
    assert pair.step() == Hold(Why.RESTING)
    pair.lead(terms=terms(400, price=9_900))
    step = pair.step()
    assert isinstance(step, Modify)
    assert step.terms == terms(100, price=9_900)
    pair.modify()
    assert pair.step() == Hold(Why.RESTING)


def test_what_is_open_is_made_smaller_and_cancelled() -> None:
    pair = halted()
    pair.lead(terms=terms(100))
    assert pair.modify().terms.quantity == LOT
    pair.lead(status=Status.CANCELLED)
    assert pair.cancel() == Cancel("20000", Withdrawal.LEADER)


def leaves(pair: Pair, quantity: int) -> str:
    """The leader, who has bought 200, sells so many; the order's id."""
    pair.leader_trades()
    pair.fill(100)
    told = replace(leader_order(terms=terms(quantity)), order_id="7", side=Side.SELL)
    pair.book.seen(OrderSeen(replace(told, stamp=stamp(1)), NOON, 1))
    return told.order_id


@pytest.mark.parametrize(("leaders", "mine"), [(100, 50), (200, 100), (600, 100)])
def test_exits_go_on_and_open_nothing_on_the_other_side(leaders: int, mine: int) -> None:
    pair = halted()
    order_id = leaves(pair, leaders)
    step = pair.book.step(order_id, pair.mood, True, pair.now)
    assert isinstance(step, Place)
    assert (step.ticket.side, step.ticket.terms.quantity) == (Side.SELL, mine)


def test_a_flattened_follower_follows_no_exit() -> None:
    pair = halted(Mood.FLATTENED)
    order_id = leaves(pair, 200)
    step = pair.book.step(order_id, pair.mood, True, pair.now)
    assert step == Skip(Skipped.HALTED)


def test_a_flattened_followers_copy_is_cancelled_and_not_entered_again() -> None:
    pair = halted(Mood.FLATTENED)
    assert pair.cancel() == Cancel("20000", Withdrawal.HALTED)
    assert pair.step() == Done()
    assert (pair.state, pair.report.in_step) == (CopyState.CANCELLED, True)
    assert pair.report.reason == "the follower is flattened"
    pair.mood = Mood.ACTIVE
    pair.lead(terms=terms(400))
    assert pair.step() == Done()


def test_a_flattened_follower_cancels_in_a_closed_market_and_not_while_parked() -> None:
    pair = halted(Mood.FLATTENED)
    pair.open = False
    assert isinstance(pair.step(), Cancel)
    pair.mood = Mood.PARKED
    assert pair.step() == Hold(Why.ACCOUNT)
