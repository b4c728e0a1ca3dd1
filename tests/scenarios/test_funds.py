"""Funds, margin and the day's loss, with the real process and the simulated broker's books as
witness."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ledger.losses import loss_of
from ledger.reader import Reader
from tests.scenarios.house import HDFCBANK, NIFTY_CALL, RELIANCE, SAME, TCS, House, Member, Row
from tests.waiting import eventually

BRAKED = Member("braked", "1000000002", more=["limits = { max_day_loss = 5000 }"])


CHECKED = Member("checked", "1000000002", more=["limits = { margin_check = true }"])


@pytest.fixture
def house(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[House]:
    with closing(House(tmp_path, members=request.param)) as built:
        yield built.start()


def told(house: House, order_id: str, member: Member) -> tuple[str, str]:
    rows: list[Row] = house.ask("copies", "--order", order_id, "--follower", member.name)
    return (rows[0]["state"], rows[0]["reason"]) if rows else ("", "")


def becomes(house: House, order_id: str, member: Member, state: str, reason: str) -> None:
    """The copy is told to be so."""
    eventually(lambda: told(house, order_id, member) == (state, reason))


def skipped(house: House, *order_ids: str) -> list[tuple[str, str]]:
    """The orders whose copies are skipped, with the reason."""
    seen = [(order_id, *told(house, order_id, CHECKED)) for order_id in order_ids]
    return [(order_id, reason) for order_id, state, reason in seen if state == "skipped"]


@pytest.mark.scenario("5.3")
@pytest.mark.scenario("8.4")
@pytest.mark.scenario("8.5")
@pytest.mark.parametrize("house", [(CHECKED, SAME)], indirect=True)
def test_entries_beyond_the_funds_are_skipped_with_the_shortfall(house: House) -> None:
    house.kill()  # it asks for the funds when it starts, and may have done so already
    house.price(RELIANCE, 2500)
    house.price(NIFTY_CALL, 120)
    # Two at once on funds for one: by the calculator 5,000 each, a fifth of the value.
    house.control.set_account(CHECKED.client_id, funds=8_000, collateral=500_000)
    house.start()
    two = [house.places(RELIANCE, "BUY", 10, price=2500, product="INTRADAY") for _ in range(2)]
    for order in two:
        house.waits(order, SAME, orderStatus="TRADED")
    (left_out,) = eventually(lambda: skipped(house, *two))
    # As the cash was told before the other was placed, or after it.
    shown = ("free 3000.00", "free 8000.00, of which 5000.00 is claimed by other copies")
    short = "the account cannot pay for it: needs about 5000.00, {}"
    assert left_out[1] in {short.format(one) for one in shown}
    (taken,) = set(two) - {left_out[0]}
    house.waits(taken, CHECKED, orderStatus="TRADED", filledQty=10)
    # The funds have run out for others too, whose margin is their value or is asked for.
    delivery = house.places(HDFCBANK, "BUY", 2, price=1600, product="CNC")
    options = house.places(NIFTY_CALL, "SELL", 195, price=121, product="MARGIN")
    reason = "the account cannot pay for it: needs about {}, free 3000.00"
    becomes(house, delivery, CHECKED, "skipped", reason.format("3200.00"))
    becomes(house, options, CHECKED, "skipped", reason.format("3539.25"))
    assert len(house.control.book(CHECKED.client_id)) == 1
    # An exit needs no funds, and money that came in is seen at once.
    house.control.set_account(CHECKED.client_id, funds=0)
    sold = house.places(RELIANCE, "SELL", 20, price=2490, product="INTRADAY")
    house.waits(sold, CHECKED, orderStatus="TRADED", filledQty=10)
    house.control.set_account(CHECKED.client_id, funds=100_000)
    again = house.places(HDFCBANK, "BUY", 2, price=1600, product="CNC")
    house.waits(again, CHECKED, orderStatus="PENDING")
    # The calculator is asked once for each of what is traded, and never by the other follower.
    asked = [one["path"] for one in house.control.requests(CHECKED.client_id)]
    assert sum("margincalculator" in path for path in asked) == 2
    asked = [one["path"] for one in house.control.requests(SAME.client_id)]
    assert not any("margincalculator" in path or "fundlimit" in path for path in asked)
    assert house.stop() == 0
    assert house.ask("replay", "today")["same"]


@pytest.mark.parametrize("house", [(BRAKED, SAME)], indirect=True)
def test_a_lost_day_stops_entries_also_after_a_recovery_and_a_restart(house: House) -> None:
    house.price(RELIANCE, 2500)
    bought = house.places(RELIANCE, "BUY", 100, price=2500, product="INTRADAY")
    house.all_wait(bought, orderStatus="TRADED")
    house.price(RELIANCE, 2449)
    said = "the day's loss has reached 5100.00, limit 5000.00"
    eventually(lambda: said in house.output(), 15)
    house.price(RELIANCE, 2500)
    for restart in (False, True):
        if restart:
            house.kill()
            house.start()
        entry = house.places(RELIANCE, "BUY", 10, price=2400, product="INTRADAY")
        house.waits(entry, SAME, orderStatus="PENDING")
        limit = "a limit of the follower is reached: day's loss 5100.00, limit 5000.00"
        becomes(house, entry, BRAKED, "skipped", limit)
    sold = house.places(RELIANCE, "SELL", 100, price=2490, product="INTRADAY")
    house.waits(sold, BRAKED, orderStatus="TRADED", filledQty=100)
    assert house.output().count("the day's loss has reached") == 1
    assert house.stop() == 0
    assert house.ask("replay", "today")["same"]


SQUARED = Member(
    "squared",
    "1000000002",
    more=["limits = { max_day_loss = 5000, square_off_on_day_loss = true }"],
)
RULE = "flatten, asked for by max_day_loss (the day's loss 5100.00, limit 5000.00)"


def losing(house: House) -> str:
    """Both hold 100 RELIANCE, and are down by 5,100 with it, and rest with a bid for TCS, which is
    given."""
    house.price(RELIANCE, 2500)
    house.price(TCS, 4000)
    bought = house.places(RELIANCE, "BUY", 100, price=2500, product="INTRADAY")
    house.all_wait(bought, orderStatus="TRADED")
    resting = house.places(TCS, "BUY", 20, price=3900)
    house.all_wait(resting, orderStatus="PENDING")
    house.price(RELIANCE, 2449)
    return resting


def mood(house: House, member: Member) -> tuple[str, str]:
    rows: list[Row] = house.ask("followers", "list")
    return next((row["mood"], row["reason"]) for row in rows if row["name"] == member.name)


def released(house: House, member: Member) -> None:
    (done,) = house.ask("followers", "release", member.name, "--yes")
    assert done["done"]


def sells(house: House, member: Member) -> list[Row]:
    rows: list[Row] = house.control.book(member.client_id)
    return [row for row in rows if row["transactionType"] == "SELL"]


def flat(house: House, member: Member) -> bool:
    return mood(house, member) == ("flattened", f"{RULE}: flat")


@pytest.mark.parametrize("house", [(SQUARED, SAME)], indirect=True)
def test_a_lost_day_is_squared_off_once_until_the_operator_takes_over(house: House) -> None:
    resting = losing(house)
    house.waits(resting, SQUARED, 15, orderStatus="CANCELLED")
    eventually(lambda: flat(house, SQUARED), 20)
    (left,) = sells(house, SQUARED)
    assert (left["orderStatus"], left["filledQty"]) == ("TRADED", 100)
    assert house.only(resting, SAME)["orderStatus"] == "PENDING"
    assert sells(house, SAME) == []
    (why,) = house.ask("explain", resting, SQUARED.name)
    assert (why["reason"], why["halt"]) == ("the follower is flattened", RULE)
    # The leader's own exit finds nothing left, and the release of the same day stands.
    sold = house.places(RELIANCE, "SELL", 100, price=2440, product="INTRADAY")
    house.waits(sold, SAME, orderStatus="TRADED")
    becomes(house, sold, SQUARED, "skipped", f"the follower is halted: {RULE}")
    eventually(lambda: f"{RULE}: flat" in house.output())  # later than its mood says so
    for again in (False, True):
        if again:
            house.kill()
            house.start()
        else:
            released(house, SQUARED)
        eventually(lambda: mood(house, SQUARED)[0] == "active")
        entry = house.places(RELIANCE, "BUY", 10, price=2400, product="INTRADAY")
        house.waits(entry, SAME, orderStatus="PENDING")
        limit = "a limit of the follower is reached: day's loss 5100.00, limit 5000.00"
        becomes(house, entry, SQUARED, "skipped", limit)
    assert len(sells(house, SQUARED)) == 1
    assert house.output().count(f"{RULE}: taken") == 1
    assert house.output().count(f"{RULE}: flat") == 1
    assert house.stop() == 0
    for line in house.ask("replay", "today")["followers"]:
        assert line["differences"] == []


def lost(house: House) -> bool:
    """Whether the ledger has it that the day is lost."""
    with Reader.open(house.folder / "copy_trading.db") as reader:
        found = loss_of(reader, SQUARED.name)
    return found is not None and found.loss == 510_000


@pytest.mark.parametrize("house", [(SQUARED, SAME)], indirect=True)
@pytest.mark.parametrize("leaving", [False, True])
def test_a_process_killed_as_the_day_is_lost_squares_it_off_after_its_start(
    house: House, leaving: bool
) -> None:
    resting = losing(house)
    house.control.fault(SQUARED.client_id, "place", "hang")
    before = house.requests(SQUARED, "POST")
    eventually(lambda: lost(house), 15, every=0.005)
    if leaving:
        eventually(lambda: house.requests(SQUARED, "POST") > before, 15)
    house.kill()
    house.control.clear_faults()
    house.price(RELIANCE, 2500)  # only what was kept says now that the day is lost
    house.start()
    eventually(lambda: flat(house, SQUARED), 30)
    (left,) = sells(house, SQUARED)
    assert (left["orderStatus"], left["filledQty"]) == ("TRADED", 100)
    assert house.only(resting, SQUARED)["orderStatus"] == "CANCELLED"
    assert sells(house, SAME) == []
    eventually(lambda: house.output().count(f"{RULE}: flat") == 1)
    for line in house.ask("replay", "today")["followers"]:
        assert line["differences"] == []
