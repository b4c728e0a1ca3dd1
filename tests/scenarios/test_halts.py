"""Halts by the operator, with the real process and the simulated broker's books as witness."""

import json
import os
import subprocess
import sys
from typing import Any

from domain.correlation import ours
from ledger.halts import standing_halt
from ledger.reader import Reader
from tests.scenarios.conftest import Build
from tests.scenarios.house import HALF, RELIANCE, ROOT, SAME, TCS, House, Member, Row
from tests.scenarios.nursery import nursery
from tests.waiting import eventually

MORE = "[recovery]\nsweep_seconds = 0.5\nsettle_seconds = 1"


def command(*words: str, config: House) -> list[str]:
    return [sys.executable, "run.py", "followers", *words, "--config", str(config.config)]


def asked(house: House, *words: str, said: str | None = None) -> "subprocess.CompletedProcess[str]":
    """`python run.py followers ...`."""
    return nursery().obeyed(command(*words, config=house)[2:], said=said or "")


def done(house: House, *words: str) -> list[Row]:
    """The document of what came of it."""
    said = asked(house, *words, "--yes", "--json")
    assert said.returncode == 0, said.stderr
    rows: list[Row] = json.loads(said.stdout)
    return rows


def net(house: House, member: Member) -> dict[str, int]:
    rows: list[dict[str, Any]] = house.control.positions(member.client_id)
    return {row["securityId"]: row["netQty"] for row in rows if row["netQty"]}


def still_open(house: House, member: Member) -> list[Row]:
    rows = house.control.book(member.client_id)
    return [row for row in rows if row["orderStatus"] in ("TRANSIT", "PENDING", "PART_TRADED")]


def sold(house: House, member: Member, key: tuple[str, str]) -> int:
    """How much of an instrument Lockstep sold."""
    rows: list[Row] = house.control.book(member.client_id)
    return sum(
        int(row["filledQty"])
        for row in rows
        if row["securityId"] == key[1]
        and row["transactionType"] == "SELL"
        and ours(str(row["correlationId"]))
    )


def told(house: House, member: Member) -> str:
    """What came so far of the last word on a follower, by the ledger."""
    with Reader.open(house.folder / "copy_trading.db") as reader:
        kept = standing_halt(reader, member.name)
    return kept.outcome if kept else ""


def killed(house: House, member: Member) -> bool:
    """Whether the broker's kill switch is set."""
    accounts = {one["client_id"]: one for one in house.control.accounts()}
    return bool(accounts[member.client_id]["killed"])


def reason(house: House, order: str, member: Member) -> str:
    """Why the copy is as it is, by the ledger."""
    with Reader.open(house.folder / "copy_trading.db") as reader:
        return next((one.reason for one in reader.copies(member.name, order)), "")


def moods(house: House) -> dict[str, tuple[str, str]]:
    return {row["name"]: (row["mood"], row["reason"]) for row in house.ask("followers", "list")}


def holding(house: House) -> str:
    """All hold 10 RELIANCE (or their part of it), and rest with a bid for TCS; that order's id."""
    house.price(RELIANCE, 2500)
    house.price(TCS, 4000)
    bought = house.places(RELIANCE, "BUY", 10, price=2510)
    house.all_wait(bought, orderStatus="TRADED")
    resting = house.places(TCS, "BUY", 20, price=3900)
    house.all_wait(resting, orderStatus="PENDING")
    return resting


def test_a_halted_follower_takes_no_entries_and_still_exits(build: Build) -> None:
    house = build(members=(HALF, SAME), more=MORE).start()
    resting = holding(house)
    (told,) = done(house, "halt", SAME.name)
    assert (told["word"], told["done"]) == ("halt", True)
    house.changes(resting, quantity=40)
    house.waits(resting, HALF, quantity=20)
    fresh = house.places(TCS, "BUY", 10, price=3950)
    house.waits(fresh, HALF, orderStatus="PENDING")
    eventually(lambda: "halted: halt, asked for by " in reason(house, fresh, SAME))
    assert house.only(resting, SAME)["quantity"] == 20
    assert house.stop() == 0
    assert moods(house)[SAME.name][0] == "halted"
    house.start()
    leaves = house.places(RELIANCE, "SELL", 10, price=2490)
    house.all_wait(leaves, orderStatus="TRADED")
    assert net(house, SAME) == {}
    house.cancels(resting)
    house.all_wait(resting, orderStatus="CANCELLED")
    assert moods(house)[SAME.name][0] == "halted"
    done(house, "release", SAME.name)
    again = house.places(TCS, "BUY", 10, price=3950)
    house.all_wait(again, orderStatus="PENDING")
    assert house.orders(fresh, SAME) == []


def test_a_flattened_follower_ends_flat_whatever_fills_meanwhile(build: Build) -> None:
    house = build(members=(HALF, SAME), more=MORE).start()
    resting = holding(house)
    house.control.fault(SAME.client_id, "cancel", "delay", ms=600, after=False)
    with subprocess.Popen(
        command("flatten", "--all", "--yes", "--json", config=house),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        eventually(lambda: house.requests(SAME, "DELETE"), why="nothing is cancelled")
        house.price(TCS, 3900, part=0.35)
        eventually(lambda: house.only(resting, SAME)["orderStatus"] == "CANCELLED")
        house.price(TCS, 3900)
        out, _ = process.communicate(timeout=30)
    assert {row["follower"]: row["outcome"] for row in json.loads(out)} == {
        "half": "flat",
        "same": "flat",
    }
    for member in (HALF, SAME):
        assert net(house, member) == {}
        assert still_open(house, member) == []
    assert (sold(house, SAME, RELIANCE), sold(house, SAME, TCS)) == (10, 7)
    assert moods(house)[SAME.name][0] == "flattened"
    assert house.ask("drift") == []
    exits = [row for row in house.ask("copies") if row["leader_order_id"].startswith("FLAT-")]
    assert {(row["state"], row["in_step"]) for row in exits} == {("filled", True)}
    assert house.leader_order(resting)["orderStatus"] == "TRADED", "its orders are its own"


def test_the_kill_switch_is_set_once_flat_and_again_when_something_is_open(build: Build) -> None:
    house = build(members=(HALF, SAME), more=MORE).start()
    holding(house)
    segment, security_id = TCS
    mine = house.control.place(
        SAME.client_id, segment=segment, security_id=security_id, side="BUY", quantity=1, price=3800
    )
    with subprocess.Popen(
        command("kill", SAME.name, "--yes", "--json", config=house),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        eventually(lambda: "not set" in told(house, SAME), 20, "nothing is said of the refusal")
        assert [row["orderId"] for row in still_open(house, SAME)] == [mine]
        house.control.cancel(SAME.client_id, mine)
        out, _ = process.communicate(timeout=30)
    eventually(lambda: killed(house, SAME), 20, "the kill switch is not set")
    eventually(lambda: "is set" in told(house, SAME))
    assert not killed(house, HALF)
    assert net(house, SAME) == {}
    assert json.loads(out)[0]["word"] == "kill"
    done(house, "release", SAME.name)
    assert killed(house, SAME), "only Dhan's own app lifts it"


def test_a_process_that_is_killed_while_it_flattens_ends_flat(build: Build) -> None:
    house = build(members=(SAME,), more=MORE).start()
    resting = holding(house)
    house.control.fault(SAME.client_id, "place", "hang")
    asked(house, "flatten", SAME.name, "--yes")
    house.kill()
    house.control.clear_faults()
    assert moods(house)[SAME.name][0] == "flattened"
    house.start()
    eventually(lambda: net(house, SAME) == {} and not still_open(house, SAME), 30)
    eventually(lambda: told(house, SAME) == "flat", 20)
    assert sold(house, SAME, RELIANCE) == 10
    assert house.only(resting, SAME)["orderStatus"] == "CANCELLED"
    sells = [row for row in house.control.book(SAME.client_id) if row["transactionType"] == "SELL"]
    assert len(sells) == 1
    (line,) = house.ask("replay", "today")["followers"]
    assert line["differences"] == []


def test_what_is_not_confirmed_is_not_done(build: Build) -> None:
    house = build(members=(SAME,), more=MORE).start()
    resting = holding(house)
    said = asked(house, "flatten", SAME.name)
    assert said.returncode == 2
    assert "would cancel BUY 20" in said.stderr
    assert "would leave by SELL 10" in said.stderr
    assert "--yes" in said.stderr
    mine, theirs = os.openpty()
    try:
        os.write(mine, b"no\n")
        refused = subprocess.run(
            command("flatten", SAME.name, config=house),
            cwd=ROOT,
            stdin=theirs,
            capture_output=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(mine)
        os.close(theirs)
    assert refused.returncode == 1, refused.stderr
    for words in (["flatten"], ["halt", "same", "--all"], ["kill", "sam"]):
        assert asked(house, *words, "--yes").returncode == 2
    assert moods(house)[SAME.name] == ("active", "")
    assert house.only(resting, SAME)["orderStatus"] == "PENDING"
    assert net(house, SAME) == {RELIANCE[1]: 10}
