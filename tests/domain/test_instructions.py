"""The operator's word on a parked copy: believed where it can be true, and never an order twice."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.attempts import Stage, Withdrawal
from domain.copies import CopyState, Skipped
from domain.instructions import Instruction, Refuted, Verdict
from domain.orders import Order, Product, Side, Status
from domain.outcomes import Accepted, Refusal, Refused, Throttled, Unknown
from domain.steps import Cancel, Done, Hold, Modify, Place, Skip, Why
from tests.domain.builders import LEADER_ORDER, MARKET, RULES, SHARE, leader_order, terms
from tests.domain.pair import Pair

PATIENT = replace(RULES, max_age=timedelta(hours=9))
BY_HAND, LOST = "30000", "20000"


def parked(pair: Pair | None = None) -> Pair:
    """A copy whose placement was never heard of again."""
    pair = (pair or Pair(rules=PATIENT)).lose_answer()
    pair.at(130)
    assert pair.book.give_up(pair.now) == [LEADER_ORDER]
    assert pair.step() == Hold(Why.PARKED)
    return pair


def by_hand(pair: Pair, **changes: object) -> Order:
    """An order that the account's owner placed in the app, like the one that got lost."""
    made = replace(pair.own(0), order_id=BY_HAND, correlation_id=None, status=Status.PENDING)
    return replace(made, **changes)  # type: ignore[arg-type]


def absent(pair: Pair, attempt: int = 0) -> None:
    """The operator says that there is no order."""
    told = Instruction("1", LEADER_ORDER, "asha", attempt, Verdict.ABSENT, "")
    pair.book.resolve(told, None)


def placed(
    pair: Pair,
    shown: Order | None,
    order_id: str = BY_HAND,
    attempt: int = 0,
    leader: str = LEADER_ORDER,
) -> None:
    """The operator says which order it is; `shown` is what the account's book has under that."""
    told = Instruction("1", leader, "asha", attempt, Verdict.PLACED, order_id)
    pair.book.resolve(told, shown)


def stages(pair: Pair) -> list[tuple[int, Stage, str]]:
    return [(one.number, one.stage, one.order_id) for one in pair.copy.attempts]


# Absent


def test_what_is_absent_is_placed_again_under_another_name() -> None:
    pair = parked()
    absent(pair)
    assert pair.state is CopyState.HELD
    first = pair.copy.attempts[0].ticket.correlation_id
    step = pair.place()
    assert step.number == 1
    assert step.ticket.correlation_id != first
    assert pair.step() == Hold(Why.RESTING)


def test_what_is_absent_and_too_old_by_now_is_not_chased() -> None:
    pair = parked(Pair())
    absent(pair)
    step = pair.step()
    assert isinstance(step, Skip)
    assert step.reason is Skipped.STALE


def test_what_is_absent_and_whose_leader_is_closed_is_over() -> None:
    pair = parked()
    pair.lead(status=Status.CANCELLED)
    absent(pair)
    step = pair.step()
    assert isinstance(step, Skip)
    assert step.reason is Skipped.LEADER_CLOSED


def by_event(pair: Pair) -> None:
    pair.hear(0, order_id=LOST, status=Status.PENDING)


def by_book(pair: Pair) -> None:
    rows = [one.order for one in pair.copy.attempts if one.order and one.number]
    pair.read(pair.own(0, order_id=LOST, status=Status.PENDING), *rows)


def by_answer(pair: Pair) -> None:
    pair.answer(Accepted(LOST, "PENDING"), to=0)
    pair.at(140)


TURNS_UP = pytest.mark.parametrize("turns_up", [by_event, by_book, by_answer])


@TURNS_UP
def test_an_order_that_was_said_to_be_absent_and_turns_up_in_time_is_the_copy(
    turns_up: Callable[[Pair], None],
) -> None:
    pair = parked()
    absent(pair)
    turns_up(pair)
    assert stages(pair) == [(0, Stage.LIVE, LOST)]
    pair.lead(terms=terms(400))
    assert pair.modify() == Modify(LOST, terms(200))


@TURNS_UP
def test_an_order_that_was_said_to_be_absent_and_turns_up_beside_another_is_cancelled(
    turns_up: Callable[[Pair], None],
) -> None:
    pair = parked()
    absent(pair)
    pair.place()
    turns_up(pair)
    assert pair.send() == Cancel(LOST, Withdrawal.REPLACED)
    pair.lead(terms=terms(400))
    assert pair.step() == Hold(Why.IN_FLIGHT), "nothing is raised meanwhile"
    pair.answer(Accepted())
    pair.hear(0, order_id=LOST, status=Status.CANCELLED, filled=50, traded_value=500_000)
    assert pair.modify().terms.quantity == 150, "what it got is not bought twice"


# Placed


def test_the_named_order_is_the_copy_and_is_steered_on() -> None:
    pair = parked()
    placed(pair, by_hand(pair, terms=terms(50, price=9_900)))
    assert stages(pair) == [(0, Stage.ABSENT, ""), (1, Stage.LIVE, BY_HAND)]
    assert pair.state is CopyState.OPEN
    assert pair.report.order_ids == (BY_HAND,)
    assert pair.modify() == Modify(BY_HAND, terms(100)), "as the leader's order asks for"
    pair.lead(status=Status.CANCELLED)
    assert pair.cancel() == Cancel(BY_HAND, Withdrawal.LEADER)
    assert pair.step() == Done()


def test_the_named_order_is_left_as_it_is_where_it_is_as_wanted() -> None:
    pair = parked()
    placed(pair, by_hand(pair))
    assert pair.step() == Hold(Why.RESTING)


def test_what_the_named_order_traded_counts() -> None:
    pair = parked()
    placed(pair, by_hand(pair, status=Status.TRADED, filled=100, traded_value=1_000_000))
    assert (pair.state, pair.copy.filled) == (CopyState.FILLED, 100)
    assert pair.book.position(pair.leader.instrument, pair.leader.product) == 100
    assert pair.step() == Done()
    pair.lead(terms=terms(400))
    step = pair.send()
    assert isinstance(step, Place)
    assert (step.number, step.ticket.terms.quantity) == (2, 100), "the rest, and no more"


def test_a_named_order_that_its_owner_cancels_is_not_placed_anew() -> None:
    pair = parked()
    placed(pair, by_hand(pair))
    assert pair.book.heard(by_hand(pair, status=Status.CANCELLED)) == LEADER_ORDER
    assert pair.state is CopyState.CANCELLED
    assert pair.step() == Done()


def test_the_limit_of_a_named_order_for_a_market_order_is_that_of_the_lost_one() -> None:
    pair = parked(Pair(leader_order(terms=MARKET), PATIENT, ltp=10_000))
    pair.book.listings.price(pair.leader.instrument, 20_000, pair.now)
    placed(pair, by_hand(pair, terms=terms(100, price=19_000)))
    assert pair.modify().terms.price == 10_300


@TURNS_UP
def test_a_lost_order_that_turns_up_beside_the_named_one_is_cancelled(
    turns_up: Callable[[Pair], None],
) -> None:
    pair = parked()
    placed(pair, by_hand(pair))
    turns_up(pair)
    assert pair.send() == Cancel(LOST, Withdrawal.REPLACED)
    pair.answer(Accepted())
    pair.hear(0, order_id=LOST, status=Status.CANCELLED)
    assert pair.step() == Hold(Why.RESTING)
    assert pair.attempt.order_id == BY_HAND


def test_a_named_order_that_turns_out_to_be_the_lost_one_is_one_order() -> None:
    pair = parked()
    lost = replace(by_hand(pair), order_id=LOST)
    placed(pair, lost, LOST)
    pair.answer(Accepted(LOST, "PENDING"), to=0)
    name = pair.copy.attempts[0].ticket.correlation_id
    assert pair.book.heard(replace(lost, correlation_id=name)) == LEADER_ORDER
    assert stages(pair) == [(0, Stage.ABSENT, ""), (1, Stage.LIVE, LOST)]
    assert pair.step() == Hold(Why.RESTING)


# Known already


def test_what_is_known_already_changes_nothing() -> None:
    pair = parked()
    by_event(pair)
    before = pair.copy
    placed(pair, None, LOST)
    assert pair.copy is before


@pytest.mark.parametrize("outcome", [Refusal(Refused.MARGIN, "short"), Throttled("429")])
def test_what_is_known_to_have_been_refused_is_absent_already(outcome: Refusal | Throttled) -> None:
    pair = parked()
    pair.answer(outcome)
    before = pair.copy
    absent(pair)
    assert pair.copy is before


# Refuted


def found(pair: Pair) -> Pair:
    by_event(pair)
    return pair


def lost() -> Pair:
    return Pair(rules=PATIENT).lose_answer()


@pytest.mark.parametrize(
    ("pair", "state"),
    [
        (lambda: Pair(), "held"),
        (lambda: lost(), "unknown"),
        (lambda: found(parked()), "open"),
    ],
)
def test_a_word_on_what_is_not_parked_is_refuted(pair: Callable[[], Pair], state: str) -> None:
    one = pair()
    before = one.copy
    for say in (absent, lambda pair: placed(pair, by_hand(parked()))):
        with pytest.raises(Refuted, match=f"the copy is {state} by now, only a parked one"):
            say(one)
    assert one.copy is before


def test_a_word_on_an_earlier_attempt_than_the_parked_one_is_refuted() -> None:
    pair = parked()
    absent(pair)
    pair.send()
    pair.at(137).answer(Unknown("timeout"))
    pair.at(300)
    assert pair.book.give_up(pair.now) == [LEADER_ORDER]
    with pytest.raises(Refuted, match="the copy is parked by now"):
        placed(pair, by_hand(pair))
    absent(pair, attempt=1)
    assert [stage for _, stage, _ in stages(pair)] == [Stage.ABSENT, Stage.ABSENT]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"side": Side.SELL}, "order 30000 is SELL NSE_FNO 43512 INTRADAY, BUY NSE_FNO 43512"),
        ({"product": Product.MARGIN}, "is BUY NSE_FNO 43512 MARGIN, BUY NSE_FNO 43512 INTRADAY"),
        ({"instrument": SHARE.key}, "order 30000 is BUY NSE_EQ 1333 INTRADAY"),
        ({"correlation_id": "LSnabc-0-0"}, "has the name of another request of Lockstep"),
    ],
)
def test_an_order_that_cannot_be_it_is_refuted(changes: dict[str, object], said: str) -> None:
    pair = parked()
    with pytest.raises(Refuted, match=said):
        placed(pair, by_hand(pair, **changes))
    assert pair.state is CopyState.PARKED


def test_an_order_that_the_book_does_not_show_is_refuted() -> None:
    pair = parked()
    with pytest.raises(Refuted, match="the account's order book does not show order 30000"):
        placed(pair, None)
    assert pair.state is CopyState.PARKED


def test_an_earlier_order_of_the_same_copy_is_refuted() -> None:
    pair = Pair(rules=replace(PATIENT, modification_cap=0))
    pair.place()
    pair.lead(terms=terms(price=10_050))
    pair.cancel()
    pair = parked(pair)
    earlier = pair.copy.attempts[0].order
    with pytest.raises(Refuted, match="order 20000 is an earlier one of the same copy"):
        placed(pair, earlier, LOST, attempt=1)


def test_the_copy_of_another_order_is_refuted() -> None:
    pair = parked()
    other = leader_order(order_id="102261125000002")
    pair.see(other)
    step = pair.book.step(other.order_id, pair.mood, pair.open, pair.now)
    assert isinstance(step, Place)
    pair.book.intended(other.order_id, step, pair.now)
    copied = replace(by_hand(pair), correlation_id=step.ticket.correlation_id)
    assert pair.book.heard(copied) == other.order_id
    with pytest.raises(Refuted, match="order 30000 is the copy of another order"):
        placed(pair, by_hand(pair))


def test_a_copy_that_is_not_known_is_refuted() -> None:
    pair = parked()
    with pytest.raises(Refuted, match="there is no copy of order 7 by now"):
        placed(pair, by_hand(pair), leader="7")


def test_a_placement_after_a_named_order_has_a_name_of_its_own() -> None:
    pair = parked()
    placed(pair, by_hand(pair))
    names = [one.ticket.correlation_id for one in pair.copy.attempts]
    pair.fill(100, order_id=BY_HAND)
    pair.lead(terms=terms(400))
    step = pair.send()
    assert isinstance(step, Place)
    assert step.ticket.correlation_id not in names
