"""Every growth of an order's fills is kept once, whatever is told how often and in which order."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.merge import merge
from domain.orders import Order, Source, Status
from ledger.entries import OrderKnown
from ledger.knowledge import order_of
from ledger.ledger import Ledger
from ledger.reader import Fill, Reader
from tests.ledger.makers import order, unheard


def _kept(ledger: Ledger, path: Path) -> list[Fill]:
    with Reader.open(path) as reader:
        return reader.fills(["9001"])


def test_a_fill_that_is_told_twice_is_kept_once(ledger: Ledger, path: Path) -> None:
    told = OrderKnown("follower", order(filled=4, value=400, status=Status.PART_TRADED))
    ledger.commit([told, told])
    ledger.commit([told])
    assert [(fill.quantity, fill.value) for fill in _kept(ledger, path)] == [(4, 400)]


def test_each_growth_is_a_fill_of_its_own(ledger: Ledger, path: Path) -> None:
    ledger.commit([OrderKnown("follower", order(filled=4, value=400, second=1))])
    ledger.commit([OrderKnown("follower", order(filled=10, value=1_060, second=2))])
    assert [(fill.quantity, fill.value, fill.cumulative) for fill in _kept(ledger, path)] == [
        (4, 400, 4),
        (6, 660, 10),
    ]


def test_a_later_word_on_the_price_corrects_the_last_fill(ledger: Ledger, path: Path) -> None:
    ledger.commit([OrderKnown("follower", order(filled=4, value=400))])
    ledger.commit([OrderKnown("follower", order(filled=4, value=404, source=Source.BOOK))])
    assert [(fill.quantity, fill.value) for fill in _kept(ledger, path)] == [(4, 404)]


def test_equal_order_ids_of_two_accounts_stay_apart(ledger: Ledger, path: Path) -> None:
    ledger.commit(
        [
            OrderKnown("leader", order(client_id="one", filled=4, value=400)),
            OrderKnown("follower", order(client_id="two", filled=2, value=202)),
        ]
    )
    assert {fill.client_id: fill.quantity for fill in _kept(ledger, path)} == {"one": 4, "two": 2}


def test_hearing_the_same_again_writes_nothing(ledger: Ledger) -> None:
    ledger.commit([OrderKnown("follower", order(filled=4, value=400, source=Source.BOOK))])
    before = ledger.connection.total_changes
    again = order(filled=4, value=400, source=Source.BOOK, heard=99)
    ledger.commit([OrderKnown("follower", again)])
    assert ledger.connection.total_changes == before


@st.composite
def _lives(draw: st.DrawFn) -> list[Order]:
    """What an order's life looks like from outside: growing fills, each told by feed, book or
    both, then doubled, lost and shuffled."""
    growths = draw(st.lists(st.integers(1, 5), min_size=1, max_size=6))
    filled = value = 0
    told: list[Order] = []
    for second, growth in enumerate(growths):
        filled += growth
        value += growth * draw(st.integers(9_000, 11_000))
        status = Status.TRADED if second == len(growths) - 1 else Status.PART_TRADED
        told += [
            order(
                filled=filled,
                value=value,
                status=status,
                second=second,
                source=source,
                heard=len(told) + 1,
            )
            for source in draw(st.sets(st.sampled_from(Source), min_size=1))
        ]
    doubled = draw(st.lists(st.sampled_from(told), max_size=6))
    return draw(st.permutations([*told, *doubled]))


@given(_lives(), st.data())
@settings(deadline=None, max_examples=40)
def test_fills_sum_up_to_what_is_known(told: list[Order], data: st.DataObject) -> None:
    with TemporaryDirectory() as place:
        path = Path(place) / "copy_trading.db"
        expected: Order | None = None
        ledger = Ledger.open(path)
        left = list(told)
        while left:
            size = data.draw(st.integers(1, len(left)))
            batch, left = left[:size], left[size:]
            ledger.commit([OrderKnown("follower", known) for known in batch])
            if data.draw(st.booleans()):
                ledger.close()
                ledger = Ledger.open(path)
        for known in told:
            expected = merge(expected, known) if expected else known
        assert expected is not None
        fills = _kept(ledger, path)
        ledger.close()
        assert sum(fill.quantity for fill in fills) == expected.filled
        assert sum(fill.value for fill in fills) == expected.traded_value
        assert all(fill.quantity > 0 for fill in fills)
        assert [fill.cumulative for fill in fills] == sorted({fill.cumulative for fill in fills})
        assert fills[-1].cumulative == expected.filled


@given(_lives(), st.integers(0, 30))
@settings(deadline=None, max_examples=25)
def test_an_order_is_known_after_a_restart_as_before(told: list[Order], cut: int) -> None:
    with TemporaryDirectory() as place:
        path = Path(place) / "copy_trading.db"
        for batch in (told[:cut], told[cut:]):
            with Ledger.open(path) as ledger:
                ledger.commit([OrderKnown("leader", known) for known in batch])
        with Ledger.open(path) as ledger:
            (row,) = ledger.rows("SELECT * FROM order_states")
    expected = told[0]
    for known in told[1:]:
        expected = merge(expected, known)
    assert order_of(row) == unheard(expected)
