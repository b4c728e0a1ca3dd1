"""Legs of one strategy: what belongs together, which goes first, and which stand alone (1.4.5)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.attempts import Attempt, Stage, Withdrawal
from domain.copies import Copy, Skipped
from domain.copybook import CopyBook
from domain.instruments import Instrument, InstrumentKey, Segment
from domain.legs import Fate, Leg, Legs, Rank, alone, bought_first, fate, held_until, urgency
from domain.messages import Level, OrderSeen
from domain.orders import Order, Side, Status
from domain.outcomes import Refusal, Refused
from domain.rules import FailedLeg, Mood, Rules
from domain.sizing import Exit, Multiplier
from domain.steps import Place, Skip
from domain.tickets import Ticket
from tests.domain.builders import FOLLOWER, NOON, after, leader_order, terms

ONE = Multiplier(Fraction(1))
RULES = Rules("asha", sizing=ONE)
REFUSAL = Refusal(Refused.MARGIN, "Fund Limit Insufficient", "", 400)


def option(number: int, underlying: str = "NIFTY", kind: str = "OPTIDX") -> Instrument:
    key = InstrumentKey(Segment.NSE_FNO, str(number))
    return Instrument(key, 65, 5, f"{underlying}-{number}", underlying, kind)


CALL, PUT, BANK = option(1), option(2), option(3, "BANKNIFTY")
FUTURE, SHARE = option(4, kind="FUTIDX"), option(5, kind="EQUITY")


def order(number: int, traded: Instrument = CALL, side: Side = Side.BUY, at: float = 0) -> Order:
    placed = after(at)
    return leader_order(
        order_id=f"9000{number}",
        instrument=traded.key,
        side=side,
        terms=terms(quantity=65),
        placed_at=placed,
    )


def copy(of: Order, stage: Stage | None = None, status: Status | None = None, got: int = 0) -> Copy:
    """A copy with an attempt at that stage, or none."""
    made = Copy(of.order_id, "asha", ONE, of.placed_at)
    if stage is None:
        return made
    ticket = Ticket("LS", of.instrument, of.side, of.product, of.terms)
    own = None
    if status is not None:
        own = replace(of, client_id=FOLLOWER, status=status, filled=got, traded_value=got * 10_000)
    refusal = REFUSAL if stage is Stage.REFUSED else None
    one = Attempt(ticket, 0, stage, NOON, of.terms, order_id="1", order=own, refusal=refusal)
    return replace(made, attempts=(one,))


def halted(of: Copy) -> Copy:
    """It was cancelled because the operator flattened the follower."""
    return replace(of, attempts=(replace(of.attempts[0], withdrawn=Withdrawal.HALTED),))


def left(of: Copy) -> Copy:
    """It is left because another leg failed."""
    return replace(of, skipped=Skipped.LONE_LEG)


def exit_of(of: Copy) -> Copy:
    """It leaves a position of the leader's."""
    return replace(of, sizing=Exit(65, 65, ONE))


def sliced(*slices: Copy) -> Copy:
    """One copy in several slices."""
    chains = [replace(one.attempts[0], number=n, slice_number=n) for n, one in enumerate(slices)]
    return replace(slices[0], attempts=tuple(chains))


STANDS = Fate.STANDS
BUY, SELL = order(1), order(2, PUT, Side.SELL)
ENDED = replace(SELL, status=Status.CANCELLED)


@pytest.mark.parametrize(
    ("of", "what", "came"),
    [
        (SELL, copy(SELL), Fate.COMING),
        (ENDED, copy(ENDED), Fate.OVER),
        (SELL, copy(SELL, Stage.SENT), Fate.ASKED),
        (SELL, copy(SELL, Stage.LIVE), Fate.ASKED),
        (SELL, copy(SELL, Stage.LIVE, Status.TRANSIT), Fate.ASKED),
        (SELL, copy(SELL, Stage.LIVE, Status.PENDING), Fate.STANDS),
        (SELL, copy(SELL, Stage.LIVE, Status.TRADED, 65), Fate.STANDS),
        (SELL, copy(SELL, Stage.LIVE, Status.CANCELLED, 30), Fate.STANDS),
        (SELL, copy(SELL, Stage.LIVE, Status.REJECTED), Fate.FAILED),
        (SELL, copy(SELL, Stage.LIVE, Status.CANCELLED), Fate.FAILED),
        (ENDED, copy(ENDED, Stage.LIVE, Status.CANCELLED), Fate.OVER),
        (SELL, halted(copy(SELL, Stage.LIVE, Status.CANCELLED)), Fate.OVER),
        (SELL, copy(SELL, Stage.REFUSED), Fate.FAILED),
        (SELL, sliced(copy(SELL, Stage.REFUSED), copy(SELL, Stage.LIVE, Status.PENDING)), STANDS),
        (SELL, sliced(copy(SELL, Stage.REFUSED), copy(SELL, Stage.REFUSED)), Fate.FAILED),
        (SELL, copy(SELL, Stage.UNKNOWN), Fate.COMING),
        (SELL, copy(SELL, Stage.PARKED), Fate.FAILED),
        (SELL, copy(SELL, Stage.TURNED_BACK), Fate.COMING),
        (SELL, replace(copy(SELL), skipped=Skipped.LIMITED), Fate.FAILED),
        (ENDED, replace(copy(ENDED), skipped=Skipped.LEADER_CLOSED), Fate.OVER),
        (ENDED, replace(copy(ENDED), skipped=Skipped.LIMITED), Fate.OVER),
        (SELL, left(copy(SELL, Stage.LIVE, Status.TRADED, 65)), Fate.FAILED),
        (SELL, left(copy(SELL, Stage.LIVE, Status.PENDING)), Fate.FAILED),
        (SELL, left(exit_of(copy(SELL, Stage.LIVE, Status.PENDING))), Fate.OVER),
    ],
)
def test_the_fate_of_a_leg(of: Order, what: Copy, came: Fate) -> None:
    assert fate(of, what) is came


def test_legs_stand_alone_only_beside_one_that_failed() -> None:
    stands = Leg(BUY, copy(BUY, Stage.LIVE, Status.TRADED, 65), CALL)
    failed = Leg(SELL, copy(SELL, Stage.REFUSED), PUT)
    left_out = replace(failed, copy=replace(copy(SELL), skipped=Skipped.LIMITED, detail="over 5"))
    assert alone("NIFTY", (stands, stands)) is None
    assert alone("NIFTY", (failed, failed)) is None
    told = alone("NIFTY", (stands, failed))
    assert told is not None
    assert told.level is Level.ERROR
    assert told.words == (
        "legs in NIFTY stand alone: BUY 65 NIFTY-1 (order 90001), as SELL 65 NIFTY-2 (order 90002) "
        "is rejected: margin: Fund Limit Insufficient"
    )
    told = alone("NIFTY", (stands, left_out))
    assert told is not None
    assert told.level is Level.WARNING
    assert told.words.endswith("is skipped: a limit of the follower is reached: over 5")


def test_only_entries_are_left_and_only_where_an_entry_failed() -> None:
    stands = Leg(BUY, copy(BUY, Stage.LIVE, Status.TRADED, 65), CALL)
    failed = Leg(SELL, copy(SELL, Stage.REFUSED), PUT)
    leaves = replace(stands, copy=exit_of(stands.copy))
    no_exit = replace(failed, copy=exit_of(failed.copy))
    for legs, entries in (
        ((stands, failed), (stands,)),
        ((stands, leaves, failed), (stands,)),
        ((leaves, failed), ()),
        ((stands, no_exit), ()),
        ((stands, no_exit, failed), (stands,)),
    ):
        told = alone("NIFTY", legs)
        assert told is not None
        assert told.entries == entries
    told = alone("NIFTY", (stands, failed))
    assert told is not None
    assert told.why == "SELL 65 NIFTY-2 (order 90002) is rejected"


def test_legs_that_are_to_be_left_are_found_however_long_ago_they_failed() -> None:
    for policy, found in ((FailedLeg.TELL, 0), (FailedLeg.FLATTEN, 1)):
        kept, _ = book(BUY, SELL, rules=replace(RULES, failed_leg=policy))
        step = kept.step(BUY.order_id, Mood.ACTIVE, True, after(0))
        assert isinstance(step, Place)
        kept.intended(BUY.order_id, step, after(0))
        kept.heard(traded(kept, BUY))
        kept.skip(SELL.order_id, Skip(Skipped.LIMITED, "over 5"))
        later = Legs(kept)
        later.began(after(3600))
        for one in (BUY, SELL):
            later.note(one)
        assert len(later.alone(after(3601))) == found, policy
        kept.skip(BUY.order_id, Skip(Skipped.LONE_LEG))
        later.note(BUY)
        assert later.alone(after(3602)) == []


def book(*orders: Order, rules: Rules = RULES) -> tuple[CopyBook, Legs]:
    """A follower's book and its groups, once the leader's orders were told."""
    kept = CopyBook(rules)
    kept.restore((), NOON)
    kept.listings.learn((CALL, PUT, BANK, FUTURE, SHARE))
    legs = Legs(kept)
    for one in orders:
        tell(kept, legs, one)
    return kept, legs


def tell(kept: CopyBook, legs: Legs, one: Order) -> None:
    kept.seen(OrderSeen(one, one.placed_at, 1))
    legs.note(kept.orders[one.order_id])


@pytest.mark.parametrize(
    ("second", "window", "together"),
    [
        (order(2, PUT, Side.SELL, at=2), 2, True),
        (order(2, PUT, Side.SELL, at=3), 2, False),
        (order(2, PUT, Side.SELL, at=3), 5, True),
        (order(2, PUT, Side.SELL), 0, False),
        (order(2, FUTURE, Side.SELL), 2, True),
        (order(2, BANK, Side.SELL), 2, False),
        (order(2, SHARE, Side.SELL), 2, False),
    ],
)
def test_one_underlying_within_the_window_is_a_group(
    second: Order, window: float, together: bool
) -> None:
    rules = replace(RULES, legs_window=timedelta(seconds=window))
    kept, legs = book(BUY, second, rules=rules)
    step = kept.step(BUY.order_id, Mood.ACTIVE, True, after(1))
    assert isinstance(step, Place)
    kept.intended(BUY.order_id, step, after(1))
    kept.heard(traded(kept, BUY))
    kept.skip(second.order_id, Skip(Skipped.LIMITED, "over 5"))
    legs.note(second)
    assert bool(legs.alone(after(20))) is together


def traded(kept: CopyBook, of: Order) -> Order:
    """The follower's own order, traded in full."""
    (attempt,) = kept.copies[of.order_id].attempts
    return replace(
        of,
        order_id="8" + of.order_id,
        client_id=FOLLOWER,
        correlation_id=attempt.ticket.correlation_id,
        status=Status.TRADED,
        filled=65,
        traded_value=650_000,
    )


def test_each_failed_leg_is_told_once_after_the_window_and_not_again_after_a_restart() -> None:
    third = order(3, FUTURE, Side.SELL, at=1)
    kept, legs = book(BUY, SELL)
    step = kept.step(BUY.order_id, Mood.ACTIVE, True, after(0))
    assert isinstance(step, Place)
    kept.intended(BUY.order_id, step, after(0))
    kept.skip(SELL.order_id, Skip(Skipped.LIMITED, "over 5"))
    legs.note(SELL)
    assert legs.alone(after(1)) == legs.alone(after(3)) == []  # the broker has yet to say
    kept.heard(traded(kept, BUY))
    legs.note(BUY)
    (told,) = legs.alone(after(3.5))
    assert [one.order.order_id for one in told.failed] == [SELL.order_id]
    legs.note(BUY)
    assert legs.alone(after(4)) == []
    tell(kept, legs, third)
    kept.skip(third.order_id, Skip(Skipped.LIMITED, "over 5"))
    legs.note(third)
    (told,) = legs.alone(after(5))
    assert len(told.failed) == 2
    later = Legs(kept)
    later.began(after(60))
    for one in (BUY, SELL, third):
        later.note(one)
    assert later.alone(after(61)) == []


@pytest.mark.parametrize(
    ("side", "exits", "rank"),
    [(Side.BUY, True, 0), (Side.BUY, False, 1), (Side.SELL, True, 1), (Side.SELL, False, 2)],
)
def test_what_lowers_the_margin_goes_first(side: Side, exits: bool, rank: int) -> None:
    assert urgency(side, exits) == rank


UNDERLYINGS = st.sampled_from([(Segment.NSE_FNO, "NIFTY"), (Segment.NSE_FNO, "BANKNIFTY")])
RANKS = st.none() | st.tuples(UNDERLYINGS, st.integers(0, 2))


@given(st.lists(RANKS, max_size=12))
@settings(deadline=None, max_examples=100)
def test_only_options_of_one_underlying_change_places(given_ranks: Sequence[Rank | None]) -> None:
    ids = [str(number) for number in range(len(given_ranks))]
    ranks: Mapping[str, Rank] = {
        one: rank for one, rank in zip(ids, given_ranks, strict=True) if rank is not None
    }
    sent = bought_first(ids, ranks)
    assert sorted(sent, key=int) == ids
    for before, now in zip(ids, sent, strict=True):
        assert (before in ranks) == (now in ranks)
        assert now == before if before not in ranks else ranks[now][0] == ranks[before][0]
    for place in {rank[0] for rank in ranks.values()}:
        mine = [one for one in sent if one in ranks and ranks[one][0] == place]
        assert mine == sorted(mine, key=lambda one: (ranks[one][1], int(one)))


HOLD = timedelta(seconds=1)
SOLD = Leg(SELL, copy(SELL), PUT)


@pytest.mark.parametrize(
    ("one", "siblings", "at", "waits"),
    [
        (SOLD, (), 0.5, True),
        (SOLD, (), 1, False),
        (SOLD, (Leg(BUY, copy(BUY), CALL),), 0.5, True),
        (SOLD, (Leg(BUY, copy(BUY, Stage.LIVE, Status.PENDING), CALL),), 0.5, True),
        (SOLD, (Leg(BUY, copy(BUY, Stage.LIVE, Status.TRADED, 65), CALL),), 0.5, False),
        (SOLD, (Leg(BUY, copy(BUY, Stage.REFUSED), CALL),), 0.5, False),
        (SOLD, (Leg(SELL, copy(SELL, Stage.LIVE, Status.TRADED, 65), PUT),), 0.5, True),
        (Leg(BUY, copy(BUY), CALL), (), 0, False),
        (Leg(SELL, copy(SELL), FUTURE), (), 0, False),
    ],
)
def test_a_sold_option_waits_for_a_bought_leg_no_longer_than_allowed(
    one: Leg, siblings: Sequence[Leg], at: float, waits: bool
) -> None:
    until = held_until(one, siblings, HOLD, after(at))
    assert until == (after(1) if waits else None)
