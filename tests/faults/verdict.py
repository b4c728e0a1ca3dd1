"""What the broker's own books say of a day: whether every follower has every leader order exactly
once, in the right state and size."""

import json
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from domain.correlation import correlation_id
from tests.scenarios.house import LEADER, NIFTY_CALL, House, Member

Row = Mapping[str, Any]

_ENDED = ("TRADED", "CANCELLED", "REJECTED", "EXPIRED")
_LOTS = {NIFTY_CALL[1]: 65}


def violations(house: House) -> list[str]:
    """Everything that is wrong now, in plain words; empty when all is as it must be."""
    leaders = house.control.book(LEADER)
    most = {str(row["orderId"]): _most(house, row) for row in leaders}
    return [
        f"{member.name}: {wrong}"
        for member in house.members
        for wrong in _of_follower(leaders, most, house.control.book(member.client_id), member)
    ]


def _most(house: House, leader: Row) -> int:
    """The largest quantity that the leader's order ever had."""
    if not leader["modifications"]:
        return int(leader["quantity"])
    frames = house.control.events(LEADER, str(leader["orderId"]))
    told = [json.loads(frame)["Data"] for frame in frames]
    return max(int(fields.get("quantity", fields.get("Quantity"))) for fields in told)


def _of_follower(
    leaders: Sequence[Row], most: Mapping[str, int], book: Sequence[Row], member: Member
) -> Iterator[str]:
    names = [str(row["correlationId"]) for row in book]
    for name in {name for name in names if names.count(name) > 1}:
        yield f"two orders named {name}"
    accounted = 0
    for leader in leaders:
        order_id = str(leader["orderId"])
        prefix = correlation_id(order_id, 0, 0).rpartition("-")[0]
        mine = [row for row in book if str(row["correlationId"]).startswith(f"{prefix}-")]
        accounted += len(mine)
        for wrong in _of_order(leader, most[order_id], mine, member):
            yield f"order {order_id} ({leader['orderStatus']}): {wrong}"
    if accounted != len(book):
        yield f"{len(book) - accounted} orders that copy nothing"


def _of_order(leader: Row, most: int, mine: Sequence[Row], member: Member) -> Iterator[str]:
    live = [row for row in mine if row["orderStatus"] not in _ENDED]
    accepted = [row for row in mine if row["orderStatus"] != "REJECTED"]
    filled = sum(int(row["filledQty"]) for row in mine)
    reach = filled + sum(int(row["quantity"]) - int(row["filledQty"]) for row in live)
    if len(live) > 1:
        yield f"{len(live)} orders are open for it"
    if len(accepted) > 1 and most == leader["quantity"] and not leader["modifications"]:
        yield f"{len(accepted)} orders were placed for it"
    if reach > _scaled(leader, most, member):
        yield f"{reach} filled or open, {_scaled(leader, most, member)} at the most by the rule"
    if leader["orderStatus"] in ("CANCELLED", "EXPIRED", "REJECTED"):
        if live:
            yield f"open: {live[0]['orderId']}"
    elif not accepted:
        yield "missing"
    elif leader["validity"] != "IOC":
        yield from _size(leader, reach, live, member)
        if live and leader["orderStatus"] not in _ENDED:
            yield from _terms(leader, live[0])


def _size(leader: Row, reach: int, live: Sequence[Row], member: Member) -> Iterator[str]:
    """What filled before the leader made the order smaller cannot be taken back."""
    wanted = _scaled(leader, int(leader["quantity"]), member)
    if reach < wanted or (live and reach > wanted):
        yield f"{reach} filled or open, {wanted} by the rule"


def _terms(leader: Row, copy: Row) -> Iterator[str]:
    """Differences between two open orders; what became a protected order is left out."""
    if leader["orderType"] in ("MARKET", "STOP_LOSS_MARKET"):
        return
    for key in ("orderType", "price", "triggerPrice", "validity", "transactionType"):
        if leader[key] != copy[key]:
            yield f"{key} is {copy[key]}, the leader's {leader[key]}"


def _scaled(leader: Row, quantity: int, member: Member) -> int:
    lot = _LOTS.get(str(leader["securityId"]), 1)
    return int(quantity * Fraction(member.multiplier)) // lot * lot
