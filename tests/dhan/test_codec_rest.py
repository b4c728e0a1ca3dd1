"""Rows of the REST API, and everything that must not be taken for an order book."""

import json
from contextlib import suppress
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dhan.codec.addresses import addresses
from dhan.codec.postback import postback
from dhan.codec.rest import book, funds, order, profile, totals, trades
from dhan.codec.values import Unreadable
from domain.correlation import correlation_id
from domain.instruments import InstrumentKey, Segment
from domain.merge import merge
from domain.orders import AmoTime, Order, OrderType, Product, Side, Source, Status, Validity
from domain.sessions import IST
from tests.dhan.test_values import ANY_JSON

Row = dict[str, object]
OWNER = "1000000002"

ROW: Row = {
    "dhanClientId": "1000000002",
    "orderId": "952502167319",
    "exchangeOrderId": "0",
    "correlationId": "NA",
    "orderStatus": "PENDING",
    "transactionType": "SELL",
    "exchangeSegment": "NSE_FNO",
    "productType": "MARGIN",
    "orderType": "STOP_LOSS",
    "validity": "DAY",
    "tradingSymbol": "NIFTY-Nov2026-26000-CE",
    "securityId": "35070",
    "quantity": 130,
    "disclosedQuantity": 0,
    "price": 101.5,
    "triggerPrice": 102.0,
    "afterMarketOrder": False,
    "legName": "NA",
    "createTime": "2026-11-25 09:20:00",
    "updateTime": "2026-11-25 09:21:00",
    "exchangeTime": "2026-11-25 09:21:01",
    "omsErrorCode": "0",
    "omsErrorDescription": "CONFIRMED",
    "algoId": "0",
    "remainingQuantity": 130,
    "averageTradedPrice": 0.0,
    "filledQty": 0,
}


def body(*rows: object) -> bytes:
    return json.dumps(list(rows)).encode()


def read(**changes: object) -> Order:
    (found,), junk = book(body(ROW | changes), 55, OWNER)
    assert junk == ()
    return found


# Rows


def test_a_row_of_the_book() -> None:
    found = read()
    assert (found.order_id, found.client_id) == ("952502167319", "1000000002")
    assert found.instrument == InstrumentKey(Segment.NSE_FNO, "35070")
    assert (found.side, found.product, found.status) == (Side.SELL, Product.MARGIN, Status.PENDING)
    terms = found.terms
    assert (terms.quantity, terms.order_type, terms.validity) == (
        130,
        OrderType.STOP_LOSS,
        Validity.DAY,
    )
    assert (terms.price, terms.trigger, terms.disclosed) == (10_150, 10_200, 0)
    assert (found.stamp.source, found.stamp.heard) == (Source.BOOK, 55)
    assert found.stamp.updated_at == IST.localize(datetime(2026, 11, 25, 9, 21))
    assert found.placed_at == IST.localize(datetime(2026, 11, 25, 9, 20))
    assert (found.correlation_id, found.reason, found.leg) == (None, "", 1)


@pytest.mark.parametrize(
    ("status", "filled", "average", "read_as", "value"),
    [
        ("PART_TRADED", 65, 101.25, Status.PART_TRADED, 658_125),
        ("PENDING", 65, "101.25", Status.PART_TRADED, 658_125),
        ("TRADED", 130, 101.0, Status.TRADED, 1_313_000),
        ("TRADED", None, 101.0, Status.TRADED, 1_313_000),
        ("CANCELLED", 65, 101.0, Status.CANCELLED, 656_500),
        ("EXPIRED", 0, None, Status.EXPIRED, 0),
        ("CLOSED", 0, None, Status.UNREADABLE, 0),
    ],
)
def test_fills(status: str, filled: object, average: object, read_as: Status, value: int) -> None:
    found = read(orderStatus=status, filledQty=filled, averageTradedPrice=average)
    assert (found.status, found.traded_value) == (read_as, value)


def test_a_cancelled_order_whose_remaining_quantity_is_zero_has_no_fill() -> None:
    """Seen live: remainingQuantity is not quantity less filledQty."""
    found = read(orderStatus="CANCELLED", remainingQuantity=0, filledQty=0)
    assert (found.status, found.filled) == (Status.CANCELLED, 0)


def test_a_create_time_that_moves_does_not_make_the_order_younger() -> None:
    """Seen live: an after-market order's createTime was its cancel's."""
    before = read()
    after = read(
        orderStatus="CANCELLED",
        createTime="2026-11-25 10:00:00",
        updateTime="2026-11-25 10:00:00",
    )
    merged = merge(before, after)
    assert merged.placed_at == before.placed_at
    assert merged.status is Status.CANCELLED


def test_times_that_are_not_there_are_replaced_by_those_that_are() -> None:
    assert read(updateTime=None).stamp.updated_at == IST.localize(datetime(2026, 11, 25, 9, 21, 1))
    unset = read(updateTime="0001-01-01 00:00:00", exchangeTime="0001-01-01 00:00:00")
    assert unset.stamp.updated_at == unset.placed_at
    none = read(updateTime=None, exchangeTime=None, createTime=None)
    assert none.placed_at is None
    assert none.stamp.updated_at < IST.localize(datetime(2001, 1, 1))


def test_an_after_market_order_and_its_time() -> None:
    found = read(afterMarketOrder=True, amoTime="OPEN_30")
    assert (found.after_market, found.amo_time) == (True, AmoTime.OPEN_30)
    assert read(afterMarketOrder="true").after_market
    assert read(amoTime="NOON").amo_time is None


@pytest.mark.parametrize("unnamed", [None, "", "NA"])
def test_a_row_that_does_not_name_its_account_is_of_the_one_that_was_asked_for(
    unnamed: object,
) -> None:
    """Else it could not be merged with what the feed told of the same order."""
    assert read(dhanClientId=unnamed).client_id == OWNER
    assert read(dhanClientId="7").client_id == "7"
    with pytest.raises(Unreadable, match="no dhanClientId"):
        order(ROW | {"dhanClientId": unnamed}, 0)


def test_legs_and_reasons() -> None:
    assert [read(legName=name).leg for name in ("NA", "ENTRY_LEG", None)] == [1, 1, 1]
    assert [read(legName=name).leg for name in ("STOP_LOSS_LEG", "TARGET_LEG")] == [2, 3]
    assert read(omsErrorDescription="RMS: no").reason == "RMS: no"
    assert read(omsErrorDescription="Confirmed").reason == read(omsErrorDescription=None).reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"securityId": ""}, "no securityId"),
        ({"exchangeSegment": "NYSE"}, "segment not known"),
        ({"transactionType": None}, "no side"),
        ({"productType": "?"}, "product not known"),
        ({"orderType": "SINGLE"}, "order type not known"),
        ({"quantity": 0}, "no quantity"),
        ({"quantity": float("nan")}, "not a sensible number"),
        ({"price": 0}, "no price"),
    ],
)
def test_a_row_that_cannot_be_read_costs_no_other(changes: Row, reason: str) -> None:
    orders, (junk,) = book(body(ROW | changes, ROW | {"orderId": "2"}), 0, OWNER)
    assert [found.order_id for found in orders] == ["2"]
    assert reason in junk.reason
    assert junk.excerpt == "order 952502167319"


# Books


def test_an_empty_book_and_one_order_by_name() -> None:
    assert book(b"[]", 0, OWNER) == ((), ())
    assert book(b" [ ] ", 0, OWNER) == ((), ())
    (found,), junk = book(json.dumps(ROW).encode(), 0, OWNER)
    assert (found.order_id, junk) == ("952502167319", ())


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"null",
        b"{}",
        b'"[]"',
        b"0",
        b"<html>502</html>",
        b"[",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"errorCode":"DH-906","errorMessage":"Invalid Token"}',
        b'{"status":"failed","data":{"DH-906":"no"}}',
        b'{"timestamp":1,"status":404,"error":"Not Found","path":"/v2/orders"}',
        b'[{"message":"no","status":"ERROR"}]',
        b"[null]",
        b"[[]]",
        b"[1, 2]",
        b'[{"orderId":null}]',
    ],
)
def test_an_error_is_not_an_empty_book(answer: bytes) -> None:
    with pytest.raises(Unreadable):
        book(answer, 0, OWNER)


@pytest.mark.parametrize("odd", [None, 7, "text", []])
def test_a_book_with_a_row_that_is_no_row_is_none(odd: object) -> None:
    with pytest.raises(Unreadable):
        book(body(ROW, odd), 0, OWNER)


def test_a_book_with_an_unreadable_order_of_ours_proves_the_absence_of_none() -> None:
    """Else the order would be missing from a complete book, and be placed a second time."""
    ours = ROW | {"orderType": "NEW_KIND", "correlationId": correlation_id("1124", 0, 0)}
    with pytest.raises(Unreadable, match="order 952502167319 of ours: order type not known"):
        book(body(ROW | {"orderId": "2"}, ours), 0, OWNER)


@settings(deadline=None, max_examples=150)
@given(changes=st.dictionaries(st.sampled_from(sorted(ROW)), ANY_JSON, max_size=6))
def test_rows_with_arbitrary_values_are_read_or_unreadable(changes: Row) -> None:
    try:
        orders, junk = book(body(ROW | changes, ROW | {"orderId": "2"}), 0, OWNER)
    except Unreadable:
        return
    assert len(orders) + len(junk) == 2
    for found in orders:
        assert found.terms.quantity >= 1
        assert found.symbol.encode().decode() == found.symbol


@settings(deadline=None, max_examples=150)
@given(st.binary() | ANY_JSON.map(lambda value: json.dumps(value).encode()))
def test_arbitrary_bodies_are_unreadable_and_nothing_worse(answer: bytes) -> None:
    for reading in (profile, funds):
        with pytest.raises(Unreadable):
            reading(answer)
    for other in (addresses, trades):
        with suppress(Unreadable):
            other(answer)
    with suppress(Unreadable):
        orders, junk = book(answer, 0, OWNER)
        assert orders or junk or json.loads(answer) == [], "what is no book reads as an empty one"


@settings(deadline=None, max_examples=200)
@given(data=st.data())
def test_every_row_is_read_back_in_every_spelling(data: st.DataObject) -> None:
    draw = data.draw
    kind = draw(st.sampled_from(OrderType))
    segment, product = draw(st.sampled_from(Segment)), draw(st.sampled_from(Product))
    total, price, trigger = (draw(st.integers(1, 10**8)) for _ in range(3))
    filled = draw(st.integers(0, total))

    def spelt(amount: float) -> object:
        return draw(st.sampled_from([amount, str(amount), f" {amount} "]))

    found = read(
        orderType=kind.value,
        exchangeSegment=segment.value,
        productType=product.value,
        quantity=spelt(total),
        filledQty=spelt(filled),
        price=spelt(price / 100),
        triggerPrice=spelt(trigger / 100),
        averageTradedPrice=spelt(price / 100),
        orderId=spelt(77),
        securityId=spelt(1333),
    )
    assert (found.order_id, found.instrument) == ("77", InstrumentKey(segment, "1333"))
    assert (found.product, found.terms.order_type) == (product, kind)
    assert (found.terms.quantity, found.filled) == (total, filled)
    assert found.terms.price == (price if kind.has_price else 0)
    assert found.terms.trigger == (trigger if kind.has_trigger else 0)
    assert found.traded_value == price * filled


# Postbacks, trades, funds, profile, addresses


def test_a_postback_is_a_row_with_another_name_for_its_fill() -> None:
    row = {key: value for key, value in ROW.items() if key != "filledQty"}
    found = postback(json.dumps(row | {"filled_qty": 65}).encode(), 9)
    assert (found.filled, found.status) == (65, Status.PART_TRADED)
    assert (found.stamp.source, found.stamp.heard) == (Source.POSTBACK, 9)


@pytest.mark.parametrize("answer", [b"", b"[]", b"{}", b"\xff", b"[" * 100_000])
def test_what_is_no_postback(answer: bytes) -> None:
    with pytest.raises(Unreadable):
        postback(answer, 0)


TRADE: Row = {
    "orderId": "1",
    "exchangeTradeId": "200764585",
    "transactionType": "BUY",
    "exchangeSegment": "NSE_EQ",
    "securityId": "9599",
    "tradedQuantity": 3,
    "tradedPrice": 392.05,
    "createTime": "2026-11-25 09:25:05",
    "exchangeTime": "0001-01-01 00:00:00",
}


def test_a_trade() -> None:
    (trade,), junk = trades(body(TRADE))
    assert junk == ()
    assert (trade.order_id, trade.trade_id, trade.quantity, trade.price) == (
        "1",
        "200764585",
        3,
        39_205,
    )
    assert trade.traded_at == IST.localize(datetime(2026, 11, 25, 9, 25, 5))
    with pytest.raises(Unreadable):
        trades(b'{"errorCode":"DH-906"}')


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"exchangeTradeId": None}, "no exchangeTradeId"),
        ({"tradedQuantity": 0}, "without quantity or price"),
        ({"tradedPrice": None}, "without quantity or price"),
        ({"transactionType": "?"}, "no side"),
    ],
)
def test_a_trade_that_cannot_be_read_costs_no_other(changes: Row, reason: str) -> None:
    (trade,), (junk,) = trades(body(TRADE | changes, TRADE | {"orderId": "2"}))
    assert trade.order_id == "2"
    assert reason in junk.reason
    assert junk.excerpt == "a trade of order 1"


def test_what_traded_of_each_order_in_all() -> None:
    """Trades have numbers, so that one that is shown twice counts once."""
    first, again, other = TRADE, TRADE | {"exchangeTradeId": "2"}, TRADE | {"orderId": "2"}
    found, _ = trades(body(first, again | {"tradedPrice": 392.1}, other, first))
    assert totals(found) == {"1": (6, 3 * 39_205 + 3 * 39_210), "2": (3, 3 * 39_205)}


def test_funds_with_and_without_dhans_misspelling_and_with_collateral() -> None:
    found = funds(b'{"availabelBalance":1000.55,"collateralAmount":400.5}')
    assert (found.available, found.collateral, found.cash) == (100_055, 40_050, 60_005)
    assert funds(b'{"availableBalance":"12.34"}').cash == 1234
    assert funds(b'{"availabelBalance":-5.5}').available == -550
    for wrong in (b"{}", b"[]", b'{"errorCode":"DH-901"}', b'{"availabelBalance":NaN}'):
        with pytest.raises(Unreadable):
            funds(wrong)


def test_a_profile() -> None:
    found = profile(
        b'{"dhanClientId":"1000000002","tokenValidity":"30/03/2026 15:37",'
        b'"activeSegment":"E, D, C, M, "}'
    )
    assert found.client_id == "1000000002"
    assert found.valid_until == IST.localize(datetime(2026, 3, 30, 15, 37))
    assert found.segments == "E, D, C, M,"
    for wrong in (b"{}", b"[]", b'{"errorCode":"DH-901","errorMessage":"expired"}'):
        with pytest.raises(Unreadable):
            profile(wrong)


def test_addresses_say_whether_orders_are_taken_from_here_where_dhan_says_it() -> None:
    found = addresses(b'{"detectedIP":"10.0.0.1","ordersAllowed":false}')
    assert (found.allowed, found.detected) == (False, "10.0.0.1")
    assert addresses(b'{"primaryIP":"10.0.0.1"}').allowed is None
    with pytest.raises(Unreadable):
        addresses(b'[{"message":"no","status":"ERROR"}]')


def test_order_takes_no_other_thing() -> None:
    for odd in (None, [1], "x", 1):
        with pytest.raises(Unreadable):
            order(odd, 0)
