"""An order book that is read again says what one says that is read for the first time."""

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dhan.codec.orderbook import OrderBook
from dhan.codec.rest import book
from dhan.codec.values import Unreadable
from domain.orders import Order
from tests.dhan.test_codec_rest import ROW, Row

CLIENT = "1000000002"


def row(**changes: object) -> Row:
    return ROW | changes


_rows = st.one_of(
    st.builds(
        row,
        orderId=st.sampled_from(["1", "2", "3", "11", "4"]),
        price=st.sampled_from([100.0, 100.05]),
        orderStatus=st.sampled_from(["PENDING", "TRADED"]),
        omsErrorDescription=st.sampled_from(["", 'odd },{ "words" ]', "ä"]),
    ),
    st.builds(row, orderId=st.just("9"), exchangeSegment=st.just("NOWHERE")),
)
_layouts = st.sampled_from([(None, None), (2, None), (None, (",", ":"))])
_broken = st.sampled_from(
    [
        b"",
        b"null",
        b"{}",
        b"[",
        b"[]]",
        b"[{}]",
        b"[1]",
        b"[,]",
        b'{"errorCode":"DH-901"}',
        b"\xff[",
    ]
)


def _text(rows: Iterable[Row], indent: int | None, separators: Any) -> bytes:
    return json.dumps(list(rows), indent=indent, separators=separators).encode()


_bodies = st.builds(
    lambda rows, layout, cut: _text(rows, *layout)[: cut or None],
    st.lists(_rows, max_size=6),
    _layouts,
    st.sampled_from([0, 0, 0, 0, 40]),
)


def _plain(orders: Iterable[Order]) -> list[Order]:
    return [replace(one, stamp=replace(one.stamp, heard=0)) for one in orders]


@given(st.lists(st.one_of(_bodies, _bodies, _bodies, _broken), min_size=2, max_size=8))
@settings(deadline=None, max_examples=300)
def test_it_says_the_same_as_a_first_reading(bodies: list[bytes]) -> None:
    again = OrderBook(CLIENT)
    for number, body in enumerate([one for twice in bodies for one in (twice, twice)]):
        try:
            orders, junk = book(body, number, CLIENT)
        except Unreadable as trouble:
            with pytest.raises(Unreadable, match=f"^{trouble}$"):
                again.read(body, number)
            continue
        read = again.read(body, number)
        assert _plain(read.orders) == _plain(orders)
        assert read.junk == junk
        heard_now = [one for one in read.orders if one.stamp.heard == number]
        assert list(read.news) == heard_now


def test_only_what_changed_is_news() -> None:
    first, second, third = (row(orderId=str(number)) for number in (1, 2, 3))
    again = OrderBook(CLIENT)
    one = again.read(json.dumps([first, second]).encode(), 1)
    assert one.news == one.orders
    changed = row(orderId="2", price=99.0)
    two = again.read(json.dumps([third, first, changed]).encode(), 2)
    assert [order.order_id for order in two.news] == ["3", "2"]
    assert two.orders[1] is one.orders[0]
    three = again.read(json.dumps([third, changed]).encode(), 3)
    assert [order.order_id for order in three.news] == ["2"], "where a row is gone, one is read"
    four = again.read(json.dumps([third, changed]).encode(), 4)
    assert (four.news, four.orders) == ((), three.orders)


def test_what_cannot_be_read_is_not_remembered() -> None:
    good = json.dumps([row(orderId="1")]).encode()
    again = OrderBook(CLIENT)
    before = again.read(good, 1)
    for bad in (b"[", b"null", good + b"x"):
        with pytest.raises(Unreadable):
            again.read(bad, 2)
    assert again.read(good, 3).orders == before.orders
    assert again.read(b"[]", 4).orders == ()
    assert len(again.read(good, 5).news) == 1
