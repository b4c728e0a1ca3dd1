"""Single values in every spelling that Dhan was seen, or may be expected, to send."""

from contextlib import suppress
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dhan.codec.values import (
    Unreadable,
    flag,
    instant,
    number,
    order_type,
    paise,
    product,
    quantity,
    segment,
    side,
    status,
    text,
    validity,
)
from domain.instruments import Segment
from domain.orders import OrderType, Product, Side, Status, Validity

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("1333", "1333"),
        (" 1333\n", "1333"),
        (1333, "1333"),
        (1333.0, "1333"),
        (0.5, "0.5"),
        *((none, "") for none in (None, "", " ", "NA", "na", "NR", "N/A", "null", "None")),
        (True, ""),
        ([1], ""),
        ({"a": 1}, ""),
        (float("nan"), ""),
        (float("inf"), ""),
        ("Reliance\x1b[31m\nIndustries", "Reliance [31m Industries"),
        ("bad\ud800half", "bad half"),
        ("x" * 1_000_000, "x" * 500),
    ],
)
def test_text(value: object, read: str) -> None:
    assert text(value) == read


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (1428.05, 142805),
        ("1428.05", 142805),
        ("1428.0500", 142805),
        (1428, 142800),
        ("0.1", 10),
        (0.29, 29),
        (0.57, 57),
        (1.005, 100),
        (-5.0, 0),
        ("-0.01000", 0),
        (None, 0),
        ("", 0),
        ("NA", 0),
        (False, 0),
        ("1e2", 10000),
        (1e-300, 0),
        ("1e-3000", 0),
    ],
)
def test_paise(value: object, read: int) -> None:
    assert paise(value) == read


@given(st.integers(0, 10**9))
def test_every_amount_survives_the_wires_floats_and_texts(amount: int) -> None:
    assert paise(amount / 100) == amount
    assert paise(str(amount / 100)) == amount
    assert paise(f"{amount // 100}.{amount % 100:02}00") == amount


@pytest.mark.parametrize(
    "hostile",
    [
        float("nan"),
        float("inf"),
        float("-inf"),
        1e300,
        10**30,
        "NaN",
        "sNaN",
        "Infinity",
        "1e400000000",
        "1e99999999999999999999",
        "9" * 1_000_000,
        "0." + "1" * 1_000_000,
        "12,50",
        "twelve",
        "0x10",
        {"a": 1},
        [1],
    ],
)
def test_what_is_no_sensible_number_is_unreadable(hostile: object) -> None:
    for read in (number, paise, quantity):
        with pytest.raises(Unreadable) as trouble:
            read(hostile)
        assert len(str(trouble.value)) < 100


@pytest.mark.parametrize(
    ("value", "read"), [(65, 65), (65.0, 65), ("65", 65), ("65.0", 65), ("6.5e1", 65), (-3, 0)]
)
def test_quantity(value: object, read: int) -> None:
    assert quantity(value) == read


@pytest.mark.parametrize("value", [0.5, "10.5", "1e-9"])
def test_a_part_of_a_share_is_unreadable(value: object) -> None:
    with pytest.raises(Unreadable):
        quantity(value)


def test_number_is_exact() -> None:
    assert number("148.0125") == Decimal("148.0125")
    assert number(148.0125) == Decimal("148.0125")


@settings(deadline=None, max_examples=200)
@given(ANY_JSON)
def test_a_reading_answers_or_is_unreadable_and_nothing_else(value: object) -> None:
    for read in (number, paise, quantity, side, order_type, product):
        with suppress(Unreadable):
            read(value)
    assert text(value).isprintable()
    assert text(value).encode().decode() == text(value)
    moment = instant(value)
    assert moment is None or 2000 <= moment.year < 2100
    assert isinstance(status(value, None, 1), Status)
    assert isinstance(validity(value), Validity)
    assert isinstance(flag(value), bool)


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-25 09:15:00",
        "2026-11-25T09:15:00",
        "2026-11-25 09:15:00.0",
        "2026-11-25T09:15:00.123456",
        "25/11/2026 09:15:00",
        "25/11/2026 09:15",
    ],
)
def test_times_are_indian(written: str) -> None:
    read = instant(written)
    assert read is not None
    assert read.isoformat() == "2026-11-25T09:15:00+05:30"
    assert read.utcoffset() == timedelta(hours=5, minutes=30)


@pytest.mark.parametrize(
    "written",
    [
        None,
        "",
        "NA",
        0,
        "0001-01-01",
        "0001-01-01 00:00:00",
        "0001-01-02 00:00:00",
        "1999-12-31 23:59:59",
        "2100-01-01 00:00:00",
        "9999-12-31 23:59:59",
        "2026-13-01 00:00:00",
        "2026-11-25T14+05:30",
        "31/02/2026 10:00",
        "yesterday",
        "2026-11-25 25:00:00",
    ],
)
def test_a_time_that_cannot_be_is_none(written: object) -> None:
    assert instant(written) is None


@pytest.mark.parametrize(
    ("word", "read"),
    [
        ("Transit", Status.TRANSIT),
        ("Pending", Status.PENDING),
        ("PENDING", Status.PENDING),
        ("Triggered", Status.PENDING),
        ("Trigger Pending", Status.PENDING),
        ("Active", Status.PENDING),
        ("Dummy", Status.PENDING),
        ("CONFIRM", Status.PENDING),
        ("Part_Traded", Status.PART_TRADED),
        ("Part Traded", Status.PART_TRADED),
        ("PART-TRADED", Status.PART_TRADED),
        ("parttraded", Status.PART_TRADED),
        ("Partially Traded", Status.PART_TRADED),
        ("Traded", Status.TRADED),
        ("Cancelled", Status.CANCELLED),
        ("Canceled", Status.CANCELLED),
        ("Rejected", Status.REJECTED),
        ("Expired", Status.EXPIRED),
        ("Closed", Status.UNREADABLE),
        ("Not Traded", Status.UNREADABLE),
        ("", Status.UNREADABLE),
        (None, Status.UNREADABLE),
        (5, Status.UNREADABLE),
        ({"a": "Traded"}, Status.UNREADABLE),
    ],
)
def test_status_in_any_spelling(word: object, read: Status) -> None:
    assert status(word, None, 10) is read


@pytest.mark.parametrize(
    ("word", "filled", "read"),
    [
        ("Traded", 4, Status.PART_TRADED),
        ("Traded", 10, Status.TRADED),
        ("Traded", 0, Status.PART_TRADED),
        ("Pending", 0, Status.PENDING),
        ("Pending", 4, Status.PART_TRADED),
        ("Pending", 10, Status.TRADED),
        ("Part_Traded", 10, Status.TRADED),
        ("Part_Traded", 0, Status.PART_TRADED),
        ("Cancelled", 4, Status.CANCELLED),
        ("Expired", 4, Status.EXPIRED),
        ("Rejected", 0, Status.REJECTED),
        ("Transit", 0, Status.TRANSIT),
        ("Odd", 4, Status.UNREADABLE),
    ],
)
def test_quantities_speak_before_words(word: str, filled: int, read: Status) -> None:
    assert status(word, filled, 10) is read


def test_sides_order_types_and_validities() -> None:
    assert [side(word) for word in ("B", "buy", "S", "SELL")] == [
        Side.BUY,
        Side.BUY,
        Side.SELL,
        Side.SELL,
    ]
    spellings = {
        OrderType.LIMIT: ("LMT", "LIMIT", "Limit"),
        OrderType.MARKET: ("MKT", "MARKET"),
        OrderType.STOP_LOSS: ("SL", "STOP_LOSS", "STOP LOSS"),
        OrderType.STOP_LOSS_MARKET: ("SLM", "SL-M", "STOP_LOSS_MARKET"),
    }
    for kind, words in spellings.items():
        assert {order_type(word) for word in words} == {kind}
    assert validity("IOC") is Validity.IOC
    assert validity("DAY") is validity(None) is Validity.DAY


@pytest.mark.parametrize("word", ["BO", "SHORT", "", None, "X", 1])
def test_a_side_is_never_guessed(word: object) -> None:
    with pytest.raises(Unreadable):
        side(word)


@pytest.mark.parametrize("word", ["SINGLE", "OCO", "", None, "LIMITED"])
def test_an_order_type_is_never_guessed(word: object) -> None:
    with pytest.raises(Unreadable):
        order_type(word)


def test_the_products_name_comes_before_its_letter_and_nothing_is_guessed() -> None:
    assert product("INTRADAY", "C") is Product.INTRADAY
    assert product(None, "C") is Product.CNC
    assert product("DELIVERY", "M") is Product.MARGIN
    letters = {"C": "CNC", "I": "INTRADAY", "M": "MARGIN", "F": "MTF", "V": "CO", "B": "BO"}
    assert {letter: product(letter).value for letter in letters} == letters
    with pytest.raises(Unreadable, match="DELIVERY"):
        product("DELIVERY", "X")


def test_the_segment_needs_exchange_and_letter() -> None:
    assert segment("NSE", "E") is Segment.NSE_EQ
    assert segment("nse", "d") is Segment.NSE_FNO
    assert segment("MCX", "M") is Segment.MCX_COMM
    for exchange, letter in (("NSE", "X"), ("NASDAQ", "E"), ("MCX", "E"), (None, "E"), ("NSE", "")):
        with pytest.raises(Unreadable):
            segment(exchange, letter)


@pytest.mark.parametrize(
    ("value", "yes"),
    [("1", True), (1, True), (True, True), ("true", True), ("0", False), (0, False), (None, False)],
)
def test_flags(value: object, yes: bool) -> None:
    assert flag(value) is yes
