"""What the broker's own books say of a day: whether every follower has every leader order exactly
once, in the right state and size, and is flat where the leader is."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from domain.correlation import correlation_id
from tests.scenarios.house import LEADER, NIFTY_CALL, House, Member

Row = Mapping[str, Any]

INVERSE = "inverse = true"
_ENDED = ("TRADED", "CANCELLED", "REJECTED", "EXPIRED")
_LOTS = {NIFTY_CALL[1]: 65}


@dataclass(frozen=True, slots=True)
class Books:
    """The order books and positions at one moment: the leader's, and each member's. `most` is the
    largest quantity that each order of the leader ever had."""

    leader: Sequence[Row]
    most: Mapping[str, int]
    orders: Mapping[Member, Sequence[Row]]
    leader_positions: Sequence[Row] = ()
    positions: Mapping[Member, Sequence[Row]] = field(default_factory=dict)


def books(house: House) -> Books:
    """The books of a house now."""
    control = house.control
    leader = control.book(LEADER)
    return Books(
        leader,
        {str(row["orderId"]): _most(house, row) for row in leader},
        {member: control.book(member.client_id) for member in house.members},
        control.positions(LEADER),
        {member: control.positions(member.client_id) for member in house.members},
    )


def violations(seen: Books, exits: Set[str] = frozenset()) -> list[str]:
    """Everything that is wrong in the books, in plain words; empty when all is as it must be.

    `exits` are the leader's orders that leave positions. What each of them takes from a follower
    depends on what that one holds; all of them together leave nothing.
    """
    return [
        f"{member.name}: {wrong}"
        for member, rows in seen.orders.items()
        for wrong in (*_of_follower(seen, rows, member, exits), *_left_over(seen, member, exits))
    ]


def _most(house: House, leader: Row) -> int:
    if not leader["modifications"]:
        return int(leader["quantity"])
    frames = house.control.events(LEADER, str(leader["orderId"]))
    told = [json.loads(frame)["Data"] for frame in frames]
    return max(int(fields.get("quantity", fields.get("Quantity"))) for fields in told)


def _of_follower(
    seen: Books, book: Sequence[Row], member: Member, exits: Set[str]
) -> Iterator[str]:
    names = [str(row["correlationId"]) for row in book]
    for name in {name for name in names if names.count(name) > 1}:
        yield f"two orders named {name}"
    accounted = 0
    for leader in seen.leader:
        order_id = str(leader["orderId"])
        mine = _copies(book, leader)
        accounted += len(mine)
        overtaken = _overtaken(seen, leader, mine, exits)
        if INVERSE in member.more:
            wrong_in = _of_mirrored(leader, mine, member, overtaken or order_id in exits)
        elif order_id in exits:
            wrong_in = _of_exit(leader, mine, _may_take(seen, leader, book, member, exits))
        else:
            wrong_in = _of_order(leader, seen.most[order_id], mine, member, overtaken)
        for wrong in wrong_in:
            yield f"order {order_id} ({leader['orderStatus']}): {wrong}"
    if accounted != len(book):
        yield f"{len(book) - accounted} orders that copy nothing"


def _copies(book: Sequence[Row], leader: Row) -> list[Row]:
    """The follower's orders that copy an order of the leader."""
    prefix = correlation_id(str(leader["orderId"]), 0, 0).partition("-")[0]
    return [row for row in book if str(row["correlationId"]).startswith(f"{prefix}-")]


def _asked(rows: Sequence[Row]) -> int:
    return sum(int(row["quantity"]) for row in rows if row["orderStatus"] != "REJECTED")


def _overtaken(seen: Books, leader: Row, mine: Sequence[Row], exits: Set[str]) -> bool:
    """Whether the copy of an entry may have been given up: the leader traded it and has left it
    again, and what was open of the copy, or of one of its slices, was cancelled."""
    flat = all(
        not int(row["netQty"])
        for row in seen.leader_positions
        if row["securityId"] == leader["securityId"]
    )
    newest = {_slice(row): row for row in mine}
    given_up = any(row["orderStatus"] == "CANCELLED" for row in newest.values())
    return bool(exits) and flat and given_up and leader["orderStatus"] == "TRADED"


def _of_order(
    leader: Row, most: int, mine: Sequence[Row], member: Member, overtaken: bool
) -> Iterator[str]:
    live, accepted = _live(mine), [row for row in mine if row["orderStatus"] != "REJECTED"]
    filled = sum(int(row["filledQty"]) for row in mine)
    reach = filled + sum(int(row["quantity"]) - int(row["filledQty"]) for row in live)
    if _of_one_slice(live) > 1:
        yield f"{_of_one_slice(live)} orders are open for it"
    unchanged = most == leader["quantity"] and not leader["modifications"]
    if _of_one_slice(accepted) > 1 and unchanged:
        yield f"{_of_one_slice(accepted)} orders were placed for it"
    if reach > _scaled(leader, most, member):
        yield f"{reach} filled or open, {_scaled(leader, most, member)} at the most by the rule"
    if leader["orderStatus"] in ("CANCELLED", "EXPIRED", "REJECTED"):
        if live:
            yield f"open: {live[0]['orderId']}"
        if not accepted and _scaled(leader, int(leader["filledQty"]), member):
            yield f"missing, the leader's filled {leader['filledQty']}"
    elif not accepted:
        yield "missing"
    elif leader["validity"] != "IOC" and not overtaken:
        yield from _size(leader, reach, live, member)
        for row in live if leader["orderStatus"] not in _ENDED else ():
            yield from _terms(leader, row)


def _of_mirrored(leader: Row, mine: Sequence[Row], member: Member, leaves: bool) -> Iterator[str]:
    """What the leader got is traded on the other side, or open as long as it takes."""
    live = _live(mine)
    filled = sum(int(row["filledQty"]) for row in mine)
    reach = filled + sum(int(row["quantity"]) - int(row["filledQty"]) for row in live)
    wanted = _scaled(leader, int(leader["filledQty"]), member)
    if _of_one_slice(live) > 1:
        yield f"{_of_one_slice(live)} orders are open for it"
    if any(row["transactionType"] == leader["transactionType"] for row in mine):
        yield "on the leader's side"
    if reach != wanted and not leaves:
        yield f"{reach} filled or open, the leader's fills make it {wanted}"


def _may_take(
    seen: Books, leader: Row, book: Sequence[Row], member: Member, exits: Set[str]
) -> int:
    """The most that the copy of an exit may have asked for: by the rule, and what the other exits
    of the instrument have left of theirs, as when they were decided about less was held. All of
    them together may take what the copies of entries got, which is more than the rule says where
    one traded before the leader's cancel could reach it."""
    beside = [row for row in seen.leader if row["securityId"] == leader["securityId"]]
    leaving = [row for row in beside if row["orderId"] in exits]
    others = [row for row in leaving if row is not leader]
    asked = sum(_asked(_copies(book, row)) for row in others)
    entered = [row for one in beside if one not in leaving for row in _copies(book, one)]
    ruled = sum(_scaled(row, int(row["quantity"]), member) for row in leaving)
    return max(ruled, sum(int(row["filledQty"]) for row in entered)) - asked


def _of_exit(leader: Row, mine: Sequence[Row], most: int) -> Iterator[str]:
    """An exit grows with the copies of its entries; by another order, where one has traded."""
    live, accepted = _live(mine), [row for row in mine if row["orderStatus"] != "REJECTED"]
    open_ = [row for row in accepted if row["orderStatus"] != "TRADED"]
    grew = len(open_) <= 1 and _asked(mine) <= most
    if _of_one_slice(accepted) > 1 and not grew:
        yield f"{_of_one_slice(accepted)} orders were placed for it"
    if live and leader["orderStatus"] in _ENDED:
        yield f"open: {live[0]['orderId']}"


def _left_over(seen: Books, member: Member, exits: Set[str]) -> Iterator[str]:
    """Positions of a follower that the leader has left."""
    if not exits:
        return
    flat = {str(row["securityId"]) for row in seen.leader_positions if not int(row["netQty"])}
    for row in seen.positions[member]:
        if str(row["securityId"]) in flat and int(row["netQty"]):
            yield f"{row['netQty']} of {row['tradingSymbol']} are left, the leader has none"


def _of_one_slice(rows: Sequence[Row]) -> int:
    """The most of these orders that are of one slice, by their names."""
    return max(Counter(map(_slice, rows)).values(), default=0)


def _slice(row: Row) -> str:
    return str(row["correlationId"]).split("-")[1]


def _live(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row["orderStatus"] not in _ENDED]


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
