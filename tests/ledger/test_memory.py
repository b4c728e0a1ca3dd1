"""What a follower that starts is told: copies of the last days with the leader's orders of them,
and whatever else was built as a sum."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.built import Built
from domain.copybook import CopyBook
from domain.inputs import Restored
from domain.orders import Product, Side
from domain.rules import Rules
from ledger.ledger import Ledger
from ledger.memory import Memory
from tests.ledger.makers import KEY, NOW
from tests.ledger.test_built import leaders, traded

DAY = timedelta(days=1)
MARGIN, CNC = Product.MARGIN, Product.CNC

_Trade = tuple[int, int, int, Side, Product, int, bool]


def test_an_empty_ledger_tells_nothing(ledger: Ledger) -> None:
    assert Memory(ledger).restored("asha", NOW) == Restored(())


def test_a_copy_is_told_one_by_one_for_five_days_and_then_as_a_position(ledger: Ledger) -> None:
    ledger.commit([*traded("1001", 10, at=NOW), leaders("1001", 20, at=NOW)])
    ledger.commit([leaders("1002", 1, product=CNC, at=NOW + DAY)])
    for days, told in ((0, 1), (5, 1), (6, 0), (400, 0)):
        restored = Memory(ledger).restored("asha", NOW + days * DAY)
        assert len(restored.copies) == told
        assert [order.order_id for order in restored.orders] == ["1001"] * told + ["1002"]
        assert restored.built == (() if told else (Built(KEY, MARGIN, 20, 10),))


def test_orders_that_were_not_copied_count_for_the_leader(ledger: Ledger) -> None:
    ledger.commit(
        [leaders("1001", 20, at=NOW - DAY), leaders("1002", 5, Side.SELL, CNC, NOW - DAY)]
    )
    ledger.commit([leaders("1003", 7, at=NOW)])
    restored = Memory(ledger).restored("asha", NOW)
    assert set(restored.built) == {Built(KEY, MARGIN, 20, 0), Built(KEY, CNC, -5, 0)}
    assert [order.order_id for order in restored.orders] == ["1003"]


def net(restored: Restored, at: datetime) -> dict[Product, tuple[int, int]]:
    """What the leader and the copies hold by product, once a follower has taken that over."""
    book = CopyBook(Rules("asha"))
    book.restore(restored.copies, at, restored.orders, restored.built)
    found = {}
    for product in (MARGIN, CNC):
        own = book.position(KEY, product)
        total: dict[Product, int] = defaultdict(int)
        for one in restored.built:
            total[one.product] += one.leader
        for order in restored.orders:
            total[order.product] += order.filled if order.side is Side.BUY else -order.filled
        found[product] = (total[product], own)
    return found


def expected(trades: Sequence[_Trade]) -> dict[Product, tuple[int, int]]:
    """The same, by the plain sums."""
    found = {MARGIN: (0, 0), CNC: (0, 0)}
    for _, theirs, mine, side, product, _, copied in trades:
        sign = 1 if side is Side.BUY else -1
        leader, own = found[product]
        found[product] = leader + sign * theirs, own + (sign * mine if copied else 0)
    return found


def write(ledger: Ledger, trades: Sequence[_Trade]) -> None:
    for number, theirs, mine, side, product, ago, copied in trades:
        name, at = f"1{number:03}", NOW - ago * DAY
        ledger.commit([leaders(name, theirs, side, product, at)])
        if copied:
            ledger.commit(traded(name, mine, side, product, at))


TRADES = st.lists(
    st.tuples(
        st.integers(0, 99),
        st.integers(1, 50),
        st.integers(1, 50),
        st.sampled_from(Side),
        st.sampled_from((CNC, MARGIN)),
        st.integers(0, 20),
        st.booleans(),
    ),
    max_size=12,
    unique_by=lambda one: one[0],
)


@given(TRADES, st.integers(0, 30))
@settings(deadline=None, max_examples=40)
def test_whenever_a_process_starts_the_positions_are_the_same(
    trades: list[_Trade], days: int
) -> None:
    with TemporaryDirectory() as folder, Ledger.open(Path(folder) / "copy_trading.db") as ledger:
        write(ledger, trades)
        at = NOW + days * DAY
        assert net(Memory(ledger).restored("asha", at), at) == expected(trades)


@given(TRADES, TRADES, st.integers(0, 49))
@settings(deadline=None, max_examples=40)
def test_a_later_start_of_the_same_process_counts_nothing_twice(
    trades: list[_Trade], more: list[_Trade], hours: int
) -> None:
    """What was looked up at the first start still counts at a later one, after other orders."""
    later = [(one[0] + 100, *one[1:5], 0, one[6]) for one in more]
    with TemporaryDirectory() as folder, Ledger.open(Path(folder) / "copy_trading.db") as ledger:
        write(ledger, trades)
        memory = Memory(ledger)
        assert net(memory.restored("asha", NOW), NOW) == expected(trades)
        write(ledger, later)
        at = NOW + timedelta(hours=hours)
        assert net(memory.restored("asha", at), at) == expected([*trades, *later])
        assert memory.restored("bala", at).copies == ()
