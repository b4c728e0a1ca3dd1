"""Last prices by Dhan's market quotes, which most accounts do not have."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dhan.codec.quotes import last_prices
from dhan.codec.values import Unreadable
from dhan.requests import Kind, Requests
from domain.instruments import InstrumentKey, Segment
from tests.dhan.test_values import ANY_JSON

TCS, CALL = InstrumentKey(Segment.NSE_EQ, "11536"), InstrumentKey(Segment.NSE_FNO, "49081")


def answer(**more: object) -> bytes:
    data = {"NSE_EQ": {"11536": {"last_price": 4520.05}}, "NSE_FNO": {"49081": more}}
    return json.dumps({"data": data, "status": "success"}).encode()


def test_a_question_about_several_segments() -> None:
    request = Requests("1000000001").last_prices([TCS, CALL, InstrumentKey(Segment.NSE_EQ, "1")])
    assert (request.kind, request.method, request.path) == (Kind.READ, "POST", "/marketfeed/ltp")
    assert not request.kind.order
    assert json.loads(request.body) == {
        "NSE_EQ": [11536, 1],
        "NSE_FNO": [49081],
        "dhanClientId": "1000000001",
    }


def test_prices_in_paise() -> None:
    assert last_prices(answer(last_price=368.15)) == {TCS: 452_005, CALL: 36_815}


@pytest.mark.parametrize("price", [None, 0, -1, "none", {}, "NaN"])
def test_an_instrument_without_a_price_costs_no_other(price: object) -> None:
    assert last_prices(answer(last_price=price)) == {TCS: 452_005}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"errorCode":806,"errorMessage":"Data APIs not subscribed"}', "not subscribed"),
        (b'{"data":{"805":"Too many requests"},"status":"failed"}', "no prices"),
        (b"", "not JSON"),
        (b"[]", "no prices"),
        (b'{"status":"success"}', "no prices"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_what_is_no_answer_says_why(body: bytes, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        last_prices(body)


@settings(deadline=None, max_examples=150)
@given(ANY_JSON)
def test_arbitrary_answers_are_read_or_unreadable(value: object) -> None:
    whole = {"status": "success", "data": {"NSE_EQ": {"1": value}, "x": value, "NSE_FNO": value}}
    for price in last_prices(json.dumps(whole).encode()).values():
        assert price > 0


@settings(deadline=None, max_examples=50)
@given(st.binary())
def test_arbitrary_bytes_are_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        last_prices(body)
