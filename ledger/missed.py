"""Entries that came too late, in the last columns of `copies`: how old in microseconds, the price
in paise."""

import sqlite3
from datetime import timedelta

from domain.instruments import Price
from domain.missed import Missed
from ledger.instants import maybe_instant, micros

_MICROSECOND = timedelta.resolution

_Row = tuple[int | None, ...]


def missed_row(missed: Missed | None) -> _Row:
    """The columns."""
    if missed is None:
        return (None,) * 5
    price = missed.price
    return (
        missed.quantity,
        missed.age // _MICROSECOND,
        missed.allowed // _MICROSECOND,
        price.paise if price else None,
        micros(price.at) if price else None,
    )


def missed_of(row: sqlite3.Row) -> Missed | None:
    """What the columns say."""
    if row["missed_quantity"] is None:
        return None
    at = maybe_instant(row["missed_price_at"])
    return Missed(
        quantity=row["missed_quantity"],
        age=row["missed_age"] * _MICROSECOND,
        allowed=row["missed_allowed"] * _MICROSECOND,
        price=Price(row["missed_price"], at) if at else None,
    )
