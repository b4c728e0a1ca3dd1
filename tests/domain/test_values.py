"""The small values that everything is made of."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from domain.instruments import Segment
from domain.orders import OrderType, Product, Status, Terms
from domain.rules import Rules
from domain.sizing import Multiplier
from tests.domain.builders import CONTRACT, filled, leader_order, terms


@pytest.mark.parametrize(
    ("kind", "price", "trigger"),
    [
        (OrderType.LIMIT, True, False),
        (OrderType.MARKET, False, False),
        (OrderType.STOP_LOSS, True, True),
        (OrderType.STOP_LOSS_MARKET, False, True),
    ],
)
def test_which_prices_belong_to_an_order_type(kind: OrderType, price: bool, trigger: bool) -> None:
    assert (kind.has_price, kind.has_trigger) == (price, trigger)


@pytest.mark.parametrize("field", ["quantity", "price", "trigger", "disclosed"])
def test_negative_amounts_are_refused(field: str) -> None:
    negative: dict[str, Any] = {field: -1}
    with pytest.raises(ValueError, match="negative"):
        replace(terms(), **negative)


def test_terms_may_be_empty() -> None:
    assert Terms(0, OrderType.MARKET).quantity == 0


@pytest.mark.parametrize("status", list(Status))
def test_which_statuses_are_terminal(status: Status) -> None:
    ended = {Status.REJECTED, Status.EXPIRED, Status.CANCELLED, Status.TRADED}
    assert status.terminal == (status in ended)
    cut = status in ended and status is not Status.TRADED
    assert leader_order(status=status).cut_short == cut


def test_the_average_price_is_that_of_all_fills() -> None:
    assert leader_order().average_price is None
    assert filled(leader_order(), 50, price=10_005).average_price == 10_005


def test_which_segments_are_copied_and_which_trade_single_shares() -> None:
    assert {segment for segment in Segment if not segment.copied} == {
        Segment.IDX_I,
        Segment.INX_EQ,
    }
    assert {segment for segment in Segment if segment.cash} == {Segment.NSE_EQ, Segment.BSE_EQ}


@pytest.mark.parametrize(
    ("price", "down", "up"), [(10_000, 10_000, 10_000), (10_001, 10_000, 10_005), (3, 5, 5)]
)
def test_prices_snap_to_ticks(price: int, down: int, up: int) -> None:
    assert (CONTRACT.snap_down(price), CONTRACT.snap_up(price)) == (down, up)


def test_rules_copy_everything_as_it_is_unless_told_otherwise() -> None:
    rules = Rules("asha")
    assert rules.sizing == Multiplier(Fraction(1))
    assert rules.product(Product.CNC) is Product.CNC
    assert rules.protection.band == Fraction(1, 100)
    assert rules.lag_after.total_seconds() == 5
