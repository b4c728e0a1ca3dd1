"""What a follower is told of the instruments around its orders, and what it makes of that."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from actors.master import Master
from actors.surroundings import Surroundings
from domain.copies import CopyState
from domain.hours import always
from domain.inputs import Granted, InstrumentsFound, InstrumentsMissed, MarketFound, Restored
from domain.instruments import Instrument, InstrumentKey, Listing, Segment
from domain.messages import OrderSeen
from domain.schedules import Schedule
from domain.sessions import Phase, Session
from domain.steps import Place
from ledger.instruments import MasterFile
from tests.actors.test_following import READY, follow, steps
from tests.domain.builders import CONTRACT, KEY, LEADER_ORDER, NOON, SHARE, after, leader_order

OTHER = replace(CONTRACT, key=InstrumentKey(Segment.NSE_FNO, "1"))
HINTED = OrderSeen(leader_order(), NOON, 1, CONTRACT, 10_000)


class Shelf:
    """Surroundings, and the master that they ask."""

    def __init__(self, folder: Path) -> None:
        self.file = MasterFile(folder / "instruments", "anywhere")
        self.master = Master(self.file)
        self.surroundings = Surroundings(self.master, always)

    def have(self, *instruments: Instrument) -> None:
        """Another edition is in place."""
        self.file.write(instruments, datetime.now(UTC))
        assert self.master.renew() == ""

    def around(self, *keys: InstrumentKey) -> list[object]:
        """What is told of orders in these, but for their markets."""
        told = self.surroundings.around(keys, NOON)
        return [one for one in told if not isinstance(one, MarketFound)]

    def renewed(self) -> list[object]:
        return list(self.surroundings.renewed(NOON))


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def test_each_instrument_is_told_once(shelf: Shelf) -> None:
    shelf.have(CONTRACT, SHARE)
    assert shelf.around(KEY, SHARE.key, KEY) == [InstrumentsFound((CONTRACT, SHARE))]
    assert shelf.around(KEY) == []
    assert shelf.renewed() == []


def test_what_is_missed_is_awaited_and_told_once(shelf: Shelf) -> None:
    shelf.have(SHARE)
    told = shelf.around(KEY, SHARE.key)
    assert told == [InstrumentsFound((SHARE,)), InstrumentsMissed((KEY,), Listing.AWAITED)]
    assert shelf.surroundings.missed == (KEY,)
    shelf.have(SHARE, OTHER)
    assert shelf.renewed() == []
    assert shelf.surroundings.missed == (KEY,)
    shelf.have(SHARE, CONTRACT)
    assert shelf.renewed() == [InstrumentsFound((CONTRACT,))]
    assert not shelf.surroundings.missed


def test_without_a_master_nothing_is_said_until_there_is_one(shelf: Shelf) -> None:
    assert shelf.around(KEY, OTHER.key) == []
    assert shelf.renewed() == []
    shelf.have(CONTRACT)
    told = shelf.renewed()
    assert told == [
        InstrumentsFound((CONTRACT,)),
        InstrumentsMissed((OTHER.key,), Listing.AWAITED),
    ]


def test_another_edition_may_say_otherwise(shelf: Shelf) -> None:
    shelf.have(CONTRACT, SHARE)
    shelf.around(KEY, SHARE.key)
    changed = replace(CONTRACT, lot=75)
    shelf.have(changed)
    assert shelf.renewed() == [
        InstrumentsFound((changed,)),
        InstrumentsMissed((SHARE.key,), Listing.AWAITED),
    ]


def test_what_is_never_copied_is_never_missed(shelf: Shelf) -> None:
    shelf.have(CONTRACT)
    keys = [InstrumentKey(segment, "13") for segment in (Segment.IDX_I, Segment.INX_EQ)]
    assert shelf.around(*keys) == []
    assert shelf.surroundings.missed == ()


def test_markets_are_told_by_what_an_instrument_keeps_and_before_it(tmp_path: Path) -> None:
    """Else an order would be held, or skipped, that its market takes."""
    shelf = Shelf(tmp_path)
    plain = replace(SHARE, derivatives=False)
    shelf.have(plain, CONTRACT)
    told = list(shelf.surroundings.around((SHARE.key, KEY), NOON))
    assert told == [
        MarketFound(Schedule.NSE_EQ_PLAIN, takes=True, phase=Phase.OPEN),
        MarketFound(Schedule.NSE_FNO, takes=True, phase=Phase.OPEN),
        InstrumentsFound((plain, CONTRACT)),
    ]
    shelf.have(SHARE, CONTRACT)
    assert list(shelf.surroundings.renewed(NOON)) == [
        MarketFound(Schedule.NSE_EQ, takes=True, phase=Phase.OPEN),
        InstrumentsFound((SHARE,)),
    ]


def test_only_the_markets_that_changed_are_told_again(tmp_path: Path) -> None:
    closed: set[Schedule] = set()
    master = Master(MasterFile(tmp_path / "instruments", "anywhere"))

    def session(schedule: Schedule, now: datetime) -> Session:
        ago = timedelta(seconds=3)
        return Session(Phase.CLOSED if schedule in closed else Phase.OPEN, ago)

    surroundings = Surroundings(master, session)
    list(surroundings.around((SHARE.key, KEY), NOON))
    assert surroundings.open
    assert list(surroundings.markets(NOON)) == []
    closed.add(Schedule.NSE_FNO)
    shut = (False, Phase.CLOSED, timedelta(seconds=3))
    assert list(surroundings.markets(NOON)) == [MarketFound(Schedule.NSE_FNO, *shut)]
    assert surroundings.open
    closed.add(Schedule.NSE_EQ)
    assert list(surroundings.markets(NOON)) == [MarketFound(Schedule.NSE_EQ, *shut)]
    assert not surroundings.open


# What a follower makes of it


def test_s5_5_a_share_without_derivatives_goes_by_its_own_hours() -> None:
    """At 15:20 it trades on, while the others are in their auction, and the other way round."""
    plain = replace(CONTRACT, key=SHARE.key, derivatives=False)
    order = OrderSeen(leader_order(instrument=SHARE.key), NOON, 1)
    ready = (Restored(()), Granted(10), InstrumentsFound((plain,)))
    _, hands = follow(*ready, MarketFound(Schedule.NSE_EQ, takes=True), order)
    assert hands.sent == []
    _, hands = follow(*ready, MarketFound(Schedule.NSE_EQ_PLAIN, takes=True), order)
    assert steps(hands) == [Place]
    _, hands = follow(*ready, order, MarketFound(Schedule.NSE_EQ_PLAIN, takes=True))
    assert steps(hands) == [Place], "it is looked at again when its market opens"


def test_an_order_waits_for_the_master_whatever_its_event_says() -> None:
    following, hands = follow(*READY[:-1], InstrumentsMissed((KEY,), Listing.AWAITED), HINTED)
    assert hands.sent == []
    following.take(InstrumentsFound((CONTRACT,)), after(1))
    assert steps(hands) == [Place]


def test_an_unknown_instrument_leads_to_no_request_and_is_not_asked_about_again() -> None:
    following, hands = follow(*READY[:-1], InstrumentsMissed((KEY,), Listing.AWAITED), HINTED)
    following.take(InstrumentsMissed((KEY,), Listing.UNKNOWN), after(1))
    assert following.book.copies[LEADER_ORDER].state is CopyState.SKIPPED
    assert following.live == {}
    assert hands.sent == []
    following.take(replace(HINTED, order=leader_order(order_id="7")), after(2))
    assert following.book.copies["7"].state is CopyState.SKIPPED
    assert hands.sent == []


def test_what_was_refused_is_copied_when_it_is_found_in_time() -> None:
    following, hands = follow(*READY[:-1], InstrumentsMissed((KEY,), Listing.UNKNOWN), HINTED)
    assert following.book.copies[LEADER_ORDER].state is CopyState.SKIPPED
    following.take(InstrumentsFound((CONTRACT,)), after(10))
    assert steps(hands) == [Place]


def test_where_the_master_cannot_tell_the_event_is_believed() -> None:
    following, hands = follow(*READY[:-1], InstrumentsMissed((KEY,), Listing.AWAITED), HINTED)
    following.take(InstrumentsMissed((KEY,), Listing.PRESUMED), after(1))
    assert steps(hands) == [Place]
