"""The journal: what is noted comes back as it was, in one commit with what it led to."""

import sqlite3
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.inputs import Input, Mandate, MarketFound, Opened, Rang
from domain.instruments import Instrument
from domain.messages import OrderSeen
from domain.orders import Terms
from domain.permits import Window
from domain.protection import Protection
from domain.rules import Rules
from domain.schedules import Schedule
from domain.sessions import Phase
from domain.sizing import Fixed, Multiplier, Rounding, Sizing
from ledger.entries import Noted, Unsent
from ledger.journal import decode, encode, followers_noted, noted, unsent
from ledger.ledger import Ledger, LedgerFailure
from tests.ledger.makers import NOW, intent, order

_whole = st.integers(min_value=0, max_value=10**9)
_instants = st.datetimes(
    min_value=datetime(2020, 1, 1), max_value=datetime(2030, 1, 1), timezones=st.just(UTC)
)
_shares = st.fractions(min_value=Fraction(1, 1000), max_value=1000)
for kind, strategy in (
    (datetime, _instants),
    (timedelta, st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=1))),
    (Fraction, _shares),
    (Protection, st.builds(Protection, _shares, st.floats(min_value=0, max_value=60))),
    (Sizing, st.builds(Multiplier, _shares)),
    (Multiplier, st.builds(Multiplier, _shares, st.sampled_from(Rounding))),
    (Fixed, st.builds(Fixed, st.integers(1, 100), st.booleans())),
    (
        Terms,
        st.builds(Terms, quantity=_whole, price=_whole, trigger=_whole, disclosed=_whole),
    ),
    (Instrument, st.builds(Instrument, lot=st.just(65), tick=st.just(5))),
    (Window, st.builds(Window, st.floats(min_value=0.5, max_value=86_400), st.just(10))),
):
    st.register_type_strategy(kind, strategy)

OPENED = Opened(Mandate(Rules("asha")))


def note(told: Input, seconds: float = 0.0, follower: str = "asha") -> Noted:
    return Noted(follower, NOW + timedelta(seconds=seconds), told)


def read(ledger: Ledger, follower: str = "asha", since: float = 0.0) -> list[Noted]:
    begin = NOW + timedelta(seconds=since)
    return list(noted(ledger, follower, begin, NOW + timedelta(days=365)))


def bodies(ledger: Ledger) -> int:
    return int(ledger.rows("SELECT count(*) FROM journal_bodies")[0][0])


@pytest.mark.parametrize("kind", get_args(Input), ids=lambda kind: kind.__name__)
@settings(deadline=None, max_examples=25)
@given(drawn=st.data())
def test_every_input_comes_back_as_it_was(kind: type[Input], drawn: st.DataObject) -> None:
    told = drawn.draw(st.from_type(kind))
    assert decode(kind.__name__, encode(told)) == told


@pytest.mark.parametrize("body", ["{}", "[]", "not JSON"])
def test_what_cannot_be_read_is_said(body: str) -> None:
    with pytest.raises(ValueError, match="an input OrderSeen that this version cannot read"):
        decode("OrderSeen", body)
    with pytest.raises(ValueError, match="an input Overheard"):
        decode("Overheard", body)


def test_a_mandate_is_kept_with_its_defaults() -> None:
    assert '"max_age":30000000' in encode(OPENED)


def test_what_is_told_to_all_is_kept_once(ledger: Ledger) -> None:
    seen = OrderSeen(order(), NOW, 1)
    ledger.commit([note(OPENED), note(OPENED, follower="birju")])
    ledger.commit([note(seen, 1), note(seen, 2, "birju")])
    ledger.commit([note(seen, 3)])
    assert bodies(ledger) == 2
    assert read(ledger) == [note(OPENED), note(seen, 1), note(seen, 3)]
    assert read(ledger, "birju") == [note(OPENED, 0, "birju"), note(seen, 2, "birju")]


def test_an_intent_is_not_kept_without_what_led_to_it(ledger: Ledger) -> None:
    seen = OrderSeen(order(), NOW, 1)
    ledger.commit([note(OPENED), intent()])
    with pytest.raises(LedgerFailure):
        ledger.commit([note(seen, 1), intent()])  # the second placement by one name
    assert read(ledger) == [note(OPENED)]
    ledger.commit([note(seen, 2)])
    assert read(ledger) == [note(OPENED), note(seen, 2)]


def test_what_did_not_leave_is_told_apart_from_what_was_taken(ledger: Ledger) -> None:
    mine, theirs = intent(number=3), intent(follower="birju")
    ledger.commit([note(OPENED), Unsent(mine), note(Rang("1"), 1), Unsent(theirs)])
    second = timedelta(seconds=1)
    assert list(unsent(ledger, "asha", NOW, NOW + second)) == [mine]
    assert list(unsent(ledger, "asha", NOW + second, NOW + 2 * second)) == []
    assert read(ledger) == [note(OPENED), note(Rang("1"), 1)]


def test_a_day_is_read_from_where_the_actor_began(ledger: Ledger) -> None:
    lives = [note(OPENED, 0), note(Rang("1"), 5), note(OPENED, 10), note(Rang("2"), 15)]
    ledger.commit(lives)
    assert read(ledger, since=12) == lives[2:]
    assert read(ledger, since=7) == lives
    assert read(ledger, since=-7) == lives
    until = NOW + timedelta(seconds=15)
    assert list(noted(ledger, "asha", NOW, until)) == lives[:3]
    assert followers_noted(ledger, NOW, until) == ["asha"]
    assert followers_noted(ledger, until, until) == []
    assert read(ledger, "nobody") == []


def test_numbers_go_on_in_another_process(ledger: Ledger) -> None:
    ledger.commit([note(OPENED)])
    ledger.close()
    with Ledger.open(ledger.path) as again:
        again.commit([note(Rang("1"), 1)])
        assert read(again) == [note(OPENED), note(Rang("1"), 1)]


def test_pruning_lets_go_of_whole_lives_only(ledger: Ledger) -> None:
    ledger.commit([note(OPENED), *(note(Rang(str(n)), n) for n in range(5000))])
    kept = [note(OPENED, 6000), *(note(Rang(str(n)), 6000 + n) for n in range(20_000))]
    ledger.commit(kept)
    before = NOW + timedelta(seconds=9000)
    assert ledger.prune(before)
    while ledger.prune(before):
        pass
    assert read(ledger) == kept
    # What is still referred to is never let go, and the rest is in the end.
    assert bodies(ledger) <= len(kept) + 10_000
    joined = ledger.rows(
        "SELECT count(*) FROM journal JOIN journal_bodies ON journal_bodies.id = journal.body"
    )
    assert joined[0][0] == len(kept)


def test_pruning_waits_for_nobody(ledger: Ledger) -> None:
    ledger.commit([note(OPENED), note(OPENED, 10)])
    ledger.connection.execute("PRAGMA busy_timeout = 1")
    other = sqlite3.connect(ledger.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert not ledger.prune(NOW + timedelta(seconds=20))
    other.close()
    assert len(read(ledger, since=5)) == 2
    ledger.prune(NOW + timedelta(seconds=20))
    assert read(ledger) == [note(OPENED, 10)]


def test_a_market_and_its_phase_are_kept() -> None:
    for ago in (None, timedelta(0), timedelta(minutes=5, microseconds=3)):
        told = MarketFound(Schedule.NSE_EQ, takes=False, phase=Phase.BUFFER, ago=ago)
        assert decode("MarketFound", encode(told)) == told


def test_markets_that_an_earlier_version_told_by_segment_are_read() -> None:
    told = MarketFound(Schedule.MCX_COMM, takes=True)
    assert decode("MarketFound", encode(told)) == told
    assert decode("MarketFound", '{"segment":"MCX_COMM","takes":true}') == told
