"""From Dhan's answer to what it means.

Dhan's error codes are not diagnostic (DH-906 was seen for a dead session, an order in transit,
a closed market and a wrong trigger), so the HTTP status decides how bad it is and the message
says why. A request for an order counts as refused only where Dhan itself says no; whatever is
less clear than that is Unknown, for a second order costs more than a second look.
"""

import json
from dataclasses import dataclass

from dhan.calls import Answer
from dhan.codec.values import text
from dhan.reasons import is_double, reason
from dhan.requests import Kind
from domain.outcomes import (
    Accepted,
    NotSent,
    Outcome,
    Recalled,
    Refusal,
    Refused,
    Throttled,
    Unknown,
)

_EXCERPT = 160
_PACE = frozenset({"DH-904", "805"})
_NO_HOLDINGS = "DH-1111"
_UNCLEAR = frozenset({"DH-908", "DH-909", "DH-910", "800"})
_CODES = {
    "DH-901": Refused.TOKEN,
    "DH-911": Refused.ADDRESS,
    "807": Refused.TOKEN,
    "808": Refused.TOKEN,
    "809": Refused.TOKEN,
    "810": Refused.TOKEN,
}
_FAILED = frozenset({"failed", "failure", "error"})
_DONE = frozenset({"success"})


@dataclass(frozen=True, slots=True)
class _Said:
    """What a body says, in any of Dhan's shapes; `no` is whether it says that it failed."""

    code: str = ""
    message: str = ""
    no: bool = False
    order_id: str = ""
    state: str = ""
    done: bool = False


def outcome_of(kind: Kind, answer: Answer) -> Outcome:
    """What came of a call, by its answer."""
    if answer.recalled:
        return Recalled()
    return outcome(kind, answer.status, answer.body, answer.error, answer.written_at)


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
    parsed = _json(body)
    said = _said(parsed)
    if status == 429:
        return Throttled(said.message or "429")
    if not kind.order and status >= 500 and said.code == _NO_HOLDINGS:
        return Accepted()
    if 200 <= status < 300:
        return _success(kind, status, body, parsed, said)
    if 400 <= status < 500 and status != 408:
        return _refused(kind, status, body, said)
    return Unknown(f"HTTP {status}{': ' + said.message if said.message else ''}")


def _success(kind: Kind, status: int, body: bytes, parsed: object, said: _Said) -> Outcome:
    if said.order_id and (kind is Kind.PLACE or not said.no):
        return Accepted(said.order_id, said.state)
    if said.no:
        return _no(kind, status, said)
    if _done(kind, body, parsed, said):
        return Accepted(status=said.state)
    return Unknown(f"an answer that cannot be read: {_excerpt(body)}")


def _done(kind: Kind, body: bytes, parsed: object, said: _Said) -> bool:
    """Whether a 2xx without an order id says that it was done. A placement has an id; a change
    or a cancel may be answered without a body (seen: 202)."""
    if kind is Kind.PLACE:
        return False
    if kind is Kind.READ:
        return isinstance(parsed, dict | list)
    return not body.strip() or said.done or bool(said.state)


def _refused(kind: Kind, status: int, body: bytes, said: _Said) -> Outcome:
    """A 4xx: a clear no, unless it is only a page of some server in between."""
    if said.no or said.message:
        return _no(kind, status, said)
    if kind.order:
        return Unknown(f"HTTP {status}, not in Dhan's words: {_excerpt(body)}")
    return Refusal(_by_status(status), _excerpt(body), "", status)


def _no(kind: Kind, status: int, said: _Said) -> Outcome:
    message = said.message or said.code or f"HTTP {status}"
    if said.code in _PACE:
        return Throttled(message)
    if kind.order and (said.code in _UNCLEAR or said.order_id):
        return Unknown(message)
    if kind is Kind.PLACE and is_double(message):
        return Unknown(message)
    why = _CODES.get(said.code) or reason(message, change=kind in (Kind.MODIFY, Kind.CANCEL))
    return Refusal(why or _by_status(status), message, said.code, status)


def _by_status(status: int) -> Refused:
    if status == 401:
        return Refused.TOKEN
    return Refused.INPUT if status == 400 else Refused.OTHER


def _said(parsed: object) -> _Said:
    row = parsed[0] if isinstance(parsed, list) and parsed else parsed
    if not isinstance(row, dict):
        return _Said()
    order_id, word = text(row.get("orderId")), text(row.get("status")).lower()
    nested = row.get("data")
    inner = nested if word in _FAILED and isinstance(nested, dict) else {}
    code = next(
        (named for key in ("errorCode", "internalErrorCode") if (named := text(row.get(key)))),
        next(map(text, inner), ""),
    )
    code = "" if code == "0" else code
    words = [text(row.get(key)) for key in _WORDS] + [text(value) for value in inner.values()]
    return _Said(
        code=code,
        message=next((said for said in words if said), "")[:_EXCERPT],
        no=bool(code) or word in _FAILED,
        order_id=order_id if order_id.isalnum() and order_id.strip("0") else "",
        state=text(row.get("orderStatus")),
        done=word in _DONE,
    )


_WORDS = ("errorMessage", "message", "remarks", "internalErrorMessage", "error")


def _json(body: bytes) -> object:
    try:
        parsed: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return parsed


def _excerpt(body: bytes) -> str:
    return text(body[:_EXCERPT].decode("utf-8", "replace")) or "empty"
