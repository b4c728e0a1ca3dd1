"""Dhan's postback: an order as a row of the book shows it, posted to a web hook."""

import json

from dhan.codec.rest import order
from dhan.codec.values import Unreadable
from domain.orders import Order, Source


def postback(body: bytes, heard: int) -> Order:
    """The order of a postback that came in at `heard` (monotonic ns). Raises Unreadable."""
    try:
        row: object = json.loads(body)
    except (ValueError, RecursionError):
        raise Unreadable("not JSON") from None
    return order(row, heard, source=Source.POSTBACK)
