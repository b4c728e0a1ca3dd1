"""An account's positions, as Dhan's `/positions` tells them."""

import json
from collections.abc import Mapping

from dhan.codec.values import Unreadable, number, product, quantity, text
from domain.differences import Holding, Position
from domain.instruments import InstrumentKey, Segment
from domain.statements import PositionShown


def positions(body: bytes) -> tuple[Position, ...]:
    """The positions of the day. A row in a segment or product that no order of ours has is left
    out. Raises Unreadable when the body is no complete list: an error is not an empty one."""
    held = ((_holding(row), row) for row in _rows(body))
    return tuple(_position(holding, row) for holding, row in held if holding is not None)


def statement(body: bytes) -> tuple[PositionShown, ...]:
    """The positions of the day with what they cost and earned; rows are left out as by `positions`.
    Raises Unreadable when the body is no complete list."""
    return tuple(
        PositionShown(
            holding.instrument,
            holding.product,
            _position(holding, row).net,
            round(number(row.get("costPrice") or 0) * 100),
            round(number(row.get("realizedProfit") or 0) * 100),
            round(number(row.get("unrealizedProfit") or 0) * 100),
        )
        for row in _rows(body)
        if (holding := _holding(row)) is not None
    )


def profit(body: bytes) -> int:
    """What all positions of the day earned, realised and open, in paise; below 0 for a loss. Raises
    Unreadable when the body is no complete list."""
    earned = (
        number(_needed(row, key))
        for row in _rows(body)
        for key in ("realizedProfit", "unrealizedProfit")
    )
    return round(sum(earned) * 100)


def _rows(body: bytes) -> list[dict[str, object]]:
    try:
        rows = json.loads(body)
    except (ValueError, RecursionError):
        raise Unreadable("not JSON") from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Unreadable("not a list of positions")
    return rows


def _holding(row: Mapping[str, object]) -> Holding | None:
    security_id = text(row.get("securityId"))
    if not security_id:
        raise Unreadable("no securityId in a position")
    try:
        segment = Segment(text(row.get("exchangeSegment")))
        return Holding(InstrumentKey(segment, security_id), product(row.get("productType")))
    except ValueError:
        return None


def _position(holding: Holding, row: Mapping[str, object]) -> Position:
    day = quantity(_needed(row, "dayBuyQty")) - quantity(_needed(row, "daySellQty"))
    net = number(_needed(row, "netQty"))
    if net != int(net):
        raise Unreadable("netQty is not a whole number")
    return Position(holding, day, int(net))


def _needed(row: Mapping[str, object], key: str) -> object:
    value = row.get(key)
    if value is None:
        raise Unreadable(f"no {key} in a position")
    return value
