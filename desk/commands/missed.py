"""`copies --missed`: entries that came too late for a follower, with what they would cost now."""

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from desk.asking import asking
from desk.commands.names import refuse_stranger
from desk.commands.output import show_json, show_table
from desk.config import Config
from desk.documents import average
from dhan.codec.quotes import last_prices
from dhan.codec.values import Unreadable
from dhan.requests import Requests
from domain.instruments import InstrumentKey, Price
from domain.sessions import IST
from ledger.reader import MissedEntry, Reader

logger = logging.getLogger(__name__)

_MOST_ROWS = 200
_MOST_QUOTES = 1000
_QUOTE_SECONDS = 3.0
_STOP_SECONDS = 0.5
_COLUMNS = (
    "leader order",
    "follower",
    "missed",
    "limit",
    "leader's",
    "age",
    "allowed",
    "price",
    "as of",
)


def run(config: Config, follower: str | None, order: str | None, as_json: bool) -> int:
    """Print what was missed. Raises Misused and ledger.opening.LedgerUnusable."""
    with Reader.open(config.engine.ledger) as reader:
        entries = reader.missed(follower, order)
        if reader.running_pid() is None:
            logger.warning("No engine is running; this is what the ledger kept")
    if not entries:
        refuse_stranger(follower, [settings.name for settings in config.followers])
    quotes = _quotes(config, entries)
    if as_json:
        show_json([_document(entry, quotes) for entry in entries])
        return 0
    if len(entries) > _MOST_ROWS:
        logger.warning("The newest %d of %d; --json has all", _MOST_ROWS, len(entries))
    show_table(_COLUMNS, [_row(entry, quotes) for entry in entries[-_MOST_ROWS:]])
    return 0


def _quotes(config: Config, entries: Sequence[MissedEntry]) -> Mapping[InstrumentKey, Price]:
    """The prices now of what was missed today; none where Dhan does not tell them, as most
    accounts have no market quotes."""
    now = datetime.now(UTC).astimezone(IST)
    of_today = [entry for entry in entries if entry.born and _day(entry.born) == _day(now)]
    keys = list(dict.fromkeys(entry.instrument for entry in reversed(of_today)))
    if not keys:
        return {}
    leader = config.engine.leader
    request = Requests(leader.client_id).last_prices(keys[:_MOST_QUOTES])
    with asking(config, _STOP_SECONDS) as wire:
        answer = wire.call(wire.open(leader), request, _QUOTE_SECONDS)
    try:
        prices = last_prices(answer.body)
    except Unreadable as trouble:
        why = answer.error or str(trouble)
        logger.warning("The prices are those last told, Dhan gives no market quotes: %s", why)
        return {}
    return {key: Price(paise, now) for key, paise in prices.items()}


def _day(at: datetime) -> object:
    return at.astimezone(IST).date()


def _document(entry: MissedEntry, quotes: Mapping[InstrumentKey, Price]) -> dict[str, object]:
    terms, missed = entry.terms, entry.missed
    quote = quotes.get(entry.instrument)
    price = quote or missed.price
    source = "quote" if quote else "event" if price else None
    return {
        "leader_order_id": entry.leader_order_id,
        "follower": entry.follower,
        "side": entry.side.value,
        "quantity": missed.quantity or None,
        "symbol": entry.symbol,
        "segment": entry.instrument.segment.value,
        "security_id": entry.instrument.security_id,
        "order_type": terms.order_type.value,
        "limit": average(terms.price, 1) if terms.price else None,
        "trigger": average(terms.trigger, 1) if terms.trigger else None,
        "leader_quantity": terms.quantity,
        "leader_filled": entry.filled,
        "leader_average_price": average(entry.traded_value, entry.filled),
        "placed_at": entry.born.isoformat() if entry.born else None,
        "age_seconds": round(missed.age.total_seconds(), 3),
        "max_age_seconds": round(missed.allowed.total_seconds(), 3),
        "price": average(price.paise, 1) if price else None,
        "price_at": price.at.isoformat() if price else None,
        "price_source": source,
    }


def _row(entry: MissedEntry, quotes: Mapping[InstrumentKey, Price]) -> tuple[object, ...]:
    terms, missed = entry.terms, entry.missed
    price = quotes.get(entry.instrument) or missed.price
    return (
        entry.leader_order_id,
        entry.follower,
        f"{entry.side} {missed.quantity or '?'} {entry.symbol}",
        average(terms.price, 1) if terms.price else "market",
        average(entry.traded_value, entry.filled),
        f"{int(missed.age.total_seconds())} s",
        f"{int(missed.allowed.total_seconds())} s",
        average(price.paise, 1) if price else None,
        f"{price.at.astimezone(IST):%H:%M:%S}" if price else None,
    )
