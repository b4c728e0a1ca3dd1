"""Positions as Dhan tells them."""

import json
from pathlib import Path
from typing import Any

import pytest

from dhan.codec.positions import positions, profit, statement
from dhan.codec.values import Unreadable
from domain.instruments import InstrumentKey, Segment
from domain.orders import Product

SAMPLE = Path(__file__).parents[3] / "shared" / "dhan" / "samples" / "rest-position-docs.json"
ROW = {
    "securityId": "11536",
    "exchangeSegment": "NSE_EQ",
    "productType": "CNC",
    "netQty": -25,
    "dayBuyQty": 10,
    "daySellQty": 40,
}


def body(*rows: dict[str, Any]) -> bytes:
    return json.dumps(rows).encode()


def test_the_day_and_the_net_are_signed_shares() -> None:
    (found,) = positions(body(ROW))
    assert found.holding.instrument == InstrumentKey(Segment.NSE_EQ, "11536")
    assert (found.holding.product, found.day, found.net) == (Product.CNC, -30, -25)


@pytest.mark.parametrize(
    ("rows", "paise"),
    [
        ([], 0),
        ([(-1250.5, -3749.55)], -500_005),
        ([(1250.5, -3749.55), (0, "12.05")], -248_700),
        ([(0.1, 0.2)], 30),
    ],
)
def test_profit_is_realised_and_open_of_all_positions(
    rows: list[tuple[float, float]], paise: int
) -> None:
    told = [{**ROW, "realizedProfit": done, "unrealizedProfit": open_} for done, open_ in rows]
    foreign = {"exchangeSegment": "INX_EQ", "realizedProfit": 0, "unrealizedProfit": -1}
    assert profit(body(*told)) == paise
    assert profit(body(*told, foreign)) == paise - 100


@pytest.mark.parametrize("told", [b"", b"{}", body(ROW), body({"realizedProfit": 1})])
def test_profit_that_is_not_told_is_none(told: bytes) -> None:
    with pytest.raises(Unreadable):
        profit(told)


def test_a_statement_has_what_positions_cost_and_earned() -> None:
    more = {"costPrice": 3345.8, "realizedProfit": -12.5, "unrealizedProfit": "6122"}
    (found,) = statement(body(ROW | more))
    assert (found.instrument, found.product) == (InstrumentKey(Segment.NSE_EQ, "11536"), "CNC")
    assert (found.quantity, found.average) == (-25, 334_580)
    assert (found.realised, found.unrealised) == (-1_250, 612_200)
    with pytest.raises(Unreadable):
        statement(b"{}")


def test_none_is_an_empty_list() -> None:
    assert positions(b"[]") == ()


@pytest.mark.skipif(not SAMPLE.exists(), reason="the sample is not here")
def test_the_documented_sample_is_read() -> None:
    (found,) = positions(SAMPLE.read_bytes())
    assert (found.day, found.net) == (40, 40)


@pytest.mark.parametrize("odd", [{"exchangeSegment": "MOON"}, {"productType": "SOMETHING"}])
def test_a_row_that_no_order_of_ours_can_have_made_is_left_out(odd: dict[str, str]) -> None:
    assert len(positions(body(ROW, ROW | odd))) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"{}",
        b"[1]",
        b'{"errorCode": "DH-901"}',
        body(ROW | {"netQty": None}),
        body(ROW | {"netQty": 0.5}),
        body(ROW | {"dayBuyQty": "many"}),
        body({key: value for key, value in ROW.items() if key != "daySellQty"}),
        body(ROW | {"securityId": None}),
    ],
)
def test_what_is_no_complete_list_is_no_empty_one(wrong: bytes) -> None:
    with pytest.raises(Unreadable):
        positions(wrong)
