"""Dhan's instrument master: the detailed CSV, read as a stream.

Key is (exchange, segment, security id), since a security id alone collides across segments. In
this file ticks are in paise (5.0000 is Rs 0.05) but circuit limits in rupees (measured live).
"""

import csv
import http.client
import io
import logging
import math
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from dhan.codec.values import Unreadable, number, paise, quantity, segment, text
from dhan.trust import trust
from domain.instruments import Instrument, InstrumentKey

logger = logging.getLogger(__name__)

_COLUMNS = (
    "EXCH_ID",
    "SEGMENT",
    "SECURITY_ID",
    "INSTRUMENT",
    "UNDERLYING_SYMBOL",
    "SYMBOL_NAME",
    "LOT_SIZE",
    "TICK_SIZE",
    "SM_UPPER_LIMIT",
    "SM_LOWER_LIMIT",
    "SM_FREEZE_QTY",
)


class MasterError(Exception):
    """The master cannot be had or is not one."""


def load(source: str, timeout: float) -> dict[InstrumentKey, Instrument]:
    """All instruments of the master at `source` (a path, or an http(s) address that answers
    within `timeout` seconds).

    Raises MasterError, also for a part of a master: what it lacks would look unknown. A row that
    says nothing sensible is left out and counted in the log.
    """
    try:
        with _opened(source, timeout) as lines:
            instruments = _collect(lines)
    except (OSError, UnicodeDecodeError, csv.Error, http.client.HTTPException) as trouble:
        raise MasterError(f"{type(trouble).__name__} while reading it") from None
    if not instruments:
        raise MasterError("no instrument in it")
    return instruments


@contextmanager
def _opened(source: str, timeout: float) -> Iterator[Iterator[str]]:
    if not source.startswith(("http://", "https://")):
        with Path(source).open(encoding="utf-8", newline="") as lines:
            yield lines
        return
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust())
    )
    with opener.open(source, timeout=timeout) as answer:
        lines = io.TextIOWrapper(answer, encoding="utf-8", newline="")
        yield lines
        if answer.length:
            raise MasterError("it ended early")


def _collect(lines: Iterator[str]) -> dict[InstrumentKey, Instrument]:
    rows = csv.reader(lines)
    header = next(rows, [])
    missing = [column for column in _COLUMNS if column not in header]
    if missing:
        raise MasterError(f"no column {missing[0]} in it")
    at = [header.index(column) for column in _COLUMNS]
    instruments: dict[InstrumentKey, Instrument] = {}
    left_out = 0
    for row in rows:
        try:
            instrument = _instrument([row[index] for index in at])
        except (Unreadable, ValueError, IndexError):
            left_out += 1
            continue
        instruments[instrument.key] = instrument
    if left_out:
        logger.warning("%d rows of the instrument master were left out", left_out)
    return instruments


def _instrument(row: list[str]) -> Instrument:
    exchange, letter, security, kind, underlying, symbol, lot, tick, upper, lower, freeze = row
    if not text(security):
        raise Unreadable("no security id")
    return Instrument(
        key=InstrumentKey(_segment(exchange, letter), text(security)),
        lot=_lot(lot),
        tick=_tick(tick),
        symbol=symbol,
        underlying=underlying,
        kind=kind,
        freeze=_freeze(freeze),
        upper=paise(upper) or None,
        lower=paise(lower) or None,
    )


# Few different values in some 200,000 rows.
_segment = lru_cache(segment)
_lot = lru_cache(quantity)


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
