"""Requests as they leave: the official SDK's endpoints and payloads, without what Dhan refuses."""

import json
import timeit
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dhan.requests import Kind, Request, Requests
from domain.instruments import InstrumentKey, Segment
from domain.orders import AmoTime, OrderType, Product, Side, Terms, Validity
from tests.dhan.conftest import CLIENT, REQUESTS, TICKET


def fields(request: Request) -> dict[str, object]:
    """The body's fields, none of them unused."""
    parsed = json.loads(request.body)
    assert isinstance(parsed, dict)
    assert not [key for key, value in parsed.items() if value is None or value == ""]
    return parsed


def test_a_limit_order() -> None:
    request = REQUESTS.place(TICKET)
    assert (request.kind, request.method, request.path) == (Kind.PLACE, "POST", "/orders")
    assert fields(request) == {
        "dhanClientId": CLIENT,
        "correlationId": TICKET.correlation_id,
        "transactionType": "BUY",
        "exchangeSegment": "NSE_EQ",
        "productType": "INTRADAY",
        "orderType": "LIMIT",
        "validity": "DAY",
        "securityId": "1333",
        "quantity": 10,
        "disclosedQuantity": 0,
        "price": 1428.05,
        "triggerPrice": 0.0,
        "afterMarketOrder": False,
    }


def test_the_other_order_types() -> None:
    market = fields(REQUESTS.place(replace(TICKET, terms=Terms(10, OrderType.MARKET))))
    assert (market["orderType"], market["price"], market["triggerPrice"]) == ("MARKET", 0.0, 0.0)
    stop = Terms(10, OrderType.STOP_LOSS, 10_010, 10_005, Validity.IOC, 4)
    stopped = fields(REQUESTS.place(replace(TICKET, terms=stop)))
    assert (stopped["orderType"], stopped["price"], stopped["triggerPrice"]) == (
        "STOP_LOSS",
        100.1,
        100.05,
    )
    assert (stopped["validity"], stopped["disclosedQuantity"]) == ("IOC", 4)


@pytest.mark.parametrize("amo_time", list(AmoTime))
def test_after_market_orders_at_every_time_also_the_one_that_the_sdk_refuses(
    amo_time: AmoTime,
) -> None:
    placed = fields(REQUESTS.place(replace(TICKET, amo_time=amo_time)))
    assert (placed["afterMarketOrder"], placed["amoTime"]) == (True, amo_time.value)
    plain = fields(REQUESTS.place(TICKET))
    assert placed == plain | {"afterMarketOrder": True, "amoTime": amo_time.value}


def test_an_order_that_is_not_after_market_has_no_time_for_it() -> None:
    assert "amoTime" not in fields(REQUESTS.place(TICKET))


def test_a_modification_says_everything_and_the_total_quantity() -> None:
    terms = Terms(100, OrderType.STOP_LOSS, 10_010, 10_005)
    request = REQUESTS.modify("112111182198", terms)
    assert (request.kind, request.method, request.path) == (
        Kind.MODIFY,
        "PUT",
        "/orders/112111182198",
    )
    assert fields(request) == {
        "dhanClientId": CLIENT,
        "orderId": "112111182198",
        "orderType": "STOP_LOSS",
        "validity": "DAY",
        "quantity": 100,
        "disclosedQuantity": 0,
        "price": 100.1,
        "triggerPrice": 100.05,
    }
    market = fields(REQUESTS.modify("1", Terms(100, OrderType.MARKET, 10_010)))
    assert market["price"] == 0.0


def test_a_cancel() -> None:
    assert REQUESTS.cancel("112111182198") == Request(Kind.CANCEL, "DELETE", "/orders/112111182198")


def test_reads_are_reads() -> None:
    reads = {
        "/orders": REQUESTS.orders(),
        "/orders/external/LSn1-0-0": REQUESTS.by_correlation("LSn1-0-0"),
        "/trades": REQUESTS.trades(),
        "/positions": REQUESTS.positions(),
        "/fundlimit": REQUESTS.funds(),
        "/profile": REQUESTS.profile(),
        "/ip/getIP": REQUESTS.addresses(),
    }
    for path, request in reads.items():
        assert request == Request(Kind.READ, "GET", path)
        assert not request.kind.order


def test_only_orders_count_as_orders() -> None:
    assert [kind for kind in Kind if kind.order] == [Kind.PLACE, Kind.MODIFY, Kind.CANCEL]


def test_a_name_of_the_brokers_never_becomes_more_than_a_name() -> None:
    for name in ("1 HTTP/1.1\r\nX: y", "1\n", "ümlaut", "1?a=b", "1#x", "\ud800"):
        try:
            paths = [REQUESTS.cancel(name).path, REQUESTS.by_correlation(name).path]
        except UnicodeEncodeError:
            continue
        for path in paths:
            assert path.isascii()
            assert path.isprintable()
            assert not set(" ?#") & set(path)


@settings(deadline=None, max_examples=150)
@given(
    price=st.integers(1, 10**9),
    trigger=st.integers(0, 10**9),
    quantity=st.integers(1, 10**7),
    kind=st.sampled_from(OrderType),
    segment=st.sampled_from(Segment),
    side=st.sampled_from(Side),
    product=st.sampled_from(Product),
)
def test_amounts_leave_exactly(
    price: int,
    trigger: int,
    quantity: int,
    kind: OrderType,
    segment: Segment,
    side: Side,
    product: Product,
) -> None:
    ticket = replace(
        TICKET,
        instrument=InstrumentKey(segment, "13"),
        side=side,
        product=product,
        terms=Terms(quantity, kind, price, trigger),
    )
    request = REQUESTS.place(ticket)
    placed = fields(request)
    assert f'"price":{price / 100}'.encode() in request.body
    assert round(float(str(placed["price"])) * 100) == price
    assert round(float(str(placed["triggerPrice"])) * 100) == trigger
    assert (placed["quantity"], placed["securityId"]) == (quantity, "13")
    assert (placed["exchangeSegment"], placed["orderType"]) == (segment.value, kind.value)
    assert (placed["transactionType"], placed["productType"]) == (side.value, product.value)


def test_building_a_request_costs_microseconds() -> None:
    """The best of several rounds, with room for a slow host: some 10 µs were measured."""
    requests = Requests(CLIENT)
    best = min(timeit.repeat(lambda: requests.place(TICKET), number=500, repeat=10)) / 500
    assert best < 100e-6
