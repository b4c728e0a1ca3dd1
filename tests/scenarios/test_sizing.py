"""Sizes, limits and exits, with the real process and the simulated broker's books as witness."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from tests.scenarios.house import LEADER, NIFTY_CALL, RELIANCE, SAME, TCS, House, Member, Row
from tests.waiting import eventually

SHARE = Member("share", "1000000002", sizing="capital = true")
RISK = Member("risk", "1000000003", sizing="risk_percent = 1, stop_percent = 2")
FIXED = Member("fixed", "1000000004", sizing="quantity = 7, ceiling_percent = 4")
BY_SYMBOL = Member(
    "patterns",
    "1000000005",
    more=['overrides = [{ symbols = ["REL*"], sizing = { multiplier = 3 } }]'],
)


@pytest.fixture
def house(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[House]:
    members: Sequence[Member] = request.param
    with closing(House(tmp_path, members=members)) as built:
        yield built


def quantities(house: House, order_id: str) -> dict[str, int]:
    """What each follower's book has of the leader's order."""
    return {
        member.name: sum(int(row["quantity"]) for row in house.orders(order_id, member))
        for member in house.members
    }


def told(house: House, order_id: str) -> dict[str, tuple[str, str]]:
    rows: list[Row] = house.ask("copies", "--order", order_id)
    nothing = {member.name: ("", "") for member in house.members}
    return nothing | {row["follower"]: (row["state"], row["reason"]) for row in rows}


@pytest.mark.parametrize("house", [(SHARE, RISK, FIXED, BY_SYMBOL)], indirect=True)
def test_sizes_by_capital_by_risk_fixed_and_by_symbol(house: House) -> None:
    house.control.set_account(LEADER, funds=1_000_000)
    house.control.set_account(SHARE.client_id, funds=250_000, collateral=100_000)
    house.control.set_account(RISK.client_id, funds=100_000)
    house.control.set_account(FIXED.client_id, funds=250_000)
    house.price(RELIANCE, 2500)
    house.start()
    order = house.places(RELIANCE, "BUY", 40, price=2450)
    expected = {
        "share": 10,  # a quarter of the leader's cash; the pledged lakh does not count
        "risk": 20,  # 1 % of a lakh is 1,000; 2 % of 2,450 is 49
        "fixed": 4,  # 4 % of 2.5 lakh buys 4 at 2,450
        "patterns": 120,
    }
    eventually(lambda: quantities(house, order) == expected, 15)
    house.changes(order, quantity=80)
    expected = {"share": 20, "risk": 40, "fixed": 4, "patterns": 240}
    eventually(lambda: quantities(house, order) == expected)


PART = Member("part", "1000000002", "0.4")


@pytest.mark.parametrize("house", [(PART, SAME)], indirect=True)
def test_whoever_holds_the_position_ends_flat(house: House) -> None:
    house.start()
    house.price(NIFTY_CALL, 120)
    bought = house.places(NIFTY_CALL, "BUY", 195, price=121, product="MARGIN")
    house.all_wait(bought, orderStatus="TRADED")
    assert quantities(house, bought) == {"part": 65, "same": 195}
    first = house.places(NIFTY_CALL, "SELL", 65, price=119, product="MARGIN")
    house.waits(first, SAME, orderStatus="TRADED")
    eventually(lambda: told(house, first)["part"][0] == "skipped")
    last = house.places(NIFTY_CALL, "SELL", 130, price=119, product="MARGIN")
    house.all_wait(last, orderStatus="TRADED")
    assert quantities(house, last) == {"part": 65, "same": 130}
    for member in house.members:
        rows = house.control.positions(member.client_id)
        assert [row["netQty"] for row in rows] == [0]


CAREFUL = Member(
    "careful",
    "1000000002",
    more=[
        'only = { symbols = ["RELIANCE"] }',
        "limits = { order_value = 50000, open_positions = 1 }",
    ],
)


@pytest.mark.parametrize("house", [(CAREFUL, SAME)], indirect=True)
def test_s5_7_a_limit_keeps_an_entry_out_and_says_which(house: House) -> None:
    house.price(RELIANCE, 2500)
    house.start()
    large = house.places(RELIANCE, "BUY", 30, price=2500, product="INTRADAY")
    other = house.places(TCS, "BUY", 1, price=3400, product="INTRADAY")
    house.waits(large, SAME, orderStatus="TRADED")
    house.waits(other, SAME)
    limit = "a limit of the follower is reached: order value 75000.00, limit 50000.00"
    eventually(lambda: told(house, large)["careful"] == ("skipped", limit))
    kind = "the follower does not copy such orders: symbol TCS, allowed: RELIANCE"
    eventually(lambda: told(house, other)["careful"] == ("skipped", kind))
    # What was never bought is not sold.
    sold = house.places(RELIANCE, "SELL", 30, price=2490, product="INTRADAY")
    house.waits(sold, SAME, orderStatus="TRADED")
    eventually(lambda: told(house, sold)["careful"][0] == "skipped")
    assert house.control.book(CAREFUL.client_id) == []
