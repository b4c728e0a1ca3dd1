"""The verdict can fail: books that are wrong in one thing are told to be, and right ones are not.

The right books are made by hand at the simulated broker, and then spoilt.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.correlation import correlation_id
from domain.inputs import BookRead
from domain.outcomes import Recalled
from ledger.entries import Noted
from ledger.ledger import Ledger
from tests.faults.verdict import Books, books, violations
from tests.faults.witness import placed_blindly, recalled, sent_all_the_same, unrecorded
from tests.ledger.makers import NOW, answered, intent, order
from tests.scenarios.house import DOUBLE, HALF, HDFCBANK, LEADER, NIFTY_CALL, RELIANCE, TCS, House
from tests.simulator.clients import Rest
from tests.waiting import eventually

MEMBERS = (HALF, DOUBLE)


class Hands:
    """The leader and followers who copy by hand, faultlessly."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.ids: dict[str, str] = {}

    def copied(self, name: str, key: tuple[str, str], quantity: int, **more: Any) -> str:
        """An order that the leader places, kept by that name, with a copy in each account."""
        side = more.pop("side", "BUY")
        order_id = self.ids[name] = self.house.places(key, side, quantity, **more)
        for member in MEMBERS:
            self.copy(order_id, member, key, side, **more)
        return order_id

    def copy(
        self, order_id: str, member: Any, key: tuple[str, str], side: str, **more: Any
    ) -> None:
        attempt = int(more.get("attempt", 0))
        leader = eventually(lambda: self._placed(order_id))
        lot = 65 if key == NIFTY_CALL else 1
        scaled = int(int(leader["quantity"]) * float(member.multiplier)) // lot * lot
        with Rest(self.house.broker, member.client_id) as rest:
            rest.place(
                transactionType=side,
                exchangeSegment=key[0],
                securityId=key[1],
                quantity=scaled,
                price=float(more.get("price", 0)),
                orderType="LIMIT",
                productType=more.get("product", "INTRADAY"),
                correlationId=correlation_id(order_id, 0, attempt),
            )

    def _placed(self, order_id: str) -> dict[str, Any] | None:
        row = self.house.leader_order(order_id)
        return row if row["orderStatus"] != "TRANSIT" else None


@pytest.fixture(scope="module")
def hands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hands]:
    house = House(tmp_path_factory.mktemp("verdict"), MEMBERS)
    house.price(RELIANCE, 2500)
    house.price(HDFCBANK, 1650)
    house.price(TCS, 3400)
    hands = Hands(house)
    hands.copied("open", RELIANCE, 10, price=2400)
    hands.copied("traded", HDFCBANK, 10, price=1700)
    hands.copied("cancelled", TCS, 10, price=3300)
    hands.copied("option", NIFTY_CALL, 130, price=1, product="MARGIN")
    accounts = (LEADER, *(member.client_id for member in MEMBERS))
    eventually(lambda: all(_settled(house, account) for account in accounts))
    for account in accounts:
        for row in house.control.book(account):
            if row["securityId"] == TCS[1]:
                house.control.cancel(account, str(row["orderId"]))
    yield hands
    house.close()


def _settled(house: House, account: str) -> bool:
    return all(row["orderStatus"] != "TRANSIT" for row in house.control.book(account))


@pytest.fixture(scope="module")
def right(hands: Hands) -> Books:
    """The right books."""
    return books(hands.house)


def test_right_books_are_right(right: Books) -> None:
    assert violations(right) == []
    assert len(right.leader) == 4
    assert all(len(rows) == 4 for rows in right.orders.values())


Spoil = Callable[[list[dict[str, Any]], dict[str, Any]], None]


def _put(**fields: Any) -> Spoil:
    return lambda book, row: row.update(fields)


def _lose(book: list[dict[str, Any]], row: dict[str, Any]) -> None:
    book.remove(row)


def _double(**fields: Any) -> Spoil:
    """Another order for it, under the name of the next attempt."""

    def double(book: list[dict[str, Any]], row: dict[str, Any]) -> None:
        name = str(row["correlationId"]).rpartition("-")[0] + "-1"
        book.append({**row, "orderId": "999", "correlationId": name, **fields})

    return double


def _same_name(book: list[dict[str, Any]], row: dict[str, Any]) -> None:
    book.append({**row, "orderId": "999"})


def _stranger(book: list[dict[str, Any]], row: dict[str, Any]) -> None:
    book.append({**row, "orderId": "999", "correlationId": ""})


_WRONG: dict[str, tuple[str, Spoil, list[str]]] = {
    "doubled, both traded": (
        "traded",
        _double(),
        ["2 orders were placed for it", "40 filled or open, 20 at the most by the rule"],
    ),
    "doubled, both open": ("open", _double(), ["2 orders are open for it", "2 orders were placed"]),
    "doubled, one cancelled": ("open", _double(orderStatus="CANCELLED"), ["2 orders were placed"]),
    "twice under one name": ("traded", _same_name, ["two orders named"]),
    "missing": ("open", _lose, ["(PENDING): missing"]),
    "missing, traded": ("traded", _lose, ["(TRADED): missing"]),
    "rejected": ("traded", _put(orderStatus="REJECTED", filledQty=0), ["missing"]),
    "an orphan": ("cancelled", _put(orderStatus="PENDING"), ["(CANCELLED): open: "]),
    "an order of nobody's": ("open", _stranger, ["1 orders that copy nothing"]),
    "too many": ("open", _put(quantity=21), ["21 filled or open, 20 at the most by the rule"]),
    "too few": ("open", _put(quantity=19), ["19 filled or open, 20 by the rule"]),
    "too few filled": (
        "traded",
        _put(orderStatus="CANCELLED", filledQty=7),
        ["7 filled or open, 20 by the rule"],
    ),
    "not in lots": ("option", _put(quantity=250), ["250 filled or open, 260 by the rule"]),
    "another price": ("open", _put(price=2401.0), ["price is 2401.0, the leader's 2400.0"]),
    "another trigger": ("open", _put(triggerPrice=5.0), ["triggerPrice is 5.0"]),
    "another kind": ("open", _put(orderType="STOP_LOSS"), ["orderType is STOP_LOSS"]),
    "another validity": ("open", _put(validity="IOC"), ["validity is IOC"]),
    "the other side": ("open", _put(transactionType="SELL"), ["transactionType is SELL"]),
}


@pytest.mark.parametrize("kind", _WRONG)
def test_wrong_books_are_told(right: Books, hands: Hands, kind: str) -> None:
    name, spoil, told = _WRONG[kind]
    book = [dict(row) for row in right.orders[DOUBLE]]
    prefix = correlation_id(hands.ids[name], 0, 0)
    spoil(book, next(row for row in book if row["correlationId"] == prefix))
    wrong = violations(replace(right, orders={**right.orders, DOUBLE: book}))
    assert all(line.startswith("double: ") for line in wrong)
    for words in told:
        assert any(words in line for line in wrong), wrong


def test_a_copy_that_follows_no_change_is_told(right: Books, hands: Hands) -> None:
    """The leader asks for more than its copies have."""
    leader = [dict(row) for row in right.leader]
    row = next(row for row in leader if row["orderId"] == hands.ids["open"])
    row |= {"quantity": 20, "modifications": 1}
    most = {**right.most, hands.ids["open"]: 20}
    wrong = violations(replace(right, leader=leader, most=most))
    assert [line.partition(":")[0] for line in wrong] == ["half", "double"]
    assert "5 filled or open, 10 by the rule" in wrong[0]


def test_fills_of_a_leader_who_cancelled_the_rest_are_missed(right: Books, hands: Hands) -> None:
    leader = [dict(row) for row in right.leader]
    row = next(row for row in leader if row["orderId"] == hands.ids["cancelled"])
    row["filledQty"] = 4
    book = [
        row
        for row in right.orders[HALF]
        if row["correlationId"] != correlation_id(hands.ids["cancelled"], 0, 0)
    ]
    wrong = violations(replace(right, leader=leader, orders={HALF: book}))
    assert len(wrong) == 1
    assert "missing, the leader's filled 4" in wrong[0]


def test_what_is_left_of_a_position_that_the_leader_left_is_told(
    right: Books, hands: Hands
) -> None:
    exits = {hands.ids["traded"]}
    assert violations(right, exits) == []
    flat = [{**row, "netQty": 0} for row in right.leader_positions]
    wrong = violations(replace(right, leader_positions=flat), exits)
    assert wrong == [
        "half: 5 of HDFCBANK are left, the leader has none",
        "double: 20 of HDFCBANK are left, the leader has none",
    ]


def test_a_slice_that_is_given_up_once_the_leader_has_left_is_right(
    right: Books, hands: Hands
) -> None:
    """A find of seed 940064: another slice traded after that one was cancelled."""
    name = correlation_id(hands.ids["traded"], 0, 0)
    book = [dict(row) for row in right.orders[DOUBLE]]
    mine = next(row for row in book if row["correlationId"] == name)
    rest = {**mine, "correlationId": f"{name[:-3]}1-1", "orderStatus": "CANCELLED", "filledQty": 0}
    mine["quantity"] = mine["filledQty"] = 15
    book.insert(0, rest)
    flat = [{**row, "netQty": 0} for row in right.leader_positions]
    seen = replace(right, leader_positions=flat, orders={DOUBLE: book}, positions={DOUBLE: []})
    assert violations(seen, {"77"}) == []
    for wrong in (
        violations(replace(seen, leader_positions=right.leader_positions), {"77"}),
        violations(replace(seen, orders={DOUBLE: book[1:]}), {"77"}),
    ):
        assert len(wrong) == 1
        assert "15 filled or open, 20 by the rule" in wrong[0]


def test_an_exit_that_was_sent_twice_or_stays_open_is_told(right: Books, hands: Hands) -> None:
    exits, name = {hands.ids["traded"]}, correlation_id(hands.ids["traded"], 0, 0)
    book = [dict(row) for row in right.orders[DOUBLE]]
    row = next(row for row in book if row["correlationId"] == name)
    row["orderStatus"] = "PENDING"
    book.append({**row, "orderStatus": "TRADED", "correlationId": f"{name[:-1]}1"})
    wrong = violations(replace(right, orders={DOUBLE: book}), exits)
    assert any("2 orders were placed for it" in line for line in wrong)
    assert any("(TRADED): open: " in line for line in wrong)


def test_an_exit_that_grew_with_its_entries_is_right(right: Books, hands: Hands) -> None:
    exits, name = {hands.ids["traded"]}, correlation_id(hands.ids["traded"], 0, 0)
    book = [dict(row) for row in right.orders[DOUBLE]]
    first = next(row for row in book if row["correlationId"] == name)
    whole = int(first["quantity"])
    rest = {**first, "quantity": whole - 5, "correlationId": f"{name[:-1]}1"}
    first["quantity"] = 5
    assert violations(replace(right, orders={DOUBLE: [*book, rest]}), exits) == []
    first["quantity"] = 10
    wrong = violations(replace(right, orders={DOUBLE: [*book, rest]}), exits)
    assert any("2 orders were placed for it" in line for line in wrong)


def test_exits_may_take_what_traded_before_the_leaders_cancel(right: Books, hands: Hands) -> None:
    """A find of seed 910070: the copy of an order that the leader cancelled had traded already, so
    that there was more to leave; and its exit grew with it."""
    exited, name = hands.ids["traded"], correlation_id(hands.ids["traded"], 0, 0)
    leader = next(row for row in right.leader if row["orderId"] == exited)
    book = [dict(row) for row in right.orders[DOUBLE]]
    mine = next(row for row in book if row["correlationId"] == name)
    entered, whole = dict(mine), int(mine["quantity"])
    entries = [
        {**leader, "orderId": "75"},
        {**leader, "orderId": "76", "orderStatus": "CANCELLED", "filledQty": 0},
    ]
    book += [{**entered, "correlationId": correlation_id(one, 0, 0)} for one in ("75", "76")]
    book.append({**mine, "correlationId": f"{name[:-1]}1"})
    seen = replace(
        right,
        leader=[*right.leader, *entries],
        most={**right.most, "75": right.most[exited], "76": right.most[exited]},
        orders={DOUBLE: book},
    )
    assert violations(seen, {exited}) == []
    book[-1]["quantity"] = whole + 1
    wrong = violations(seen, {exited})
    assert any("2 orders were placed for it" in line for line in wrong)


def test_an_exit_may_take_what_others_of_its_instrument_left(right: Books, hands: Hands) -> None:
    """As when those were decided about before all entries had filled."""
    first, name = hands.ids["traded"], correlation_id(hands.ids["traded"], 0, 0)
    leader = next(row for row in right.leader if row["orderId"] == first)
    second = {**leader, "orderId": "77"}
    book = [dict(row) for row in right.orders[DOUBLE]]
    mine = next(row for row in book if row["correlationId"] == name)
    whole = int(mine["quantity"])
    rest = {**mine, "quantity": 5, "correlationId": f"{name[:-1]}1"}
    other = {**mine, "quantity": whole - 5, "correlationId": correlation_id("77", 0, 0)}
    seen = replace(
        right,
        leader=[*right.leader, second],
        most={**right.most, "77": right.most[first]},
        orders={DOUBLE: [*book, rest, other]},
    )
    assert violations(seen, {first, "77"}) == []
    other["quantity"] = whole
    wrong = violations(seen, {first, "77"})
    assert any("2 orders were placed for it" in line for line in wrong)


def test_a_request_that_was_never_recorded_is_told(hands: Hands, tmp_path: Path) -> None:
    """These followers copied by hand: no ledger knows of anything."""
    path = tmp_path / "copy_trading.db"
    with Ledger.open(path) as ledger:
        wrong = unrecorded(hands.house, path)
        assert len(wrong) == 8
        assert "1000000002: place " in wrong[0]
        known = hands.ids["open"]
        ledger.commit([replace(intent(leader_order_id=known), client_id=HALF.client_id)])
        assert len(unrecorded(hands.house, path)) == 7


def test_what_was_called_back_and_left_all_the_same_is_told(hands: Hands, tmp_path: Path) -> None:
    path, sent = tmp_path / "copy_trading.db", hands.ids["open"]
    left, held = (
        replace(intent(leader_order_id=order_id), client_id=HALF.client_id)
        for order_id in (sent, "1")
    )
    with Ledger.open(path) as ledger:
        ledger.commit([left, held, answered(held, Recalled())])
        assert sent_all_the_same(hands.house, path) == []
        ledger.commit([answered(left, Recalled())])
        names = {name for _, _, name in recalled(path)}
        assert names == {left.correlation_id, held.correlation_id}
        (told,) = sent_all_the_same(hands.house, path)
    assert told == f"{HALF.client_id}: {left.correlation_id} was called back and sent all the same"


@pytest.mark.parametrize("knows", ["nothing", "too late", "by the answer", "by the book"])
def test_what_is_placed_again_blindly_is_told(hands: Hands, tmp_path: Path, knows: str) -> None:
    order_id = hands.ids["traded"]
    names = [correlation_id(order_id, 0, attempt) for attempt in (0, 1)]
    if names[1] not in {row["correlationId"] for row in hands.house.control.book(DOUBLE.client_id)}:
        hands.copy(order_id, DOUBLE, HDFCBANK, "BUY", price=1700, attempt=1)
    first, second = (
        replace(
            intent(leader_order_id=order_id, number=number, at=NOW + timedelta(seconds=number)),
            client_id=DOUBLE.client_id,
        )
        for number in (0, 1)
    )
    row = order("9001", DOUBLE.client_id, correlation=names[0])
    read = Noted("asha", NOW + timedelta(seconds=1), BookRead((row,), NOW, complete=True))
    with Ledger.open(path := tmp_path / "copy_trading.db") as ledger:
        ledger.commit([first])
        if knows == "by the answer":
            ledger.commit([answered(first)])
        if knows == "by the book":
            ledger.commit([read])
        ledger.commit([second])
        if knows == "too late":
            ledger.commit([answered(first), replace(read, at=NOW + timedelta(seconds=2))])
        known = knows.startswith("by ")
        words = f"{DOUBLE.client_id}: {names[1]} was placed while nothing was known of {names[0]}"
        assert placed_blindly(hands.house, path) == ([] if known else [words])
