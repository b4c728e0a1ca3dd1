"""Dhan's instrument master: the detailed CSV, read as a stream.

Key is (exchange, segment, security id), since a security id alone collides across segments. In
this file ticks are in paise (5.0000 is Rs 0.05; those of indices are in rupees, and nobody trades
them) but strikes and circuit limits in rupees (measured live).
"""

import csv
import http.client
import io
import math
import urllib.request
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import date
from functools import lru_cache, partial
from operator import itemgetter
from pathlib import Path

from dhan.codec.values import Unreadable, number, paise, quantity, segment, text
from dhan.trust import trust
from domain.instruments import Instrument, InstrumentKey, OptionType

_COLUMNS = (
    "EXCH_ID",
    "SEGMENT",
    "SECURITY_ID",
    "INSTRUMENT",
    "UNDERLYING_SYMBOL",
    "SYMBOL_NAME",
    "LOT_SIZE",
    "SM_EXPIRY_DATE",
    "STRIKE_PRICE",
    "OPTION_TYPE",
    "TICK_SIZE",
    "SM_UPPER_LIMIT",
    "SM_LOWER_LIMIT",
    "SM_FREEZE_QTY",
)
_LONGEST_LINE = 10_000
_OPTION_TYPES = {one.value: one for one in OptionType}
_NO_EXPIRY = date(1900, 1, 1)


class MasterError(Exception):
    """The master cannot be had or is not one."""


def read(source: str, timeout: float) -> Generator[Instrument | None, None, None]:
    """The instruments of the master at `source` (a path, or an http(s) address that answers
    within `timeout` seconds); None for each row that says nothing sensible.

    Raises MasterError, also for a part of a master: what it lacks would look unknown.
    """
    try:
        with _opened(source, timeout) as lines:
            yield from _instruments(lines)
    except (OSError, http.client.HTTPException) as trouble:
        raise MasterError(f"{type(trouble).__name__} while reading it") from None


@contextmanager
def _opened(source: str, timeout: float) -> Iterator[Iterator[str]]:
    if not source.startswith(("http://", "https://")):
        with Path(source).open("rb") as content:
            yield _lines(io.TextIOWrapper(content, encoding="utf-8-sig", errors="replace"))
        return
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust())
    )
    with opener.open(source, timeout=timeout) as answer:
        yield _lines(io.TextIOWrapper(answer, encoding="utf-8-sig", errors="replace"))
        if answer.length:
            raise MasterError("it ended early")


def _lines(content: io.TextIOWrapper) -> Iterator[str]:
    return iter(partial(content.readline, _LONGEST_LINE), "")


def _instruments(lines: Iterator[str]) -> Iterator[Instrument | None]:
    header = _cells(next(lines, ""))
    missing = [column for column in _COLUMNS if column not in header]
    if missing:
        raise MasterError(f"no column {missing[0]} in it")
    wanted = itemgetter(*(header.index(column) for column in _COLUMNS))
    cells: list[str] = []
    for line in lines:
        if not line.strip():
            continue
        cells = _cells(line)
        try:
            yield _instrument(wanted(cells))
        except (Unreadable, ValueError, IndexError):
            yield None
    if len(cells) < len(header):
        raise MasterError("its last row is not whole" if cells else "no instrument in it")


def _cells(line: str) -> list[str]:
    """The cells of one line, by itself: a quotation mark that is never closed costs no other."""
    if '"' in line:
        return next(csv.reader([line]))
    return line.rstrip("\r\n").split(",")


def _instrument(row: tuple[str, ...]) -> Instrument:
    (
        exchange, letter, security, kind, underlying, symbol,
        lot, expiry, strike, option_type, tick, upper, lower, freeze,
    ) = row  # fmt: skip
    security = text(security)
    if not security:
        raise Unreadable("no security id")
    return Instrument(
        key=InstrumentKey(_segment(exchange, letter), security),
        lot=_lot(lot),
        tick=_tick(tick),
        symbol=text(symbol),
        underlying=_word(underlying),
        kind=_word(kind),
        freeze=_freeze(freeze),
        upper=_price(upper),
        lower=_price(lower),
        expiry=_expiry(expiry),
        strike=_price(strike),
        option_type=_OPTION_TYPES.get(option_type),
    )


# Few different values in some 200,000 rows.
_segment = lru_cache(segment)
_lot = lru_cache(quantity)
_word = lru_cache(maxsize=1024)(text)


@lru_cache(maxsize=4096)
def _price(rupees: str) -> int | None:
    """An amount in paise; zero and negative amounts mean that there is none."""
    return paise(rupees) or None


@lru_cache
def _tick(written: str) -> int:
    """The tick in whole paise; a part of a paisa (currency: 0.25) counts as a whole one, which
    is a coarser step that the exchange takes as well."""
    return max(1, math.ceil(number(written)))


@lru_cache
def _freeze(written: str) -> int | None:
    """The first quantity that is refused; negative and zero mean that there is none."""
    first_frozen = number(written)
    return int(first_frozen) if first_frozen > 1 else None


@lru_cache(maxsize=1024)
def _expiry(written: str) -> date | None:
    """The last day of a contract, None where there is none: 0001-01-01, nothing, or no date."""
    try:
        day = date.fromisoformat(written[:10])
    except ValueError:
        return None
    return day if day > _NO_EXPIRY else None
