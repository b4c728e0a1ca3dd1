"""Inverse copies that come back from the ledger: what they were, and which way their position was
built."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from domain.copybook import CopyBook
from domain.messages import OrderSeen
from domain.orders import Product, Side, Status
from domain.rules import Mood, Rules
from domain.steps import Place
from ledger.ledger import Ledger
from ledger.memory import Memory
from tests.ledger.floor import LEADER_ID, TradingFloor
from tests.ledger.makers import HALF, NOW, order
from tests.ledger.test_built import leaders, traded


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[TradingFloor]:
    """A leader order for 20, of which 10 have traded, and the copy of these on its way."""
    with closing(TradingFloor(tmp_path / "ledger.db")) as made:
        made.rules = replace(made.rules, inverse=True)
        made.restart()
        got = {"filled": 10, "traded_value": 100_000}
        made.leader_has(status=Status.PART_TRADED, **got)
        yield made


@pytest.mark.parametrize("inverse", [True, False])
def test_a_copy_goes_on_as_it_began_whatever_the_rule_is_when_the_next_process_starts(
    floor: TradingFloor, inverse: bool
) -> None:
    floor.rules = replace(floor.rules, inverse=inverse)
    (sent,) = floor.in_flight
    assert floor.carried_out(sent)
    floor.restart()  # before the answer
    assert floor.in_flight == []
    floor.now += timedelta(seconds=1)
    floor.becomes(floor.placed_as(sent), status=Status.TRADED, filled=5, traded_value=50_000)
    floor.read(floor.broker_book)
    floor.restart()  # after it traded
    assert floor.book.orders[LEADER_ID].mirrored
    assert (floor.live.filled, floor.in_flight) == (5, [])
    floor.leader_has(status=Status.CANCELLED, filled=14, traded_value=140_000)
    (more,) = floor.in_flight
    assert isinstance(more.request, Place)
    ticket = more.request.ticket
    assert (ticket.side, ticket.terms.quantity, more.number) == (Side.SELL, 2, 1)
    floor.restart()
    assert floor.in_flight == []  # what is not known is looked for, not asked for again


@pytest.mark.parametrize("inverse", [True, False])
@pytest.mark.parametrize("mine", [Side.BUY, Side.SELL])
@pytest.mark.parametrize("days", [1, 30])
def test_a_position_is_left_as_it_was_built_days_ago(
    ledger: Ledger, inverse: bool, mine: Side, days: int
) -> None:
    """The leader bought 20 and sells them today; the copy of the first was bought or sold."""
    then = NOW - timedelta(days=days)
    ledger.commit([*traded("1001", 10, mine, at=then), leaders("1001", 20, at=then)])
    book = CopyBook(Rules("asha", HALF, inverse=inverse))
    kept = Memory(ledger).restored("asha", NOW)
    book.restore(kept.copies, NOW, kept.orders, kept.built)
    sold = order("1002", "leader", 20, 2_000, Status.TRADED)
    sold = replace(sold, side=Side.SELL, product=Product.MARGIN)
    book.seen(OrderSeen(replace(sold, terms=replace(sold.terms, quantity=20)), NOW, 1))
    step = book.step("1002", Mood.ACTIVE, True, NOW)
    assert isinstance(step, Place)
    assert (step.ticket.side, step.ticket.terms.quantity) == (mine.other, 10)
