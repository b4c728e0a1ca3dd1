"""The last prices that Dhan's market quotes tell."""

import json

from dhan.codec.values import Unreadable, paise, text
from domain.instruments import InstrumentKey, Segment


def last_prices(body: bytes) -> dict[InstrumentKey, int]:
    """The last price of each instrument in paise, where there is one. Raises Unreadable with the
    broker's words, as when the account has no data API."""
    try:
        parsed: object = json.loads(body)
    except (ValueError, RecursionError):
        raise Unreadable("not JSON") from None
    answer = parsed if isinstance(parsed, dict) else {}
    segments = answer.get("data")
    if text(answer.get("status")).lower() != "success" or not isinstance(segments, dict):
        raise Unreadable(text(answer.get("errorMessage")) or "no prices in the answer")
    return {
        InstrumentKey(Segment(name), security_id): price
        for name, told in segments.items()
        if name in _SEGMENTS and isinstance(told, dict)
        for security_id, quote in told.items()
        if (price := _price(quote))
    }


_SEGMENTS = frozenset(segment.value for segment in Segment)


def _price(quote: object) -> int:
    try:
        return paise(quote.get("last_price")) if isinstance(quote, dict) else 0
    except Unreadable:
        return 0
