"""No two followers at one address, but for families and while nothing leaves this host."""

from base64 import b64decode, b64encode
from pathlib import Path

import pytest

from desk.config import Config, ConfigError, parse
from desk.egress import seen_together, shared
from desk.redact import HIDDEN, scrub
from tests.desk.files import run, written

LEADER = '[leader]\nclient_id = "1000000001"\ntoken = "env:LEADER"\n'
LOOPBACK = """[dhan]
api_url = "http://127.0.0.1:1/v2"
auth_url = "http://127.0.0.1:1"
feed_url = "ws://127.0.0.1:1"
master_url = "master.csv"
"""


def text(*followers: str, head: str = "") -> str:
    """A file with followers a, b, ..., each with these lines."""
    tables = (
        f'[[followers]]\nname = "{name}"\nclient_id = "{name}"\ntoken = "env:T"\n{lines}\n'
        for name, lines in zip("abc", followers, strict=False)
    )
    return head + LEADER + "".join(tables)


def config(*followers: str, head: str = "") -> Config:
    return parse(Path("/etc/lockstep.toml"), text(*followers, head=head).encode())


IP, OTHER_IP, PROXY = 'source_ip = "8.8.8.8"', 'source_ip = "8.8.4.4"', 'proxy = "http://gate:3128"'
LOGIN = 'proxy_user = "desk"\nproxy_password = "env:GATE"'
SHAH, RAO = '\nfamily = "shah"', '\nfamily = "rao"'


@pytest.mark.parametrize(
    ("followers", "places"),
    [
        (("",), []),
        (("", ""), ["followers[1]"]),
        (("", "", ""), ["followers[1]", "followers[2]"]),
        (("", IP, PROXY), []),
        ((IP, "", ""), ["followers[2]"]),
        ((SHAH, SHAH), []),
        ((SHAH, RAO), ["followers[1]"]),
        ((SHAH, ""), ["followers[1]"]),
    ],
)
def test_who_shares_the_hosts_usual_address(followers: tuple[str, ...], places: list[str]) -> None:
    found = list(shared(config(*followers)))
    assert [one.where for one in found] == places
    assert all("family" in one.fix for one in found)
    assert list(shared(config(*followers, head=LOOPBACK))) == []


@pytest.mark.parametrize("way", [IP, PROXY])
def test_a_way_of_ones_own_is_shared_by_a_family_only(way: str) -> None:
    for others in ("", RAO):
        with pytest.raises(ConfigError, match=r"followers\[1\]\.\w+: is the same as"):
            config(way + SHAH, way + others)
    assert len(config(way + SHAH, way + SHAH).followers) == 2


def test_whom_dhan_sees_together() -> None:
    two = config(PROXY, IP)
    assert list(seen_together(two, {"a": "8.8.8.8", "b": "8.8.4.4"})) == []
    (found,) = seen_together(two, {"a": "8.8.8.8", "b": "8.8.8.8"})
    assert (found.where, found.what) == (
        "followers[1]",
        "sends from the same address as followers[0] (8.8.8.8)",
    )
    assert (
        list(seen_together(config("", "", head=LOOPBACK), dict.fromkeys("ab", "127.0.0.1"))) == []
    )


@pytest.mark.parametrize(
    "proxy",
    ["https://gate:1", "http://gate", "http://gate:1/path", "http://me:secret-91@gate:1", "gate:1"],
)
def test_what_is_no_proxy_is_refused_and_not_shown(proxy: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config(f'proxy = "{proxy}"')
    assert [one.where for one in caught.value.findings] == ["followers[0].proxy"]
    assert proxy not in str(caught.value)


def test_a_proxy_is_told_who_the_account_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATE", "pass:word-81")
    (follower,) = config(f"{PROXY}\n{LOGIN}").followers
    for address in (follower.address, follower.feed):
        assert address.proxy_login is not None
        assert b64decode(address.proxy_login()) == b"desk:pass:word-81"
    credentials = b64encode(b"desk:pass:word-81").decode()
    assert scrub(f"{credentials} or pass:word-81") == f"{HIDDEN} or {HIDDEN}"
    assert "word-81" not in repr(follower)
    assert follower == config(f"{PROXY}\n{LOGIN}").followers[0]
    assert follower != config(f"{PROXY}\n{LOGIN}".replace("GATE", "OTHER")).followers[0]


@pytest.mark.parametrize(
    ("lines", "where"),
    [
        (f'{PROXY}\nproxy_user = "desk"', "proxy_user"),
        (f'{PROXY}\nproxy_password = "env:GATE"', "proxy_password"),
        ('proxy_user = "desk"\nproxy_password = "env:GATE"', "proxy_user"),
        (f'{PROXY}\nproxy_user = "a:b"\nproxy_password = "env:GATE"', "proxy_user"),
        (f'{PROXY}\nproxy_user = "desk"\nproxy_password = "word-81"', "proxy_password"),
    ],
)
def test_half_a_login_of_a_proxy_is_refused(lines: str, where: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config(lines)
    assert [one.where for one in caught.value.findings] == [f"followers[0].{where}"]
    assert "word-81" not in str(caught.value)


def test_one_proxy_may_have_a_way_out_for_each_of_its_users() -> None:
    assert (
        len(config(f"{PROXY}\n{LOGIN}", f"{PROXY}\n{LOGIN}".replace("desk", "lamp")).followers) == 2
    )
    with pytest.raises(ConfigError, match=r"followers\[1\]\.proxy: is the same as"):
        config(f"{PROXY}\n{LOGIN}", f"{PROXY}\n{LOGIN}")


def test_an_account_has_one_way_out() -> None:
    with pytest.raises(ConfigError, match=r"followers\[0\]\.proxy: is a second way out"):
        config(f"{IP}\n{PROXY}")


def test_a_live_start_and_check_say_who_shares(tmp_path: Path) -> None:
    """Nothing is sent: the API's address is nobody's."""
    head = LOOPBACK.replace(
        'api_url = "http://127.0.0.1:1/v2"', 'api_url = "https://[::ffff:0:0]:1"'
    )
    path = written(tmp_path, text("", "", head=head))
    for verb in ([], ["check"]):
        done = run(*verb, "--config", str(path))
        assert done.returncode == (1 if verb else 2)
        assert (
            "followers[1]: sends from the same address as followers[0]" in done.stdout + done.stderr
        )
