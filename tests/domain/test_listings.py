"""Orders in instruments that the master does not have (scenarios 5.4 and 8.6)."""

from dataclasses import replace

import pytest

from domain.copies import CopyState, Skipped
from domain.copybook import CopyBook
from domain.instruments import InstrumentKey, Listing, Segment
from domain.listings import Listings
from domain.messages import OrderSeen
from domain.orders import Order, Side, Status
from domain.rules import Mood
from domain.steps import Cancel, Hold, Place, Skip, Step, Why
from tests.domain.builders import CONTRACT, KEY, NOON, RULES, SHARE, after, leader_order, terms
from tests.domain.pair import Pair

UNKNOWN = Skip(
    Skipped.UNKNOWN_INSTRUMENT, f"NSE_FNO {KEY.security_id} is not in the instrument master"
)


def book(order: Order, listing: Listing) -> CopyBook:
    """A book that heard of an order, with all that its event says, in an instrument that the
    master does not have."""
    hint = replace(CONTRACT, key=order.instrument)
    known = CopyBook(RULES)
    known.listings.miss((order.instrument,), listing)
    known.seen(OrderSeen(order, NOON, 1, hint, 10_000))
    return known


def step(known: CopyBook, seconds: float = 0, order: Order | None = None) -> Step:
    order_id = (order or leader_order()).order_id
    return known.step(order_id, Mood.ACTIVE, True, after(seconds))


@pytest.mark.parametrize("instrument", [KEY, SHARE.key])
def test_s5_4_an_unknown_instrument_is_refused_with_the_reason(instrument: InstrumentKey) -> None:
    order = leader_order(instrument=instrument)
    known = book(order, Listing.UNKNOWN)
    refused = step(known)
    assert isinstance(refused, Skip)
    assert refused.reason is Skipped.UNKNOWN_INSTRUMENT
    known.skip(order.order_id, refused)
    copy, report = known.copies[order.order_id], known.report(order.order_id, NOON)
    assert (copy.state, copy.attempts) == (CopyState.SKIPPED, ())
    assert report is not None
    assert report.in_step
    assert report.reason == (
        f"unknown instrument: {instrument.segment} {instrument.security_id} "
        "is not in the instrument master"
    )


def test_s8_6_while_the_master_is_read_anew_the_order_waits() -> None:
    known = book(leader_order(), Listing.AWAITED)
    assert step(known) == Hold(Why.MASTER)
    known.listings.learn((CONTRACT,))
    assert isinstance(step(known, 5), Place)


def test_s8_6_where_nobody_can_tell_events_are_believed() -> None:
    known = book(leader_order(), Listing.AWAITED)
    known.listings.miss((KEY,), Listing.PRESUMED)
    assert isinstance(step(known), Place)


def test_what_was_unknown_and_is_found_is_copied_while_it_is_young() -> None:
    for seconds, wanted in ((10, Place), (31, Skip)):
        known = book(leader_order(), Listing.UNKNOWN)
        assert step(known) == UNKNOWN
        known.skip(leader_order().order_id, UNKNOWN)
        known.listings.learn((CONTRACT,))
        assert isinstance(step(known, seconds), wanted)


def test_waiting_for_the_master_does_not_outlast_the_age_of_an_entry() -> None:
    known = book(leader_order(), Listing.AWAITED)
    late = step(known, 31)
    assert isinstance(late, Skip)
    assert late.reason is Skipped.STALE


@pytest.mark.parametrize("listing", [Listing.UNKNOWN, Listing.AWAITED])
def test_an_exit_is_never_refused_for_the_master(listing: Listing) -> None:
    """Whoever holds the position has traded the instrument: it exists."""
    pair = Pair()
    pair.place()
    pair.fill(100)
    pair.book.listings.miss((KEY,), listing)
    leaves = leader_order(order_id="7", side=Side.SELL)
    pair.book.seen(OrderSeen(leaves, NOON, 1))
    assert isinstance(step(pair.book, order=leaves), Place)
    adds = leader_order(order_id="8", side=Side.BUY)
    pair.book.seen(OrderSeen(adds, NOON, 1))
    assert not isinstance(step(pair.book, order=adds), Place)


@pytest.mark.parametrize("listing", [Listing.UNKNOWN, Listing.AWAITED])
def test_a_copy_that_stands_is_steered_on(listing: Listing) -> None:
    pair = Pair()
    pair.place()
    pair.book.listings.miss((KEY,), listing)
    pair.lead(terms=terms(price=9_900))
    assert pair.modify().terms.price == 9_900
    pair.lead(status=Status.CANCELLED)
    assert isinstance(pair.at(5).step(), Cancel)


def test_the_leaders_own_end_weighs_more_than_the_master() -> None:
    known = book(leader_order(status=Status.REJECTED, reason="RMS"), Listing.UNKNOWN)
    assert step(known) == Skip(Skipped.LEADER_CLOSED, "RMS")


@pytest.mark.parametrize("segment", [Segment.INX_EQ, Segment.IDX_I])
@pytest.mark.parametrize("listing", list(Listing))
def test_us_stocks_and_indices_are_never_copied(segment: Segment, listing: Listing) -> None:
    order = leader_order(instrument=InstrumentKey(segment, "13"))
    refused = step(book(order, listing))
    assert refused == Skip(Skipped.UNSUPPORTED, f"segment {segment}")


def test_the_master_is_believed_before_events_and_events_before_defaults() -> None:
    listings = Listings()
    assert listings.instrument(KEY) is None
    assert listings.lot(KEY) == 1
    default = listings.instrument(SHARE.key)
    assert default is not None
    assert (default.lot, default.tick) == (1, 5)
    listings.hint(replace(CONTRACT, lot=75))
    assert listings.lot(KEY) == 75
    listings.learn((CONTRACT,))
    listings.hint(replace(CONTRACT, lot=75))
    assert listings.lot(KEY) == CONTRACT.lot
