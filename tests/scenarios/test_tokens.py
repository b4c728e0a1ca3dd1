"""Days on which tokens end: they are replaced in time, and no copy is lost or doubled by it."""

import stat
from collections.abc import Iterator
from typing import Any

import pytest

from desk.vault import FOLDER, KEY
from tests.desk.files import run
from tests.scenarios.conftest import Build
from tests.scenarios.house import LEADER, RELIANCE, House, Member
from tests.scenarios.nursery import nursery
from tests.waiting import eventually

SECRET, PIN = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "739164"
SECONDS = 7
MADE = Member("made", "1000000002", more=('pin = "env:MADE_PIN"', 'totp_secret = "env:MADE_TOTP"'))
RENEWED = Member("renewed", "1000000003", "2")
TYPED = Member("typed", "1000000004", more=("renew_token = false",))
OPENINGS = {MADE.client_id: {"pin": PIN, "totp_secret": SECRET}}
WAYS = {
    LEADER: "/RenewToken",
    MADE.client_id: "/generateAccessToken",
    RENEWED.client_id: "/RenewToken",
}
SHORT_LIVED = tuple(WAYS)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A leader and a follower whose tokens are renewed, one whose tokens are made from PIN and
    TOTP secret, and one whose token is the operator's to replace. All but the last one's live for
    seconds."""
    built = House(
        tmp_path_factory.mktemp("house"),
        members=(MADE, RENEWED, TYPED),
        openings=OPENINGS,
        environment={"MADE_PIN": PIN, "MADE_TOTP": SECRET},
    )
    try:
        built.start()
        for account in SHORT_LIVED:
            built.control.set_account(account, token_seconds=SECONDS)
            built.control.rotate_token(account)
        built.write_config()
        yield built
    finally:
        built.close()


def granted(house: House, client_id: str, path: str) -> int:
    """How many tokens the broker granted an account that way."""
    seen = house.control.requests(client_id)
    return sum(one["path"].endswith(path) and one["status"] == 200 for one in seen)


def moods(house: House) -> set[str]:
    return {row["mood"] for row in house.ask("followers", "list")}


def traded(house: House, member: Member) -> int:
    """How many of the account's orders are filled."""
    return sum(row["orderStatus"] == "TRADED" for row in house.control.book(member.client_id))


def test_a_day_goes_on_over_the_ends_of_its_tokens(house: House) -> None:
    def replaced_twice() -> bool:
        return all(granted(house, account, way) >= 2 for account, way in WAYS.items())

    def copied() -> bool:
        books = [house.control.book(member.client_id) for member in house.members]
        return all(len(book) == len(orders) for book in books)

    orders: list[str] = []
    while not replaced_twice():
        orders.append(house.places(RELIANCE, "BUY", 10, price=2400 + len(orders) % 50))
        eventually(copied, 2 * SECONDS, "a copy is missing, or there are two", every=0.1)
    house.price(RELIANCE, 2390)
    filled = [len(orders)] * len(house.members)
    eventually(lambda: [traded(house, one) for one in house.members] == filled, every=0.1)
    for member in house.members:
        assert all(len(house.orders(order, member)) == 1 for order in orders)
    eventually(lambda: moods(house) == {"active"}, every=0.2)


def test_a_token_that_was_renewed_outlives_a_restart(house: House) -> None:
    """What lockstep.toml says is long dead: only the kept tokens are alive."""
    counts = {account: granted(house, account, WAYS[account]) for account in SHORT_LIVED}
    for account in SHORT_LIVED:
        house.control.set_account(account, token_seconds=3600)

    def replaced() -> bool:
        return all(granted(house, one, WAYS[one]) > count for one, count in counts.items())

    eventually(replaced, 2 * SECONDS, "not replaced in time", every=0.1)
    dead = (house.folder / f"{RENEWED.client_id}.token").read_text()
    assert dead != house.broker.token(RENEWED.client_id)
    house.stop()
    house.start()
    order = house.places(RELIANCE, "SELL", 10, price=2500)
    house.all_wait(order, orderStatus="PENDING")


def test_every_token_that_was_asked_for_is_in_the_audit(house: House) -> None:
    told = house.ask("audit")
    asked = {(one["follower"], one["request"]) for one in told if one["http_status"] == 200}
    assert {
        ("leader", "GET /RenewToken"),
        (RENEWED.name, "GET /RenewToken"),
        (MADE.name, "POST /app/generateAccessToken"),
    } <= asked
    assert not any("?" in request or PIN in request for _, request in asked)


def test_what_is_kept_is_private_and_encrypted(house: House) -> None:
    kept = sorted((house.folder / FOLDER).glob("[0-9]*"))
    assert [path.name for path in kept] == [f"{account}.token" for account in SHORT_LIVED]
    for path in (*kept, house.folder / KEY):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert b"eyJhb" not in path.read_bytes()


def test_a_refused_token_parks_its_account_until_one_is_pasted(house: House) -> None:
    order = house.places(RELIANCE, "SELL", 20, price=2510)
    house.all_wait(order, orderStatus="PENDING")
    house.control.expire_token(TYPED.client_id)
    while_dead = house.places(RELIANCE, "SELL", 20, price=2520)

    def mood() -> dict[str, Any]:
        row: dict[str, Any] = next(
            row for row in house.ask("followers", "list") if row["name"] == TYPED.name
        )
        return row

    eventually(lambda: mood()["mood"] == "parked", 15, every=0.2)
    assert f"python run.py login {TYPED.name}" in mood()["reason"]
    house.waits(while_dead, RENEWED, orderStatus="PENDING")
    wrong = nursery().obeyed(
        ["login", TYPED.name, "--config", str(house.config)], said=house.broker.token(LEADER) + "\n"
    )
    assert wrong.returncode == 1
    assert "no token is kept: Dhan does not take it" in wrong.stderr
    fresh = house.control.rotate_token(TYPED.client_id)
    done = nursery().obeyed(["login", TYPED.name, "--config", str(house.config)], said=f"{fresh}\n")
    assert done.returncode == 0, done.stderr
    assert "the token is kept, until" in done.stderr
    assert fresh not in done.stdout + done.stderr
    house.waits(while_dead, TYPED, orderStatus="PENDING")
    eventually(lambda: mood()["mood"] == "active", 15, every=0.2)
    house.control.cancel(LEADER, order)
    house.waits(order, TYPED, orderStatus="CANCELLED")


def test_a_token_is_made_on_demand_and_a_stranger_is_no_account(house: House) -> None:
    before = granted(house, MADE.client_id, "/generateAccessToken")
    done = nursery().obeyed(
        ["login", MADE.name, "--config", str(house.config)],
        environment={"MADE_PIN": PIN, "MADE_TOTP": SECRET},
    )
    assert done.returncode == 0, done.stderr
    assert granted(house, MADE.client_id, "/generateAccessToken") > before
    stranger = run("login", "mad", "--config", str(house.config))
    assert stranger.returncode == 2
    assert "did you mean made?" in stranger.stderr


def test_a_pin_that_dhan_refuses_is_not_tried_again_and_again(build: Build) -> None:
    house = build(
        members=(MADE,),
        openings=OPENINGS,
        environment={"MADE_PIN": "111111", "MADE_TOTP": SECRET},
    )
    house.control.expire_token(MADE.client_id)
    house.launch()
    asked = "/generateAccessToken"

    def refusals() -> int:
        seen = house.control.requests(MADE.client_id)
        return sum(one["path"].endswith(asked) and one["status"] == 401 for one in seen)

    eventually(refusals)
    eventually(lambda: f"{MADE.name}: Dhan grants no other token" in house.output())
    reads = len(house.control.requests(MADE.client_id))
    eventually(lambda: len(house.control.requests(MADE.client_id)) > reads + 5)
    assert refusals() == 1
    assert "111111" not in house.output()


def test_a_start_with_a_dead_token_makes_one_where_it_can(build: Build) -> None:
    house = build(
        members=(MADE,),
        openings=OPENINGS,
        environment={"MADE_PIN": PIN, "MADE_TOTP": SECRET},
    )
    house.control.expire_token(MADE.client_id)
    house.start()
    order = house.places(RELIANCE, "BUY", 10, price=2400)
    house.waits(order, MADE, orderStatus="PENDING")
    assert granted(house, MADE.client_id, "/generateAccessToken") == 1
