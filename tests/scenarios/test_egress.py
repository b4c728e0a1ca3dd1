"""Every account goes out by its own address, with everything, and is blocked where Dhan does not
take its orders from there."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.desk.files import run
from tests.scenarios.conftest import Build
from tests.scenarios.house import RELIANCE, House, Member
from tests.waiting import eventually

SECRET, PIN = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "739164"
HERE, THERE = "127.0.0.2", "127.0.0.3"
WANDERS = Member(
    "wanders",
    "1000000002",
    more=(f'source_ip = "{HERE}"', 'pin = "env:A_PIN"', 'totp_secret = "env:A_TOTP"'),
)
STAYS = Member("stays", "1000000003", more=(f'source_ip = "{THERE}"',))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    built = House(
        tmp_path_factory.mktemp("house"),
        members=(WANDERS, STAYS),
        openings={
            WANDERS.client_id: {
                "allowed_ips": ("127.0.0.9", "127.0.0.8"),
                "pin": PIN,
                "totp_secret": SECRET,
            },
            STAYS.client_id: {"allowed_ips": (THERE,)},
        },
        environment={
            "A_PIN": PIN,
            "A_TOTP": SECRET,
            "HTTP_PROXY": "http://127.0.0.1:9",
            "http_proxy": "http://127.0.0.1:9",
            "ALL_PROXY": "http://127.0.0.1:9",
        },
    )
    try:
        yield built.start()
    finally:
        built.close()


def mood(house: House, member: Member) -> dict[str, Any]:
    rows: list[dict[str, Any]] = house.ask("followers", "list")
    return next(row for row in rows if row["name"] == member.name)


def becomes(house: House, member: Member, wanted: str) -> None:
    eventually(lambda: mood(house, member)["mood"] == wanted, 15, every=0.2)


def test_an_account_at_a_wrong_address_is_blocked_before_it_orders(house: House) -> None:
    becomes(house, WANDERS, "parked")
    reason = mood(house, WANDERS)["reason"]
    assert f"Dhan takes no orders from {HERE}" in reason
    assert f"register {HERE} with Dhan (registered: 127.0.0.9, 127.0.0.8;" in reason
    order = house.places(RELIANCE, "BUY", 10, price=2400)
    house.waits(order, STAYS, orderStatus="PENDING")
    assert house.requests(WANDERS, "POST") == 0
    assert mood(house, STAYS)["mood"] == "active"


def test_check_says_where_the_account_is_and_where_it_should_be(house: House) -> None:
    found = {one["where"]: one for one in house.ask("check")["findings"]}
    assert found["followers[0]"]["level"] == "error"
    assert found["followers[0]"]["what"] == f"Dhan takes no orders from {HERE}"
    assert "registered: 127.0.0.9, 127.0.0.8" in found["followers[0]"]["fix"]
    assert "followers[1]" not in found


def test_once_the_address_is_registered_it_goes_on_and_the_day_can_be_replayed(
    house: House,
) -> None:
    """An edit of its table has it asked at once, instead of within a minute."""
    house.control.set_account(WANDERS.client_id, allowed_ips=[HERE])
    for verb, wanted in (("pause", "paused"), ("resume", "active")):
        done = run("followers", verb, WANDERS.name, "--config", str(house.config))
        assert done.returncode == 0
        becomes(house, WANDERS, wanted)
    order = house.places(RELIANCE, "BUY", 10, price=2410)
    house.waits(order, WANDERS, orderStatus="PENDING")
    replayed = run("replay", "today", "--config", str(house.config), "--json")
    assert replayed.returncode == 0, replayed.stdout


def test_everything_of_an_account_leaves_from_its_address_past_all_proxies(house: House) -> None:
    """Orders, reads, the socket, and the login at Dhan's other host."""
    house.control.expire_token(WANDERS.client_id)
    eventually(lambda: "/app/generateAccessToken" in paths(house, WANDERS), 20, every=0.1)
    for member, address in ((WANDERS, HERE), (STAYS, THERE)):
        seen = house.control.requests(member.client_id)
        assert {one["peer"] for one in seen} == {address}
        assert {"/feed", "/v2/orders", "/v2/ip/getIP"} <= paths(house, member)


def paths(house: House, member: Member) -> set[str]:
    return {one["path"] for one in house.control.requests(member.client_id)}


def test_a_start_is_refused_where_two_share_an_address_unless_they_are_a_family(
    build: Build,
) -> None:
    twin = Member("twin", "1000000004", more=(f'source_ip = "{HERE}"',))
    plain = Member("plain", "1000000002", more=(f'source_ip = "{HERE}"',))
    house = build(members=(plain, twin))
    assert house.refused() == 2
    assert "followers[1].source_ip: is the same as followers[0].source_ip" in house.output()
    assert 'family = "NAME"' in house.output()
    house.members = tuple(
        Member(one.name, one.client_id, more=(*one.more, 'family = "shah"'))
        for one in house.members
    )
    house.write_config()
    house.start()
