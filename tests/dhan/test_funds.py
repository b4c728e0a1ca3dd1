"""Funds and margins as Dhan tells them, and how a margin is asked for."""

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings

from dhan.codec.funds import capital, margin, statement
from dhan.codec.values import Unreadable
from dhan.requests import Kind, Requests
from domain.funds import Trade
from domain.instruments import InstrumentKey, Segment
from domain.orders import Product, Side
from domain.statements import FundsShown
from tests.dhan.test_values import ANY_JSON

SAMPLE = (
    Path(__file__).parents[3] / "shared" / "dhan" / "samples" / "rest-margincalculator-200.json"
)
HDFCBANK = Trade(InstrumentKey(Segment.NSE_EQ, "1333"), Product.CNC, Side.BUY)


@pytest.mark.skipif(not SAMPLE.exists(), reason="the sample is not here")
def test_a_margin_is_asked_for_and_told_as_in_the_sample() -> None:
    sample = json.loads(SAMPLE.read_text())
    request = Requests("1000000132").margin(HDFCBANK, 5, 142_800)
    assert (request.kind, request.method) == (Kind.READ, "POST")
    assert sample["request"]["uri"].endswith(request.path)
    asked = json.loads(request.body)
    assert asked.items() <= sample["request"]["body"].items()
    assert sample["request"]["body"].keys() - asked == {"triggerPrice"}
    assert margin(json.dumps(sample["body"]).encode()) == 714_000


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"{}", b'{"totalMargin": null}', b'{"totalMargin": "much"}'],
)
def test_a_margin_that_is_not_told_is_none(body: bytes) -> None:
    with pytest.raises(Unreadable):
        margin(body)


@settings(deadline=None, max_examples=100)
@given(told=ANY_JSON)
def test_whatever_is_told_is_read_or_unreadable(told: object) -> None:
    body = json.dumps({"totalMargin": told, "availabelBalance": told}).encode()
    for read in (margin, capital):
        with suppress(Unreadable):
            assert isinstance(read(body), int)
    with suppress(Unreadable):
        assert isinstance(statement(body).available, int)


def test_a_statement_has_the_collateral_in_what_is_available() -> None:
    row = {"availabelBalance": 98_440.5, "collateralAmount": "440.5", "utilizedAmount": None}
    assert statement(json.dumps(row).encode()) == FundsShown(9_844_050, 44_050, 0)
