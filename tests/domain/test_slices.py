"""What is too much for one order of the exchange is several orders of one copy (scenario 1.8)."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.attempts import Withdrawal
from domain.copies import CopyState
from domain.instruments import Instrument, InstrumentKey, Segment
from domain.limits import Limits
from domain.messages import OrderSeen
from domain.orders import Order, OrderType, Side, Status, Validity
from domain.outcomes import Accepted, Refusal, Refused, Throttled, Unknown
from domain.rules import Mood
from domain.sizing import Exit, Multiplier
from domain.slices import shared
from domain.steps import Cancel, Done, Hold, Modify, Place, Skip
from tests.domain.builders import CONTRACT, LOT, NOON, RULES, leader_order, stamp, terms
from tests.domain.pair import Pair

scenario = pytest.mark.scenario
FROZEN = replace(CONTRACT, freeze=201)
NO_LIMITS = Limits()
TWICE = replace(RULES, sizing=Multiplier(Fraction(2)))


def pair(quantity: int = 250, limits: Limits = NO_LIMITS) -> Pair:
    """A follower who takes twice the leader's quantity, at most 200 shares an order."""
    made = Pair(leader_order(terms=terms(quantity)), replace(TWICE, limits=limits))
    made.book.listings.learn((FROZEN,))
    return made


def placed(made: Pair, count: int) -> list[Place]:
    """So many orders go out one after the other, are taken, and stand."""
    sent = []
    for number in range(count):
        step = made.send()
        assert isinstance(step, Place)
        sent.append(step)
        assert step.number == number
    for number in range(count):
        made.answer(Accepted(f"2000{number}", "TRANSIT"), to=number)
        made.hear(number, status=Status.PENDING)
    return sent


def placed_anew(made: Pair, count: int) -> list[Place]:
    """So many orders more go out and are taken."""
    sent = [made.send() for _ in range(count)]
    places = [step for step in sent if isinstance(step, Place)]
    assert len(places) == count
    for at, step in enumerate(places):
        made.answer(Accepted(f"2000{step.number}", "TRANSIT"), to=at - count)
    return places


def sized(made: Pair, exits: Order) -> Exit:
    """How much of the follower's position an exit of the leader takes, once it is told."""
    made.book.seen(OrderSeen(exits, NOON, 1))
    sizing = made.book.copies[exits.order_id].sizing
    assert isinstance(sizing, Exit)
    return sizing


@pytest.mark.parametrize(
    ("freeze", "lot", "most"),
    [(1756, 65, 1755), (901, 30, 900), (1800, 75, 1725), (20, 65, 65), (None, 65, None)],
)
def test_the_most_of_an_order_is_whole_lots_under_the_freeze_quantity(
    freeze: int | None, lot: int, most: int | None
) -> None:
    nifty = Instrument(InstrumentKey(Segment.NSE_FNO, "40001"), lot=lot, tick=5, freeze=freeze)
    assert nifty.most == most


@scenario("1.8")
def test_all_slices_go_at_once_each_by_its_own_name() -> None:
    made = pair()
    sent = placed(made, 3)
    assert [step.ticket.terms.quantity for step in sent] == [200, 200, 100]
    assert [step.slice_number for step in sent] == [0, 1, 2]
    names = [step.ticket.correlation_id for step in sent]
    assert [name.split("-", 1)[1] for name in names] == ["0-0", "1-1", "2-2"]
    assert isinstance(made.step(), Hold)
    report = made.report
    assert (report.quantity, report.filled, report.state) == (500, 0, CopyState.OPEN)
    assert report.order_ids == ("20000", "20001", "20002")
    assert report.correlation_ids == tuple(names)
    assert report.in_step


@scenario("1.8")
def test_fills_of_all_slices_are_one_copys() -> None:
    made = pair()
    placed(made, 3)
    made.hear(1, status=Status.TRADED, filled=200, traded_value=200 * 10_000)
    assert (made.report.state, made.report.filled) == (CopyState.PART_FILLED, 200)
    made.hear(0, status=Status.TRADED, filled=200, traded_value=200 * 10_000)
    made.hear(2, status=Status.TRADED, filled=100, traded_value=100 * 10_100)
    made.leader_trades(250)
    assert (made.report.state, made.report.filled) == (CopyState.FILLED, 500)
    assert made.report.traded_value == 400 * 10_000 + 100 * 10_100
    assert made.report.in_step
    assert made.step() == Done()


@scenario("1.8")
def test_a_new_price_reaches_every_slice() -> None:
    made = pair()
    placed(made, 3)
    made.lead(terms=terms(250, price=10_050))
    changed = [made.send() for _ in range(3)]
    assert all(isinstance(step, Modify) and step.terms.price == 10_050 for step in changed)
    assert [step.order_id for step in changed if isinstance(step, Modify)] == [
        "20000",
        "20001",
        "20002",
    ]


@scenario("1.8")
@pytest.mark.parametrize(
    ("quantity", "expected"),
    [
        (200, [("cancel", "20002", 0)]),
        (150, [("cancel", "20002", 0), ("modify", "20001", 100)]),
        (300, [("modify", "20002", 200)]),
        (325, [("modify", "20002", 200), ("place", "", 50)]),
        (100, [("cancel", "20001", 0), ("cancel", "20002", 0)]),
    ],
)
def test_a_new_quantity_changes_the_last_slices(
    quantity: int, expected: list[tuple[str, str, int]]
) -> None:
    made = pair()
    placed(made, 3)
    made.lead(terms=terms(quantity))
    done = []
    while not isinstance(step := made.step(), Hold | Done):
        made.send()
        match step:
            case Cancel(order_id, why):
                assert why is Withdrawal.REDUCED
                done.append(("cancel", order_id, 0))
            case Modify(order_id, changed):
                done.append(("modify", order_id, changed.quantity))
            case Place(ticket):
                done.append(("place", "", ticket.terms.quantity))
    assert done == expected


@scenario("1.8")
def test_the_leaders_cancel_reaches_every_slice() -> None:
    made = pair()
    placed(made, 3)
    made.fill(50)  # of the one that needs most attention
    made.lead(status=Status.CANCELLED)
    steps = [made.send() for _ in range(3)]
    assert {step.order_id for step in steps if isinstance(step, Cancel)} == {
        "20000",
        "20001",
        "20002",
    }
    assert isinstance(made.step(), Hold)


@scenario("1.8")
def test_what_became_of_one_slice_keeps_no_other_back() -> None:
    made = pair()
    for _ in range(3):
        made.send()
    made.answer(Accepted("20000"), to=0)
    made.answer(Refusal(Refused.MARGIN, "short of 5000"), to=1)
    made.answer(Throttled("slow down"), to=2)
    assert (made.state, made.report.reason) == (CopyState.REJECTED, "margin: short of 5000")
    assert not made.report.in_step
    held = made.step()
    assert isinstance(held, Hold)
    assert held.until is not None
    made.at(2)
    again = made.send()
    assert isinstance(again, Place)
    assert (again.slice_number, again.number, again.ticket.terms.quantity) == (2, 3, 100)


@scenario("1.8")
def test_an_unclear_slice_is_looked_for_and_placed_again_alone() -> None:
    made = pair()
    for _ in range(3):
        made.send()
    for number in (0, 2):
        made.answer(Accepted(f"2000{number}"), to=number)
        made.hear(number, status=Status.PENDING)
    made.answer(Unknown("reset"), to=1)
    assert made.state is CopyState.UNKNOWN
    for second in (11, 12):
        made.at(second).read(made.own(0), made.own(2))
    again = made.send()
    assert isinstance(again, Place)
    assert (again.slice_number, again.number) == (1, 3)


@scenario("1.8")
def test_a_slice_that_came_to_nothing_and_is_not_needed_any_more_says_nothing() -> None:
    made = pair()
    for _ in range(3):
        made.send()
    for number in range(3):
        made.answer(Unknown("reset"), to=number)
    made.lead(status=Status.CANCELLED, filled=150, traded_value=150 * 10_000)
    for second in (11, 12):
        made.at(second).read()
    again = placed_anew(made, 2)
    assert [step.ticket.terms.quantity for step in again] == [200, 100]
    assert isinstance(made.step(), Hold)
    for number, got in ((3, 100), (4, 50)):
        made.hear(number, status=Status.CANCELLED, filled=got, traded_value=got * 10_000)
    assert made.step() == Done()
    assert made.state is CopyState.HELD  # by the slice that never was
    assert made.report.state is CopyState.CANCELLED
    assert made.report.reason == "filled 150, the leader's fills imply 300"
    # What is not traded by now never will be: an exit takes what there is.
    sold = replace(
        leader_order(order_id="102261125000002", side=Side.SELL, terms=terms(150)), stamp=stamp(20)
    )
    made.book.seen(OrderSeen(sold, NOON, 0))
    step = made.book.step(sold.order_id, Mood.ACTIVE, True, made.now)
    assert isinstance(step, Place)
    assert step.ticket.terms.quantity == 150


@scenario("1.8")
def test_a_slice_that_was_cancelled_for_a_smaller_quantity_says_nothing() -> None:
    made = pair()
    placed(made, 3)
    made.lead(terms=terms(200))
    made.cancel()
    made.hear(2, status=Status.CANCELLED)
    assert made.report.state is CopyState.OPEN
    for number in (0, 1):
        made.hear(number, status=Status.TRADED, filled=200, traded_value=200 * 10_000)
    made.leader_trades(200)
    assert (made.report.state, made.report.reason, made.report.in_step) == (
        CopyState.FILLED,
        "",
        True,
    )


@scenario("1.8")
def test_what_a_slice_did_not_get_is_not_left_by_an_exit() -> None:
    """An IOC ends by itself, and the leader leaves all that was traded of it."""
    made = pair()
    made.lead(terms=terms(250, validity=Validity.IOC))
    placed(made, 3)
    for number, filled, ended in ((0, 200, Status.TRADED), (1, 200, Status.TRADED)):
        made.hear(number, filled=filled, traded_value=filled, status=ended)
    made.leader_trades(250)
    assert made.book.copies[made.copy.leader_order_id].filled == 400
    for filled, status, due in ((0, Status.PENDING, 500), (50, Status.CANCELLED, 450)):
        made.hear(2, filled=filled, traded_value=filled, status=status)
        sizing = sized(made, leader_order(order_id=f"exit {due}", side=Side.SELL, terms=terms(250)))
        assert sizing.size(250, LOT) == 400 + filled
        assert sizing.eventual.size(250, LOT) == due


@scenario("1.8")
def test_slices_that_wait_for_their_permits_are_counted_on_by_an_exit() -> None:
    """Also where the first one, an IOC, has ended short before the others were sent."""
    made = pair()
    made.lead(terms=terms(250, validity=Validity.IOC))
    made.leader_trades(250)
    placed(made, 1)
    made.hear(0, filled=50, traded_value=50, status=Status.CANCELLED)
    sizing = sized(made, leader_order(order_id="exit", side=Side.SELL, terms=terms(250)))
    assert sizing.size(250, LOT) == 50
    assert sizing.eventual.size(250, LOT) == 350
    assert [step.ticket.terms.quantity for step in placed_anew(made, 2)] == [200, 100]


@scenario("1.8")
def test_slices_that_stand_for_more_than_their_part_are_counted_on_by_an_exit() -> None:
    """As the leader's IOC ended short after they were sent, and they may still trade it all."""
    made = pair()
    made.lead(terms=terms(250, validity=Validity.IOC))
    placed(made, 3)
    made.leader_trades(150)
    made.lead(status=Status.CANCELLED)
    made.hear(0, filled=50, traded_value=50, status=Status.CANCELLED)
    sizing = sized(made, leader_order(order_id="exit", side=Side.SELL, terms=terms(150)))
    assert sizing.size(150, LOT) == 50
    assert sizing.eventual.size(150, LOT) == 300


@scenario("1.8")
def test_what_an_exit_that_was_cancelled_may_not_sell_is_counted_on_by_the_next() -> None:
    """It sold a part only, and nothing was placed for that yet: it may come to nothing."""
    made = Pair(leader_order(terms=terms(200)), replace(RULES, sizing=Multiplier(Fraction(1))))
    made.leader_trades(200)
    made.place()
    made.fill(200)
    cut = leader_order(
        order_id="102261125000002",
        side=Side.SELL,
        terms=terms(200),
        filled=100,
        status=Status.CANCELLED,
        stamp=stamp(20),
    )
    last = leader_order(
        order_id="102261125000003", side=Side.SELL, terms=terms(100), stamp=stamp(21)
    )
    sized(made, cut)
    sizing = sized(made, last)
    assert sizing.size(100, LOT) == 100
    assert sizing.eventual.size(100, LOT) == 200


def test_limits_are_about_all_of_a_copy() -> None:
    made = pair(limits=Limits(order_value=49_000_00))
    step = made.step()
    assert isinstance(step, Skip)
    assert step.detail == "order value 50000.00, limit 49000.00"
    made = pair(limits=Limits(orders_a_day=1))
    placed(made, 3)


@scenario("1.8")
def test_a_protected_market_order_is_sliced_too() -> None:
    made = Pair(leader_order(terms=terms(250, OrderType.MARKET, 0)), TWICE, ltp=10_000)
    made.book.listings.learn((FROZEN,))
    quantities = [step.ticket.terms.quantity for step in placed(made, 3)]
    assert quantities == [200, 200, 100]


@scenario("1.8")
def test_a_copy_that_was_too_large_before_the_limit_was_known_is_not_half_placed() -> None:
    made = Pair(leader_order(terms=terms(250)), TWICE)
    made.send()
    made.answer(Accepted("20000", "TRANSIT"))
    made.hear(status=Status.REJECTED, reason="Quantity exceeds freeze quantity 200")
    made.book.listings.learn((FROZEN,))
    assert made.step() == Done()
    assert made.state is CopyState.REJECTED


LOTS = st.integers(0, 40)


@given(total=LOTS, most=st.integers(1, 12), filled=st.lists(st.integers(0, 12), min_size=1))
def test_slices_trade_together_what_the_copy_should(
    total: int, most: int, filled: list[int]
) -> None:
    count = max(len(filled), -(-total // most))
    got = [min(lots, most) * LOT for lots in filled] + [0] * (count - len(filled))
    parts = shared(total * LOT, most * LOT, got)
    assert all(0 <= part <= most * LOT and part % LOT == 0 for part in parts)
    wanted = sum(max(part, done) for part, done in zip(parts, got, strict=True))
    assert wanted == max(total * LOT, sum(got))
