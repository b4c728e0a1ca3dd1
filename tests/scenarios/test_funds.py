"""Funds, margin and the day's loss, with the real process and the simulated broker's books as
witness."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.scenarios.house import RELIANCE, SAME, House, Member, Row
from tests.waiting import eventually

BRAKED = Member("braked", "1000000002", more=["limits = { max_day_loss = 5000 }"])


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
