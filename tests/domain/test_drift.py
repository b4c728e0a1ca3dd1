"""What an account has is compared with what its copies imply, and own trades are left alone."""

from dataclasses import replace
from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.differences import (
    Action,
    Difference,
    Holding,
    Kind,
    Position,
    Shown,
    proposal,
)
from domain.drift import differences
from domain.orders import Order, Product, Side, Status
from domain.outcomes import Refusal, Refused
from tests.domain.builders import FOLLOWER, HALF, KEY, LEADER_ORDER, filled, leader_order, stamp
from tests.domain.pair import Pair

TODAY = date(2026, 11, 25)
HELD = Holding(KEY, Product.INTRADAY)


def own_trade(shares: int, **more: Any) -> Order:
    """An order of the account's owner that traded so much; negative is sold."""
    side = Side.BUY if shares > 0 else Side.SELL
    order = leader_order(client_id=FOLLOWER, order_id=f"9{shares}", side=side, platform="TWS")
    return replace(filled(order, abs(shares), status=Status.TRADED), **more)


def orphan(**more: Any) -> Order:
    """An order under a name of ours that no copy knows."""
    name = "LSn1abcdefgh-0-0"
    return replace(
        leader_order(client_id=FOLLOWER, order_id="777", correlation_id=name, symbol="NIFTY"),
        **more,
    )


def compared(
    pair: Pair,
    day: int,
    *others: Order,
    net: int | None = None,
    working: bool = True,
    held: Holding = HELD,
    more: tuple[Position, ...] = (),
) -> list[Difference]:
    """The differences of an account that shows the copy's orders, these others, and a position of
    the day."""
    mine = [attempt.order for attempt in pair.copy.attempts if attempt.order]
    position = Position(held, day, day if net is None else net)
    shown = Shown((*mine, *others), (position, *more))
    return differences("asha", pair.book.followed(), shown, working, TODAY)


def filled_pair(copied: int = 100) -> Pair:
    """A leader's order that traded 200, and half as much of it in the account or less."""
    pair = Pair()
    pair.place()
    pair.leader_trades()
    pair.fill(copied)
    return pair


def refused_pair() -> Pair:
    """A leader's order that traded 200, whose copy was refused for want of funds."""
    pair = Pair()
    pair.send()
    pair.answer(Refusal(Refused.MARGIN, "margin exceeds", "DH-905", 400))
    pair.leader_trades()
    return pair


def test_a_copy_that_filled_like_the_leader_is_no_difference() -> None:
    assert compared(filled_pair(), 100) == []


def test_an_open_copy_of_an_open_order_is_no_difference() -> None:
    pair = Pair()
    pair.place()
    assert compared(pair, 0) == []


def test_s3_5_what_the_leader_never_got_is_to_be_sold_again() -> None:
    pair = Pair()
    pair.place()
    pair.fill(100)
    pair.lead(status=Status.CANCELLED)
    (found,) = compared(pair, 100)
    assert (found.kind, found.has, found.implied) == (Kind.POSITION, 100, 0)
    assert found.leader_order_ids == (LEADER_ORDER,)
    assert found.what == "the day's position is +100, the copies imply +0"
    assert proposal(found) == "exit: SELL 100  INTRADAY at the market price"


def test_a_refused_entry_is_to_be_bought() -> None:
    (found,) = compared(refused_pair(), 0)
    assert (found.kind, found.has, found.implied) == (Kind.POSITION, 0, 100)
    assert found.repair is not None
    assert (found.repair.action, found.repair.side) == (Action.ENTRY, Side.BUY)
    assert found.repair.quantity == 100


def test_a_position_that_no_order_explains_is_told() -> None:
    (found,) = compared(filled_pair(), 50)
    assert (found.has, found.implied, found.own) == (50, 100, 0)


def test_own_trades_are_no_difference() -> None:
    assert compared(filled_pair(), 160, own_trade(60)) == []
    assert compared(filled_pair(), 0, own_trade(-100)) == []
    elsewhere = replace(HELD, instrument=replace(KEY, security_id="1"))
    assert compared(filled_pair(), 100, more=(Position(elsewhere, 70, 500),)) == []


def test_own_trades_may_mend_what_was_amiss() -> None:
    assert compared(refused_pair(), 100, own_trade(100)) == []
    (found,) = compared(refused_pair(), 30, own_trade(30))
    assert (found.has, found.implied, found.own) == (30, 100, 30)
    assert found.what.endswith("own trades are +30")


def test_own_trades_of_another_purpose_mend_nothing() -> None:
    (found,) = compared(refused_pair(), 0, own_trade(500), own_trade(-500))
    assert (found.has, found.implied, found.own) == (0, 100, 0)
    (other,) = compared(refused_pair(), -30, own_trade(-30))
    assert (other.has, other.implied, other.own) == (-30, 70, -30)


def test_own_open_orders_are_left_alone() -> None:
    resting = leader_order(client_id=FOLLOWER, order_id="91")
    assert compared(filled_pair(), 100, resting) == []


def test_a_position_of_earlier_days_is_left_alone() -> None:
    assert compared(filled_pair(), 100, net=700) == []


def test_a_converted_position_is_the_owners_own_doing() -> None:
    elsewhere = Position(Holding(KEY, Product.MARGIN), 100, 100)
    assert compared(filled_pair(), 0, more=(elsewhere,)) == []


def test_an_orphan_is_to_be_cancelled() -> None:
    (found,) = compared(filled_pair(), 100, orphan())
    assert (found.kind, found.order_id) == (Kind.ORPHAN, "777")
    assert proposal(found) == "cancel order 777"


def test_what_an_orphan_bought_is_nobodys() -> None:
    pair = filled_pair()
    (found,) = compared(pair, 150, filled(orphan(), 50, status=Status.CANCELLED))
    assert (found.kind, found.has, found.implied) == (Kind.POSITION, 150, 100)
    assert found.symbol == "NIFTY"


def test_a_copy_that_was_cancelled_by_hand_is_to_be_placed_again() -> None:
    pair = Pair()
    pair.place()
    pair.hear(status=Status.CANCELLED)
    (found,) = compared(pair, 0)
    assert (found.kind, found.what) == (Kind.ORDER, "cancelled, though the leader's order is open")
    assert proposal(found).startswith("entry: BUY 100 ")
    assert proposal(found).endswith(f"on the terms of leader order {LEADER_ORDER}")


def test_what_the_leader_has_traded_already_is_not_proposed_twice() -> None:
    pair = Pair()
    pair.place()
    pair.hear(status=Status.CANCELLED)
    pair.leader_trades(100)
    found = compared(pair, 0)
    quantities = {one.kind: one.repair.quantity for one in found if one.repair}
    assert quantities == {Kind.ORDER: 50, Kind.POSITION: 50}


def test_a_copy_that_outlives_the_leaders_order_is_to_be_cancelled() -> None:
    pair = Pair()
    pair.place()
    pair.lead(status=Status.CANCELLED)
    (found,) = compared(pair, 0)
    assert (found.kind, proposal(found)) == (Kind.ORDER, f"cancel order {pair.attempt.order_id}")


def test_a_copy_that_rests_behind_a_traded_order_is_not_to_be_doubled() -> None:
    pair = Pair()
    pair.place()
    pair.leader_trades()
    (found,) = compared(pair, 0)
    assert (found.kind, found.repair) == (Kind.BEHIND, None)


def test_an_order_that_the_book_does_not_show_is_missing() -> None:
    pair = Pair()
    pair.place()
    found = differences("asha", pair.book.followed(), Shown((), ()), True, TODAY)
    assert [(one.kind, one.order_id) for one in found] == [(Kind.MISSING, pair.attempt.order_id)]


def test_what_an_engine_is_still_at_work_on_is_a_difference_only_without_one() -> None:
    pair = Pair()
    pair.leader_trades()
    assert compared(pair, 0) == []
    (found,) = compared(pair, 0, working=False)
    assert (found.has, found.implied) == (0, 100)


def test_nothing_is_proposed_while_an_outcome_is_unknown() -> None:
    pair = Pair().lose_answer()
    pair.leader_trades()
    assert compared(pair, 0) == []
    (found,) = compared(pair, 0, working=False)
    assert (found.kind, found.repair) == (Kind.ORDER, None)


def test_copies_of_earlier_days_are_not_compared() -> None:
    pair = refused_pair()
    shown = Shown((), ())
    assert differences("asha", pair.book.followed(), shown, True, date(2026, 11, 26)) == []


def test_without_a_lot_nothing_is_judged() -> None:
    pair = refused_pair()
    unknown = [replace(one, lot=None) for one in pair.book.followed()]
    assert differences("asha", unknown, Shown((), ()), True, TODAY) == []


_SHARES = st.integers(-20, 20).map(lambda lots: lots * 50)


@settings(deadline=None, max_examples=300)
@given(
    st.integers(0, 4), st.integers(0, 4), st.lists(_SHARES.filter(bool), max_size=3), _SHARES,
    st.sampled_from(Side), st.booleans(),
)  # fmt: skip
def test_a_repair_ends_its_difference_and_own_trades_make_none(
    leaders: int, copied: int, own: list[int], stray: int, side: Side, closed: bool
) -> None:
    """Whatever has traded where: the proposed trade, done by hand, leaves nothing to propose; and
    there is none where the copy is as the leader's order implies."""
    pair = Pair(leader_order(side=side))
    pair.place()
    pair.leader_trades(max(50, leaders * 50))
    pair.fill(copied * 50 // 2 // 50 * 50)
    if closed:
        pair.hear(status=Status.CANCELLED)
        pair.lead(status=Status.CANCELLED)
    sign = 1 if side is Side.BUY else -1
    others = [replace(own_trade(one), order_id=f"9{n}") for n, one in enumerate(own)]
    day = sign * pair.copy.filled + sum(own) + stray
    found = [one for one in compared(pair, day, *others) if one.kind is Kind.POSITION]
    if not stray and closed and pair.copy.filled == HALF.size(pair.leader.filled, 50):
        assert not found
    for one in found:
        assert one.repair is not None
        traded = one.repair.quantity if one.repair.side is Side.BUY else -one.repair.quantity
        mended = replace(own_trade(traded), order_id="8", stamp=stamp(60))
        again = compared(pair, day + traded, *others, mended)
        assert [other for other in again if other.kind is Kind.POSITION] == []


def test_every_difference_names_its_follower_and_says_what() -> None:
    found = compared(refused_pair(), 0, orphan())
    assert {one.follower for one in found} == {"asha"}
    assert all(one.what for one in found)
