"""A process that died and comes again finds everything out before it goes on (7.7)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.attempts import Withdrawal
from domain.built import Built
from domain.messages import OrderSeen
from domain.orders import Order, Product, Side, Status
from domain.outcomes import Refusal, Refused, Throttled
from domain.rules import Mood, Rules
from domain.steps import Cancel, Hold, Modify, Place, Skip, Step, Why
from tests.domain.builders import KEY, RULES, SHARE, after, leader_order, stamp, terms
from tests.domain.pair import Pair

PATIENT = replace(RULES, max_age=timedelta(hours=9))
SHUT = Refusal(Refused.MARKET_CLOSED, "closed")


def test_s7_7_after_a_restart_what_was_in_flight_is_looked_for_however_old_it_is() -> None:
    """Parking counts from the restart too: else a copy would be given up unlooked for."""
    sent = Pair(rules=PATIENT)
    sent.send()
    for pair in (sent, Pair(rules=PATIENT).lose_answer()):
        pair.book.restore([pair.copy], after(3_600))
        assert pair.book.give_up(after(3_601)) == []
        assert pair.at(3_601).step() == Hold(Why.UNKNOWN_OUTCOME)
        pair.read()
        assert pair.step() == Hold(Why.UNKNOWN_OUTCOME)
        for seconds in (3_611, 3_614):
            pair.at(seconds).read()
        assert isinstance(pair.step(), Place)


def test_s7_7_a_cancel_that_a_crash_interrupted_still_makes_room_for_the_next_attempt() -> None:
    pair = Pair(rules=replace(PATIENT, modification_cap=1))
    pair.place()
    pair.lead(terms=terms(price=10_050))
    pair.modify()
    pair.lead(terms=terms(price=10_100))
    assert pair.send() == Cancel("20000", Withdrawal.REPLACED)
    pair.book.restore([pair.copy], after(5))
    pair.at(5).hear(status=Status.CANCELLED)
    assert isinstance(pair.at(6).step(), Place), "the leader's order is open, the copy is not"


def test_s7_7_a_change_that_a_crash_interrupted_is_made_again() -> None:
    pair = Pair()
    pair.place()
    pair.lead(terms=terms(price=10_050))
    pair.send()
    pair.book.restore([pair.copy], after(5))
    assert isinstance(pair.at(5.25).step(), Modify)


def test_a_refusal_that_waits_still_waits_after_a_crash() -> None:
    """Else whatever crashes on an answer would ask again at once, as often as it crashes."""
    pair = Pair(rules=PATIENT)
    pair.send()
    pair.answer(SHUT)
    before = pair.step()
    assert before == Hold(Why.RETRY, after(1))
    for seconds in (0.1, 0.2, 0.9):
        pair.book.restore([pair.copy], after(seconds))
        assert pair.at(seconds).step() == before
    assert isinstance(pair.at(1).step(), Place)


def test_a_pause_by_a_clock_that_was_set_back_ends_all_the_same() -> None:
    """It is no longer than by a clock that nobody touched."""
    for came, pause in ((Throttled("too many requests"), 0.25), (SHUT, 1)):
        pair = Pair(rules=PATIENT)
        pair.at(3_600).send()
        pair.answer(came)
        pair.book.restore([pair.copy], after(1))
        held = pair.at(1).step()
        assert held == Hold(Why.RETRY, after(1 + pause))
        assert isinstance(pair.at(1 + pause).step(), Place)


def test_so_does_a_pause_of_a_change() -> None:
    """A cancel is worth most of all."""
    pair = Pair(rules=PATIENT)
    pair.place()
    pair.lead(status=Status.CANCELLED)
    pair.at(3_600).send()
    pair.answer(Throttled("too many requests"))
    pair.book.restore([pair.copy], after(5))
    assert isinstance(pair.at(6).step(), Cancel)


OVERNIGHT = leader_order(product=Product.MARGIN)
OTHER = SHARE.key
TOMORROW = 86_400


def late(pair: Pair, seconds: float, **said: Any) -> Step:
    """The step for an order that the leader placed while nobody looked, an hour too late."""
    said.setdefault("product", Product.MARGIN)
    then = seconds - 3_600
    order = leader_order(order_id="99", stamp=stamp(int(then)), **said)
    pair.book.seen(OrderSeen(order, after(then), 1))
    return pair.book.step("99", Mood.ACTIVE, True, after(seconds))


def again(*pairs: Pair, at: float = 0, rules: Rules = RULES, built: Sequence[Built] = ()) -> Pair:
    """Another process, that is told by the ledger of the copies and of their orders as they were;
    Dhan's book shows another order only, as it knows none of another day."""
    other = Pair(leader_order(order_id="77", instrument=OTHER), rules)
    orders = [pair.leader for pair in pairs]
    other.book.restore([pair.copy for pair in pairs], after(at), orders, built)
    return other


def holding(order: Order = OVERNIGHT, rules: Rules = RULES) -> Pair:
    """The leader's order has traded, and the copy of half of it."""
    pair = Pair(order, rules)
    pair.place()
    pair.leader_trades()
    pair.fill(100)
    return pair


@pytest.mark.parametrize("seconds", [60, TOMORROW, 4 * TOMORROW])
def test_an_exit_is_never_too_late_however_long_ago_its_position_was_built(seconds: int) -> None:
    def step(**said: Any) -> Step:
        return late(again(holding(), at=seconds), seconds, **said)

    out = step(side=Side.SELL)
    assert isinstance(out, Place)
    assert out.ticket.terms.quantity == 100
    assert isinstance(step(side=Side.BUY), Skip)
    assert isinstance(step(side=Side.SELL, product=Product.CNC), Skip)


def test_a_sold_position_is_exited_by_buying() -> None:
    sold = holding(replace(OVERNIGHT, side=Side.SELL))
    assert isinstance(late(again(sold, at=TOMORROW), TOMORROW, side=Side.BUY), Place)
    assert isinstance(late(again(sold, at=TOMORROW), TOMORROW, side=Side.SELL), Skip)


def test_a_position_that_copies_closed_again_is_none() -> None:
    out = holding(replace(OVERNIGHT, order_id="78", side=Side.SELL))
    later = again(holding(), out, at=TOMORROW)
    assert later.book.position(KEY, Product.MARGIN) == 0
    assert isinstance(late(later, TOMORROW, side=Side.SELL), Skip)


def test_the_products_of_leader_and_follower_may_differ() -> None:
    """The leader's MARGIN is this follower's CNC, and so are its exits."""
    mapped = replace(RULES, products=((Product.MARGIN, Product.CNC),))
    out = late(again(holding(rules=mapped), at=TOMORROW, rules=mapped), TOMORROW, side=Side.SELL)
    assert isinstance(out, Place)
    assert out.ticket.product is Product.CNC


@pytest.mark.parametrize(
    ("leaders", "mine"),
    [
        (Product.INTRADAY, Product.INTRADAY),
        (Product.INTRADAY, Product.CNC),
        (Product.MARGIN, Product.INTRADAY),
    ],
)
def test_what_is_intraday_is_gone_the_next_day(leaders: Product, mine: Product) -> None:
    """The broker squares it off: a late sale would open a position, not close one."""
    rules = replace(RULES, products=((leaders, mine),))
    built = holding(replace(OVERNIGHT, product=leaders), rules)
    sale: dict[str, Any] = {"side": Side.SELL, "product": leaders}
    assert isinstance(late(again(built, at=7_200, rules=rules), 7_200, **sale), Place)
    for pair in (again(built, at=TOMORROW, rules=rules), built):
        assert isinstance(late(pair, TOMORROW, **sale), Skip)
        assert pair.book.position(KEY, leaders) == 0


def test_what_older_copies_built_counts_with_the_rest() -> None:
    def step(leader: int, mine: int) -> Step:
        built = Built(KEY, Product.MARGIN, leader, mine)
        return late(again(holding(), at=TOMORROW, built=[built]), TOMORROW, side=Side.SELL)

    assert isinstance(step(-200, -100), Skip), "the position is closed"
    out = step(200, 0)
    assert isinstance(out, Place)
    assert out.ticket.terms.quantity == 50, "half of the leader's position, half of mine"


def test_what_a_copy_of_yesterday_trades_today_counts() -> None:
    """As an after-market order does that was placed after the close."""
    pair = Pair(OVERNIGHT)
    pair.place()
    pair.leader_trades()
    later = again(pair, at=TOMORROW)
    assert later.book.position(KEY, Product.MARGIN) == 0
    traded = pair.own(filled=100, traded_value=1_000_000, status=Status.TRADED)
    assert later.book.heard(traded) == pair.leader.order_id
    assert later.book.position(KEY, Product.MARGIN) == 100


def test_an_order_that_is_told_again_counts_once() -> None:
    """Dhan's book may still show the orders of the day before when a new one begins."""
    built = holding()
    later = again(built, at=TOMORROW)
    later.book.seen(OrderSeen(built.leader, after(0), 1))
    out = late(later, TOMORROW, side=Side.SELL)
    assert isinstance(out, Place)
    assert out.ticket.terms.quantity == 100


def test_a_copy_that_fell_short_yesterday_does_not_catch_up() -> None:
    """The leader holds 200, the follower got 50 of its 100, and leaves with these 50."""
    pair = Pair(OVERNIGHT)
    pair.place()
    pair.leader_trades()
    pair.fill(50)
    out = late(again(pair, at=TOMORROW), TOMORROW, side=Side.SELL)
    assert isinstance(out, Place)
    assert out.ticket.terms.quantity == 50
