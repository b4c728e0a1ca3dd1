"""What is placed for a leader's order, and when nothing is (scenarios 1, 5, 6, 8)."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest

from domain.copies import CopyState, Skipped
from domain.copybook import CopyBook
from domain.instruments import InstrumentKey, Segment
from domain.messages import OrderSeen
from domain.orders import OrderType, Product, Side, Status, Terms, Validity
from domain.outcomes import Accepted, NotSent, Recalled, Refusal, Refused, Throttled
from domain.rules import Mood
from domain.sizing import Multiplier
from domain.steps import Done, Hold, Modify, Place, Skip, Why
from tests.domain.builders import (
    HALF,
    KEY,
    MARKET,
    NOON,
    RULES,
    after,
    filled,
    leader_order,
    terms,
)
from tests.domain.pair import Pair

SL, SLM = OrderType.STOP_LOSS, OrderType.STOP_LOSS_MARKET


@pytest.mark.parametrize(
    ("asked", "side", "copied"),
    [
        (terms(200), Side.BUY, terms(100)),
        (terms(200, SL, 10_000, 9_950), Side.BUY, terms(100, SL, 10_000, 9_950)),
        (terms(200, validity=Validity.IOC), Side.SELL, terms(100, validity=Validity.IOC)),
        (MARKET, Side.BUY, terms(100, price=10_605)),
        (MARKET, Side.SELL, terms(100, price=10_395)),
        (terms(200, SLM, 0, 9_950), Side.BUY, terms(100, SL, 10_045, 9_950)),
        (terms(200, SLM, 0, 9_950), Side.SELL, terms(100, SL, 9_855, 9_950)),
        (terms(200, disclosed=100), Side.BUY, terms(100, disclosed=50)),
        (terms(150), Side.BUY, terms(50)),
    ],
)
def test_s1_1_and_s1_3_the_leaders_terms_scaled(asked: Terms, side: Side, copied: Terms) -> None:
    assert Pair(leader_order(terms=asked, side=side), ltp=10_500).placed() == copied


@pytest.mark.parametrize("asked", [MARKET, replace(MARKET, validity=Validity.IOC)])
def test_s8_8_a_market_order_without_any_price_known_stays_one(asked: Terms) -> None:
    assert Pair(leader_order(terms=asked)).placed() == replace(asked, quantity=100)


def test_s1_1_1_the_leaders_own_average_is_the_best_reference() -> None:
    order = filled(leader_order(terms=MARKET), 200, price=10_005)
    assert Pair(order, ltp=10_500).placed().price == 10_105


def test_fills_told_without_a_price_are_no_reference() -> None:
    """Else an order to sell would be limited to a tick: to any price at all."""
    order = filled(leader_order(terms=MARKET, side=Side.SELL), 200, price=0)
    assert Pair(order, ltp=10_500).placed().price == 10_395


def test_s1_2_the_product_is_the_leaders_unless_it_is_mapped() -> None:
    step = Pair(leader_order(product=Product.CNC)).send()
    assert isinstance(step, Place)
    assert step.ticket.product is Product.CNC
    rules = replace(RULES, products=((Product.INTRADAY, Product.MARGIN),))
    for product, mine in ((Product.INTRADAY, Product.MARGIN), (Product.MTF, Product.MTF)):
        step = Pair(leader_order(product=product), rules).send()
        assert isinstance(step, Place)
        assert step.ticket.product is mine


def test_nothing_is_placed_before_the_leaders_order_is_at_the_exchange() -> None:
    pair = Pair(leader_order(status=Status.TRANSIT))
    assert pair.step() == Hold(Why.LEADER_TRANSIT)
    pair.at(1).lead(status=Status.UNREADABLE)
    assert pair.step() == Hold(Why.LEADER_UNREADABLE)
    pair.lead(status=Status.PENDING)
    assert isinstance(pair.step(), Place)


@pytest.mark.parametrize("status", [Status.REJECTED, Status.CANCELLED, Status.EXPIRED])
def test_s5_1_a_leaders_order_that_closed_unfilled_is_not_copied(status: Status) -> None:
    pair = Pair(leader_order(status=status, reason="RMS: margin"))
    assert pair.step() == Skip(Skipped.LEADER_CLOSED, "RMS: margin")
    assert pair.state is CopyState.SKIPPED
    assert pair.report.in_step


def test_what_a_cancelled_leader_order_got_is_taken_at_once_or_not_at_all() -> None:
    """Nothing of the leader's would ever cancel a copy that rests."""
    order = filled(leader_order(), 100, status=Status.CANCELLED)
    assert Pair(order).placed() == terms(50, validity=Validity.IOC)


@pytest.mark.parametrize(
    ("asked", "copied"),
    [
        (terms(200, SL, 10_000, 9_950), terms(100, price=10_000)),
        (terms(200, SLM, 0, 9_950), terms(100, price=10_050)),
    ],
)
def test_a_stop_that_has_done_its_work_is_copied_without_its_trigger(
    asked: Terms, copied: Terms
) -> None:
    """The exchange refuses a stop whose trigger has been passed: an exit would be lost."""
    assert Pair(filled(leader_order(terms=asked), 200, price=9_955)).placed() == copied


def test_a_copy_that_waits_for_its_trigger_keeps_it_when_the_leaders_stop_has_traded() -> None:
    pair = Pair(leader_order(terms=terms(200, SL, 10_000, 9_950)))
    pair.place()
    pair.lead(status=Status.TRADED, filled=200, traded_value=2_000_000)
    assert pair.step() == Hold(Why.RESTING)


def test_without_a_known_lot_a_contract_waits_and_a_share_does_not() -> None:
    book, contract = CopyBook(RULES), leader_order()
    book.seen(OrderSeen(contract, NOON, 1))
    assert book.step(contract.order_id, Mood.ACTIVE, True, NOON) == Hold(Why.INSTRUMENT)
    share = leader_order(order_id="5", instrument=InstrumentKey(Segment.NSE_EQ, "1333"))
    book.seen(OrderSeen(share, NOON, 1))
    assert isinstance(book.step("5", Mood.ACTIVE, True, NOON), Place)


def test_what_was_called_back_is_placed_at_once_by_another_name_and_as_it_is_wanted_then() -> None:
    pair = Pair()
    for number in range(3):
        pair.send()
        pair.lead(terms=terms(200, price=10_100 + number))
        assert pair.step() == Hold(Why.IN_FLIGHT)
        pair.answer(Recalled())
        step = pair.step()
        assert isinstance(step, Place)
        assert step.ticket.terms.price == 10_100 + number
    assert len({attempt.ticket.correlation_id for attempt in pair.copy.attempts}) == 3


def test_what_was_called_back_and_is_closed_by_then_is_never_placed() -> None:
    pair = Pair()
    pair.send()
    pair.lead(status=Status.CANCELLED)
    pair.answer(Recalled())
    step = pair.step()
    assert isinstance(step, Skip)
    assert step.reason is Skipped.LEADER_CLOSED


def test_a_change_that_was_called_back_is_asked_for_at_once() -> None:
    pair = Pair()
    pair.place()
    for price in (10_100, 10_200):
        pair.lead(terms=terms(200, price=price))
        step = pair.send()
        assert isinstance(step, Modify)
        assert step.terms.price == price
        pair.answer(Recalled())
    assert (pair.attempt.failures, pair.attempt.modifications) == (0, 0)


def test_what_was_called_back_makes_no_later_pause_longer() -> None:
    pair, pauses = Pair(), list[timedelta]()
    for outcome in (Recalled(), Recalled(), Throttled("429"), Recalled(), Throttled("429")):
        pair.send()
        pair.answer(outcome)
        held = pair.step()
        if isinstance(held, Hold):
            assert held.until is not None
            pauses.append(held.until - pair.now)
            pair.now = held.until
    assert pauses == [timedelta(milliseconds=250), timedelta(milliseconds=500)]


@pytest.mark.parametrize("outcome", [Throttled("429"), NotSent("no route")])
def test_s7_6_what_was_not_carried_out_is_placed_again_after_a_growing_pause(
    outcome: Throttled | NotSent,
) -> None:
    pair, pauses = Pair(), []
    for _ in range(4):
        pair.send()
        pair.answer(outcome)
        held = pair.step()
        assert isinstance(held, Hold)
        assert held.why is Why.RETRY
        assert held.until is not None
        pauses.append((held.until - pair.now) / timedelta(milliseconds=250))
        pair.now = held.until
    assert pauses == [1, 2, 4, 8]
    assert len({attempt.ticket.correlation_id for attempt in pair.copy.attempts}) == 4
    assert isinstance(pair.step(), Place)


@pytest.mark.parametrize(
    "kind", [Refused.MARGIN, Refused.PRICE, Refused.QUANTITY, Refused.INPUT, Refused.OTHER]
)
def test_s5_2_a_refused_copy_is_not_tried_again(kind: Refused) -> None:
    pair = Pair()
    pair.send()
    pair.answer(Refusal(kind, "short by 1,234.50"))
    assert pair.at(29).step() == Done()
    assert (pair.state, pair.report.reason) == (CopyState.REJECTED, f"{kind}: short by 1,234.50")


@pytest.mark.parametrize(
    ("kind", "seconds"),
    [(Refused.TOKEN, 0.25), (Refused.ADDRESS, 0.25), (Refused.MARKET_CLOSED, 1)],
)
def test_s5_2_where_a_retry_can_help_it_is_tried_again(kind: Refused, seconds: float) -> None:
    pair = Pair(rules=replace(RULES, max_age=timedelta(hours=1)))
    pair.send()
    pair.answer(Refusal(kind, "no"))
    assert pair.step() == Hold(Why.RETRY, after(seconds))
    step = pair.at(seconds).send()
    assert isinstance(step, Place)
    assert step.number == 1


def test_s5_2_a_copy_that_the_exchange_rejects_is_not_tried_again() -> None:
    pair = Pair()
    pair.place(Status.TRANSIT)
    pair.hear(status=Status.REJECTED, reason="RMS: short")
    assert pair.step() == Done()
    assert (pair.state, pair.report.reason) == (CopyState.REJECTED, "RMS: short")


def test_a_new_attempt_never_takes_the_number_of_an_older_one() -> None:
    """After a restart numbers may have gaps, and the ledger takes no name twice."""
    pair = Pair()
    pair.send()
    pair.answer(NotSent("no route"))
    attempt = replace(pair.attempt, number=4)
    pair.book.restore([replace(pair.copy, attempts=(attempt,))], pair.now)
    step = pair.at(20).send()
    assert isinstance(step, Place)
    assert step.number == 5
    assert step.ticket.correlation_id.endswith("-5")


def test_an_intent_that_was_not_recorded_leaves_no_trace() -> None:
    pair = Pair()
    first = pair.send()
    pair.book.unrecorded(pair.sent[-1])
    assert pair.copy.attempts == ()
    assert pair.send() == first
    pair.answer(Accepted("20000"))
    pair.lead(terms=terms(400))
    modify = pair.send()
    pair.book.unrecorded(pair.sent[-1])
    assert pair.send() == modify


def test_other_rules_size_what_was_not_placed_yet() -> None:
    waiting, standing = Pair(leader_order(status=Status.TRANSIT)), Pair()
    standing.place()
    for pair in (waiting, standing):
        pair.book.resize(replace(RULES, sizing=Multiplier(Fraction(2))))
        pair.lead(status=Status.PENDING)
    assert waiting.placed().quantity == 400
    assert standing.copy.sizing == HALF
    assert standing.step() == Hold(Why.RESTING)


def test_the_master_is_believed_rather_than_events_and_prices_are_kept() -> None:
    pair = Pair(leader_order(terms=MARKET), ltp=10_000)
    pair.book.listings.price(KEY, 20_000, pair.now)
    pair.book.listings.price(KEY, None, pair.now)
    assert pair.placed().price == 20_200
