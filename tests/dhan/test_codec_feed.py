"""Frames of the order-update socket: any casing, any spelling, any junk (scenario 8.9)."""

import json
import time
from collections.abc import Callable
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dhan.codec.feed import Alert, Decoded, alerts
from domain.instruments import InstrumentKey, Segment
from domain.orders import Order, OrderType, Product, Side, Source, Status, Validity
from domain.sessions import IST
from tests.dhan.broker import TOKEN
from tests.dhan.test_values import ANY_JSON

CLIENT = "1000000001"
Event = dict[str, object]

EVENT: Event = {
    "exchange": "NSE",
    "segment": "E",
    "securityId": "2885",
    "orderNo": "1124091136546",
    "product": "I",
    "txnType": "B",
    "orderType": "LMT",
    "validity": "DAY",
    "discQuantity": 0,
    "quantity": 10,
    "tradedQty": 0,
    "price": 2450.5,
    "triggerPrice": 0,
    "tradedPrice": 0,
    "avgTradedPrice": 0,
    "algoOrdNo": None,
    "offMktFlag": "0",
    "orderDateTime": "2026-11-25 09:15:01",
    "lastUpdatedTime": "2026-11-25 09:15:02",
    "remarks": "NR",
    "reasonDescription": "CONFIRMED",
    "legNo": 1,
    "symbol": "RELIANCE",
    "displayName": "Reliance Industries",
    "productName": "INTRADAY",
    "status": "Pending",
    "lotSize": 1,
    "optType": "XX",
    "refLtp": 2449.0,
    "tickSize": 0.05,
    "correlationId": "NA",
    "orderPlatform": "FAST",
}


def framed(*events: Event) -> str:
    """A frame with these events, back to back."""
    return "".join(json.dumps({"Data": event, "Type": "order_alert"}) for event in events)


def decoded(frame: str | bytes) -> Decoded:
    return alerts(frame, 77, CLIENT)


def only(frame: str | bytes) -> Alert:
    found = decoded(frame)
    assert found.junk == ()
    (alert,) = found.alerts
    return alert


def read(**changes: object) -> Order:
    return only(framed(EVENT | changes)).order


def refused(**changes: object) -> str:
    found = decoded(framed(EVENT | changes))
    assert found.alerts == ()
    (junk,) = found.junk
    return junk.reason


# One event


def test_an_event_as_production_sends_it() -> None:
    alert = only(framed(EVENT))
    order = alert.order
    assert (order.order_id, order.client_id) == ("1124091136546", CLIENT)
    assert order.instrument == InstrumentKey(Segment.NSE_EQ, "2885")
    assert (order.side, order.product, order.status) == (
        Side.BUY,
        Product.INTRADAY,
        Status.PENDING,
    )
    assert (order.terms.quantity, order.terms.price, order.terms.trigger) == (10, 245_050, 0)
    assert order.stamp.updated_at == IST.localize(datetime(2026, 11, 25, 9, 15, 2))
    assert (order.stamp.source, order.stamp.heard) == (Source.FEED, 77)
    assert order.placed_at == IST.localize(datetime(2026, 11, 25, 9, 15, 1))
    assert (order.correlation_id, order.reason, order.parent_id) == (None, "", None)
    assert (order.symbol, order.platform, order.leg) == ("Reliance Industries", "FAST", 1)
    assert not order.after_market
    assert alert.ltp == 244_900
    assert alert.hint is not None
    assert (alert.hint.lot, alert.hint.tick) == (1, 5)


def test_an_after_market_order_is_known_by_its_flag() -> None:
    assert read(offMktFlag="1").after_market
    assert read(offMktFlag=1).after_market


@pytest.mark.parametrize(
    ("traded", "average", "last", "status", "filled", "value"),
    [
        (4, 2450.0, 2451.0, Status.PART_TRADED, 4, 980_000),
        ("4", "2450.0000", 0, Status.PART_TRADED, 4, 980_000),
        (4, 0, 2451.0, Status.PART_TRADED, 4, 980_400),
        (10, 2450.1234, 2451.0, Status.TRADED, 10, 2_450_123),
        (0, 2450.0, 2450.0, Status.PENDING, 0, 0),
    ],
)
def test_fills_are_cumulative_at_their_average(
    traded: object, average: object, last: object, status: Status, filled: int, value: int
) -> None:
    order = read(tradedQty=traded, avgTradedPrice=average, tradedPrice=last)
    assert (order.status, order.filled, order.traded_value) == (status, filled, value)


@pytest.mark.parametrize("nothing", [None, "", "NA"])
def test_an_event_that_says_traded_and_no_quantity_traded_all(nothing: object) -> None:
    order = read(status="Traded", tradedQty=nothing, avgTradedPrice=2450.0)
    assert (order.status, order.filled, order.traded_value) == (Status.TRADED, 10, 2_450_000)


def test_the_rest_of_an_ioc_order_is_cancelled_and_its_fill_kept() -> None:
    order = read(validity="IOC", status="Cancelled", tradedQty=3, avgTradedPrice=2450.0)
    assert (order.terms.validity, order.status) == (Validity.IOC, Status.CANCELLED)
    assert order.filled == 3


def test_a_word_that_nobody_knows_leaves_the_order_open_and_to_be_read_again() -> None:
    order = read(status="Halted", tradedQty=3)
    assert (order.status, order.filled) == (Status.UNREADABLE, 3)
    assert not order.status.terminal


def test_prices_belong_to_their_order_type() -> None:
    market = read(orderType="MKT", price=2450.0, triggerPrice=2440.0)
    assert (market.terms.price, market.terms.trigger) == (0, 0)
    assert read(orderType="MKT", price=None).terms.price == 0
    stop = read(orderType="SL", price=2450.0, triggerPrice=2440.0)
    assert (stop.terms.price, stop.terms.trigger) == (245_000, 244_000)
    stop_market = read(orderType="SLM", price=0, triggerPrice=2440.0)
    assert (stop_market.terms.price, stop_market.terms.trigger) == (0, 244_000)


def test_the_reason_of_a_rejection_is_kept_and_confirmed_is_none() -> None:
    assert read(status="Rejected", reasonDescription="RMS: Margin Exceeds").reason == (
        "RMS: Margin Exceeds"
    )
    assert read(reasonDescription="Confirmed").reason == ""


@pytest.mark.parametrize(
    ("number", "parent"),
    [
        (None, None),
        (0, None),
        (0.0, None),
        ("0", None),
        ("0.0", None),
        ("", None),
        (112409113654.0, "112409113654"),
        (112409113654, "112409113654"),
        ("112409113654", "112409113654"),
        ("112409113650.0", "112409113650"),
    ],
)
def test_the_parent_order_in_any_type(number: object, parent: str | None) -> None:
    assert read(algoOrdNo=number).parent_id == parent


def test_the_legs_of_a_super_order_and_the_child_of_a_forever_order_are_told_apart() -> None:
    assert read(legNo=2, algoOrdNo="11").leg == 2
    assert read(legNo="3").leg == 3
    assert read(legNo=None).leg == read(legNo=0).leg == 1
    child = read(orderPlatform="FOVR", correlationId="NR", algoOrdNo="11")
    assert (child.platform, child.correlation_id, child.parent_id) == ("FOVR", None, "11")


def test_what_hints_say_wrongly_costs_no_order() -> None:
    for wrong in ({"lotSize": "NaN"}, {"tickSize": "x"}, {"lotSize": 0}, {"tickSize": -1}):
        assert only(framed(EVENT | wrong)).hint is None
    assert only(framed(EVENT | {"refLtp": {"a": 1}})).ltp is None
    fine = only(framed(EVENT | {"tickSize": 0.0025, "lotSize": "1.0"})).hint
    assert fine is not None
    assert fine.tick == 1


# What is no order


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"orderNo": None}, "no order number"),
        ({"orderNo": "NA"}, "no order number"),
        ({"securityId": ""}, "no security id"),
        ({"exchange": "NYSE"}, "segment not known"),
        ({"txnType": "?"}, "no side"),
        ({"product": "?", "productName": "NA"}, "product not known"),
        ({"orderType": "SINGLE"}, "order type not known"),
        ({"quantity": None}, "no quantity"),
        ({"quantity": 0}, "no quantity"),
        ({"quantity": "ten"}, "not a number"),
        ({"quantity": float("nan")}, "not a sensible number"),
        ({"tradedQty": 1e300}, "not a sensible number"),
        ({"price": float("inf")}, "not a sensible number"),
        ({"price": None}, "no price"),
        ({"price": 0}, "no price"),
    ],
)
def test_an_event_that_lacks_what_an_order_needs_is_none(changes: Event, reason: str) -> None:
    assert reason in refused(**changes)


def test_a_price_is_not_asked_of_an_order_that_has_ended() -> None:
    assert read(status="Rejected", price=0).status is Status.REJECTED


def test_other_messages_are_no_orders() -> None:
    assert "login_ack" in decoded('{"Type":"login_ack","Data":{}}').junk[0].reason
    assert decoded('{"MsgCode":43}').junk[0].reason == "no Data in the message"
    assert decoded('{"Type":"order_alert","Data":[1]}').junk[0].reason == "no Data in the message"


# Frames


@pytest.mark.parametrize("between", ["", "\n", "\r\n", ", ", " \t"])
def test_objects_in_one_frame_whatever_is_between_them(between: str) -> None:
    frame = between.join(framed(EVENT | {"orderNo": number}) for number in ("1", "2", "3"))
    for whole in (frame, f"[{frame}]", f"\n{frame}\n", frame.encode()):
        found = decoded(whole)
        assert [alert.order.order_id for alert in found.alerts] == ["1", "2", "3"]
        assert found.junk == ()


@pytest.mark.parametrize("junk", ["42\n", "\ufeff", "42[", "<html>", "null ", '"text" '])
def test_junk_before_and_after_an_object_costs_nothing(junk: str) -> None:
    found = decoded(junk + framed(EVENT) + junk)
    assert len(found.alerts) == 1
    assert {one.reason for one in found.junk} == {"no order event"}


def test_a_bad_object_costs_no_other() -> None:
    good = framed(EVENT)
    for bad in (good[:-30], good[:40], '{"Type":"order_alert"}', "{{{", '{"a":}', '{"n":01}'):
        found = decoded(bad + good)
        assert [alert.order.order_id for alert in found.alerts] == ["1124091136546"], bad
        assert found.junk


def test_either_casing_and_both_at_once() -> None:
    pascal = {key[0].upper() + key[1:]: value for key, value in EVENT.items()}
    camel = only(framed(EVENT))
    assert only(framed(pascal)) == camel
    assert only(framed(EVENT | {"RefLtp": None, "TickSize": None})) == camel
    assert only(framed({"RefLtp": None} | EVENT)) == camel
    assert only(framed({key.upper(): value for key, value in EVENT.items()})) == camel


def test_of_a_key_that_is_there_twice_the_last_counts() -> None:
    frame = framed(EVENT).replace('"quantity": 10', '"quantity": 10, "quantity": 20')
    assert only(frame).order.terms.quantity == 20


def test_lone_surrogates_never_get_through() -> None:
    frame = framed(EVENT).replace("Reliance Industries", "Reli\\ud800ance")
    assert only(frame).order.symbol == "Reli ance"
    assert b"Reli ance" in only(frame).order.symbol.encode()


@pytest.mark.parametrize(
    "frame",
    [b"", b"\x00\x00\x32\x03invalid token", bytes.fromhex("320a0001000000002703"), b"\xff\xfe\xfd"],
)
def test_a_binary_frame_is_shown_in_hexadecimal(frame: bytes) -> None:
    (junk,) = decoded(frame).junk
    assert junk.reason == "binary frame"
    assert junk.excerpt == f"{len(frame)} bytes, {frame.hex()}"


def test_an_excerpt_is_short_printable_and_without_tokens() -> None:
    (junk,) = decoded(f'{{"Type":"x\x1b[31m","Token":"{TOKEN}","more":"{"y" * 500}"}}').junk
    assert len(junk.excerpt) <= 120
    assert junk.excerpt.isprintable()
    assert "[redacted]" in junk.excerpt
    assert not any(part in junk.excerpt for part in TOKEN.split("."))
    login = json.dumps({"LoginReq": {"MsgCode": 42, "ClientId": CLIENT, "Token": TOKEN}})
    for frame in (login, "junk " + login[:-2], login + "{"):
        for one in decoded(frame).junk:
            assert not any(part in one.excerpt for part in TOKEN.split("."))


# Hostile frames


_MEGABYTE = 1_000_000
HOSTILE: dict[str, str] = {
    "open braces": "{" * _MEGABYTE,
    "open brackets": "[" * _MEGABYTE,
    "deep objects": '{"a":' * (_MEGABYTE // 5),
    "deep arrays in an object": '{"a":' + "[" * _MEGABYTE,
    "deep and closed": '{"a":' * 5000 + "1" + "}" * 5000,
    "deep Data": '{"Type":"order_alert","Data":' + '{"a":' * 900 + "1" + "}" * 901,
    "deep value": framed(EVENT).replace('"INTRADAY"', "[" * 900 + "]" * 900),
    "unended strings": '{"a' * (_MEGABYTE // 3),
    "one unended string": '{"a":"' + "x" * _MEGABYTE,
    "braces in a string": '{"a":"' + "{" * _MEGABYTE,
    "half events": framed(EVENT)[:60] * (_MEGABYTE // 60),
    "many small objects": "{}" * (_MEGABYTE // 2),
    "many digits": '{"a":' + "9" * _MEGABYTE + "}",
    "digits in Data": framed(EVENT).replace('"quantity": 10', '"quantity": ' + "9" * 5000),
    "a long exponent": framed(EVENT).replace('"quantity": 10', '"quantity": 1e' + "9" * 50),
    "white space": " " * _MEGABYTE,
    "commas": "{}," * (_MEGABYTE // 3),
    "text": "x" * _MEGABYTE,
    "a long symbol": framed(EVENT | {"displayName": "x" * _MEGABYTE}),
    "a long number": framed(EVENT | {"securityId": "7" * _MEGABYTE}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_frame_is_done_with_quickly(name: str) -> None:
    before = time.monotonic()
    found = decoded(HOSTILE[name])
    assert time.monotonic() - before < 5.0
    assert len(found.junk) <= 2100
    assert all(len(junk.excerpt) <= 120 and len(junk.reason) < 200 for junk in found.junk)
    assert sum(len(alert.order.symbol) for alert in found.alerts) <= 500


def test_a_good_event_behind_a_hostile_one_in_another_frame_is_read() -> None:
    decoded(HOSTILE["deep objects"])
    assert only(framed(EVENT)).order.order_id == "1124091136546"


@settings(deadline=None, max_examples=150)
@given(st.text() | st.binary() | st.text(alphabet='{}[]",:0\\ua\n'))
def test_arbitrary_frames_never_raise(frame: str | bytes) -> None:
    found = decoded(frame)
    assert found.alerts == ()


@settings(deadline=None, max_examples=200)
@given(
    changes=st.dictionaries(st.sampled_from(sorted(EVENT)), ANY_JSON, max_size=6),
    cut=st.integers(0, 1200),
    tail=st.text(max_size=30),
)
def test_events_with_arbitrary_values_never_raise(changes: Event, cut: int, tail: str) -> None:
    frame = framed(EVENT | changes)
    for mutilated in (frame, frame[:cut], frame[cut:], frame[:cut] + tail + frame, tail + frame):
        for alert in decoded(mutilated).alerts:
            _storable(alert.order)


def _storable(order: Order) -> None:
    """What the ledger and the domain need of every order, whatever an event says."""
    texts = (order.order_id, order.symbol, order.reason, order.platform, order.client_id)
    for written in (*texts, order.correlation_id or "", order.parent_id or ""):
        assert len(written.encode()) <= 2000
    terms = order.terms
    assert 1 <= terms.quantity <= 10**15
    assert min(terms.price, terms.trigger, terms.disclosed, order.filled, order.traded_value) >= 0
    assert order.stamp.updated_at.utcoffset() is not None
    assert order.status.terminal or not terms.order_type.has_price or terms.price


# There and back


def _quantity_spellings(amount: int) -> list[object]:
    return [amount, float(amount), str(amount), f"{amount}.0", f" {amount} "]


def _price_spellings(amount: int) -> list[object]:
    return [amount / 100, f"{amount / 100:.2f}", f"{amount / 100:.4f}", str(amount / 100)]


_CASINGS: list[Callable[[str], str]] = [
    str,
    str.lower,
    str.upper,
    lambda key: key[0].upper() + key[1:],
]
_SEGMENTS = {
    Segment.NSE_EQ: ("NSE", "E"),
    Segment.NSE_FNO: ("NSE", "D"),
    Segment.NSE_CURRENCY: ("NSE", "C"),
    Segment.BSE_EQ: ("BSE", "E"),
    Segment.MCX_COMM: ("MCX", "M"),
}
_TYPES = {
    OrderType.LIMIT: "LMT",
    OrderType.MARKET: "MKT",
    OrderType.STOP_LOSS: "SL",
    OrderType.STOP_LOSS_MARKET: "SLM",
}
_LETTERS = {Product.CNC: "C", Product.INTRADAY: "I", Product.MARGIN: "M", Product.MTF: "F"}
_moments = st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1)).map(
    lambda moment: moment.replace(microsecond=0)
)


@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_every_order_is_read_back_in_every_spelling(data: st.DataObject) -> None:
    draw = data.draw
    kind, side = draw(st.sampled_from(OrderType)), draw(st.sampled_from(Side))
    product, segment = (
        draw(st.sampled_from(sorted(_LETTERS))),
        draw(st.sampled_from(list(_SEGMENTS))),
    )
    total, price, trigger = (draw(st.integers(1, 10**8)) for _ in range(3))
    filled = draw(st.integers(0, total))
    placed, updated = draw(_moments), draw(_moments)
    order_id = str(draw(st.integers(1, 10**15)))
    exchange, letter = _SEGMENTS[segment]
    named = draw(st.booleans())
    event: Event = {
        "exchange": exchange,
        "segment": letter,
        "securityId": draw(st.sampled_from([1333, 1333.0, "1333"])),
        "orderNo": draw(st.sampled_from([order_id, int(order_id), float(order_id)])),
        "product": _LETTERS[product],
        "productName": product.value if named else draw(st.sampled_from([None, "NA", ""])),
        "txnType": side.value if named else side.value[0],
        "orderType": draw(st.sampled_from([_TYPES[kind], kind.value])),
        "validity": "IOC",
        "quantity": draw(st.sampled_from(_quantity_spellings(total))),
        "tradedQty": draw(st.sampled_from(_quantity_spellings(filled))),
        "price": draw(st.sampled_from(_price_spellings(price))),
        "triggerPrice": draw(st.sampled_from(_price_spellings(trigger))),
        "avgTradedPrice": draw(st.sampled_from(_price_spellings(price))),
        "orderDateTime": f"{placed:%Y-%m-%d %H:%M:%S}",
        "lastUpdatedTime": f"{updated:%Y-%m-%dT%H:%M:%S}",
        "status": draw(st.sampled_from(["Pending", "PENDING"])),
        "correlationId": draw(st.sampled_from(["LSn1-0-0", " LSn1-0-0"])),
    }
    casing = draw(st.sampled_from(_CASINGS))
    order = only(framed({casing(key): value for key, value in event.items()})).order
    assert (order.order_id, order.side, order.product) == (order_id, side, product)
    assert order.instrument == InstrumentKey(segment, "1333")
    terms = order.terms
    assert (terms.quantity, terms.order_type, terms.validity) == (total, kind, Validity.IOC)
    assert terms.price == (price if kind.has_price else 0)
    assert terms.trigger == (trigger if kind.has_trigger else 0)
    assert (order.filled, order.traded_value) == (filled, price * filled)
    assert order.placed_at == IST.localize(placed)
    assert order.stamp.updated_at == IST.localize(updated)
    assert order.correlation_id == "LSn1-0-0"
    expected = Status.PENDING if not filled else Status.PART_TRADED
    assert order.status is (Status.TRADED if filled == total else expected)
