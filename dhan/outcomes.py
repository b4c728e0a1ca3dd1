"""From Dhan's answer to what it means.

Dhan's error codes are not diagnostic (DH-906 was seen for a dead session, an order in transit,
a closed market and a wrong trigger), so the HTTP status decides how bad it is and the message
says why.
"""

import json

from dhan.requests import Kind
from domain.outcomes import (
    Accepted,
    NotSent,
    Outcome,
    Refusal,
    Refused,
    Throttled,
    Unknown,
)

_EXCERPT = 160

_MESSAGES: tuple[tuple[Refused, tuple[str, ...]], ...] = (
    (Refused.ADDRESS, ("invalid ip", "ip address", "static ip")),
    (Refused.TOKEN, ("invalid token", "token is invalid", "token expired", "access token")),
    (Refused.IN_TRANSIT, ("transit state",)),
    (Refused.MARKET_CLOSED, ("market is closed", "market closed", "outside market hours")),
    (Refused.MODIFICATIONS, ("modification limit", "maximum modification", "modifications per")),
    (
        Refused.GONE,
        (
            "already traded",
            "already cancelled",
            "already executed",
            "is traded",
            "is cancelled",
            "is rejected",
            "not open",
            "no longer open",
            "cannot be cancelled",
            "cannot be modified",
            "incorrect request for order",
        ),
    ),
    (Refused.MARGIN, ("insufficient", "margin", "fund limit", "shortfall")),
    (Refused.QUANTITY, ("freeze", "lot size", "multiple of lot", "quantity")),
    (Refused.PRICE, ("circuit", "price band", "tick", "trigger price", "price range", "price")),
    (Refused.HOLDING, ("holding",)),
    (Refused.PRODUCT, ("product",)),
    (Refused.SEGMENT, ("segment",)),
    (Refused.INSTRUMENT, ("security", "instrument", "scrip")),
)


def outcome(
    kind: Kind, status: int | None, body: bytes, error: str | None, written_at: int | None
) -> Outcome:
    """What came of a request.

    `status` and `body` are of the HTTP answer, `error` says why there is none, `written_at` is
    None only when no byte of the request left this host.
    """
    if status is None:
        why = error or "no answer"
        return NotSent(why) if written_at is None else Unknown(why)
    if status == 429:
        return Throttled(_message(_json(body)) or "429")
    if status == 408 or status >= 500:
        return _server_error(kind, status, body)
    parsed = _json(body)
    if 200 <= status < 300:
        return _success(kind, body, parsed)
    if not isinstance(parsed, dict | list):
        return Refusal(_by_status(status), _excerpt(body), "", status)
    return _refusal(status, parsed)


def rejection(text: str) -> Refused:
    """The class of an order row's or event's reason for being rejected."""
    return _by_message(text) or Refused.OTHER


def _server_error(kind: Kind, status: int, body: bytes) -> Outcome:
    parsed = _json(body)
    message = _message(parsed)
    if not kind.order and isinstance(parsed, dict) and parsed.get("errorCode") == "DH-1111":
        return Accepted()
    return Unknown(f"HTTP {status}{': ' + message if message else ''}")


def _success(kind: Kind, body: bytes, parsed: object) -> Outcome:
    if kind is not Kind.PLACE:
        if not body.strip():
            return Accepted()
        if isinstance(parsed, dict) and "errorCode" in parsed:
            return _coded(200, parsed)
        return Accepted(*_ack(parsed)) if parsed is not None else Unknown(_unreadable(body))
    row = parsed[0] if isinstance(parsed, list) and parsed else parsed
    if isinstance(row, dict) and "errorCode" in row and not row.get("orderId"):
        return _coded(200, row)
    order_id, state = _ack(row)
    if not order_id:
        return Unknown(_unreadable(body))
    return Accepted(order_id, state)


def _ack(row: object) -> tuple[str, str]:
    if not isinstance(row, dict):
        return "", ""
    order_id, state = row.get("orderId"), row.get("orderStatus")
    named = str(order_id) if order_id not in (None, "", 0) else ""
    return named, state if isinstance(state, str) else ""


def _coded(status: int, row: dict[str, object]) -> Outcome:
    """An error told with a 200: 805 is about pace, everything else is a refusal."""
    if str(row.get("errorCode")) in ("805", "DH-904"):
        return Throttled(_message(row) or "805")
    return _refusal(status, row)


def _refusal(status: int, parsed: object) -> Outcome:
    row = parsed[0] if isinstance(parsed, list) and parsed else parsed
    code = str(row.get("errorCode", "")) if isinstance(row, dict) else ""
    message = _message(parsed) or f"HTTP {status}"
    if code == "DH-904":
        return Throttled(message)
    kind = _by_code(code) or _by_message(message) or _by_status(status)
    return Refusal(kind, message[:_EXCERPT], code, status)


def _by_code(code: str) -> Refused | None:
    return {"DH-901": Refused.TOKEN, "DH-911": Refused.ADDRESS}.get(code)


def _by_message(message: str) -> Refused | None:
    lowered = message.lower()
    for kind, phrases in _MESSAGES:
        if any(phrase in lowered for phrase in phrases):
            return kind
    return None


def _by_status(status: int) -> Refused:
    if status == 401:
        return Refused.TOKEN
    return Refused.INPUT if status == 400 else Refused.OTHER


def _message(parsed: object) -> str:
    """The words of an error, in any of the shapes that Dhan uses."""
    if isinstance(parsed, list):
        return _message(parsed[0]) if parsed else ""
    if not isinstance(parsed, dict):
        return ""
    for key in ("errorMessage", "message", "remarks", "internalErrorMessage", "error"):
        text = parsed.get(key)
        if isinstance(text, str) and text:
            return text
    nested = parsed.get("data")
    if isinstance(nested, dict):
        return "; ".join(str(value) for value in nested.values())
    return ""


def _json(body: bytes) -> object:
    try:
        parsed: object = json.loads(body)
    except ValueError:
        return None
    return parsed


def _unreadable(body: bytes) -> str:
    return f"an answer that cannot be read: {_excerpt(body)}" if body.strip() else "an empty answer"


def _excerpt(body: bytes) -> str:
    return body[:_EXCERPT].decode("utf-8", "replace")
