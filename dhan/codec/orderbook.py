"""An order book that is read again and again: a row that is as it was costs next to nothing.

Books are read every few seconds and hold every order of the day, nearly all of them ended. A row
of the same text says the same, so only the others are decoded; a book of a thousand rows would
keep the whole process busy for tens of milliseconds otherwise, and an event would wait that long.
"""

import re
from dataclasses import dataclass
from json import JSONDecoder

from dhan.codec.feed import Junk
from dhan.codec.rest import book, row
from domain.orders import Order

_decode = JSONDecoder().raw_decode
_blanks = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True, slots=True)
class Read:
    """The orders of a book, its rows that say nothing, and the orders that may be other than in
    the last book. Those that are not keep the stamp of when they were first read so."""

    orders: tuple[Order, ...]
    junk: tuple[Junk, ...]
    news: tuple[Order, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    text: str
    said: Order | Junk


class OrderBook:
    """The order book of one account."""

    def __init__(self, client_id: str) -> None:
        self._client_id = client_id
        self._rows: list[_Row] = []
        self._places: dict[str, int] = {}

    def read(self, body: bytes, asked_at: int) -> Read:
        """The book asked for at `asked_at` (monotonic ns). Raises Unreadable as `book` does."""
        try:
            rows, news = self._walk(body.decode(), asked_at)
        except (ValueError, RecursionError):
            orders, junk = book(body, asked_at, self._client_id)
            return Read(orders, junk, orders)
        self._rows = rows
        self._places = {
            one.said.order_id: place
            for place, one in enumerate(rows)
            if isinstance(one.said, Order)
        }
        said = [one.said for one in rows]
        return Read(
            tuple(one for one in said if isinstance(one, Order)),
            tuple(one for one in said if isinstance(one, Junk)),
            tuple(news),
        )

    def _walk(self, text: str, asked_at: int) -> tuple[list[_Row], list[Order]]:
        """All rows of a list, and the orders that are news. Raises ValueError for what is no list
        of orders.

        A JSON object is never the beginning of another value: where the text of a row stands, the
        row stands.
        """
        last, place = self._rows, 0
        rows: list[_Row] = []
        news: list[Order] = []
        at = _past(text, _past(text, 0), "[")
        more = not text.startswith("]", at)
        while more:
            if place < len(last) and text.startswith(last[place].text, at):
                one = last[place]
                place += 1
            else:
                value, end = _decode(text, at)
                one = _Row(text[at:end], row(value, asked_at, self._client_id))
                if isinstance(one.said, Order):
                    news.append(one.said)
                    place = self._places.get(one.said.order_id, place - 1) + 1
            rows.append(one)
            at = _past(text, at + len(one.text))
            more = text.startswith(",", at)
            if more:
                at = _past(text, at, ",")
        if _past(text, at, "]") != len(text):
            raise ValueError("something after the list")
        if rows and not any(isinstance(one.said, Order) for one in rows):
            raise ValueError("a list without orders")
        return rows, news


def _past(text: str, at: int, mark: str = "") -> int:
    """Where what follows the mark and the blanks after it begins. Raises ValueError where the mark
    is not."""
    if not text.startswith(mark, at):
        raise ValueError(f"no {mark} where one was expected")
    blanks = _blanks.match(text, at + len(mark))
    return blanks.end() if blanks else at + len(mark)
