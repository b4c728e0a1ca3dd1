"""The burst: a leader's fifty orders in a second, copied by followers whose broker enforces Dhan's
limits exactly. How near to those limits they are copied, and that none of them was broken.

`share` is how long the copies take at the limit, of how long the slowest follower's took: to the
last arrival, from when the last of the leader's orders that the first second has room for was at
the exchange, before which nothing is copied.
`of_all` is the same for all followers' copies together. How late the copies of that first second
are, which wait for no limit, is told besides.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from actors.engine import Engine
from actors.settings import EngineSettings, FollowerSettings
from benchmarks.volley import LEADER, SECURITY_ID, SEGMENT, fire
from dhan.addresses import AccountAddress, FeedAddress
from domain.hours import always
from domain.permits import DHAN_ORDERS
from domain.rules import Rules
from simulator.client import Control

_START_SECONDS = 60.0
_QUIET_SECONDS, _QUIET_SHARE = 0.5, 0.08
_TRANSIT_MS = 30
_NS_PER_MS = 1_000_000


def run(followers: int, orders: int, scratch: Path) -> dict[str, Any]:
    """Copy so many orders (more than Dhan takes in a second) by so many followers, once."""
    accounts = [f"20000000{number:02d}" for number in range(followers)]
    with _broker((LEADER, *accounts)) as broker:
        control = Control(broker["control_url"])
        control.price(SEGMENT, SECURITY_ID, 2500)
        engine = _engine(broker, scratch)
        try:
            engine.start()
            engine.follow(tuple(_settings(broker, account) for account in accounts))
            engine.listen()
            _await(lambda: all(control.sockets(one) for one in (LEADER, *accounts)))
            _await(_quiet)
            placed = [at + _TRANSIT_MS * _NS_PER_MS for at in fire(broker["control_url"], orders)]
            time.sleep(_least(orders)[0])  # asking before would only take from the engine
            _await(lambda: all(len(control.book(one)) >= orders for one in reversed(accounts)))
            return _told(control, accounts, placed)
        finally:
            engine.stop()


@contextmanager
def _broker(accounts: Sequence[str]) -> Iterator[dict[str, str]]:
    """The simulator in a process of its own: its addresses."""
    named = [word for one in accounts for word in ("--account", f"{one}:{_token(one)}")]
    way = ("--transit-ms", str(_TRANSIT_MS))
    command = [sys.executable, "-m", "simulator", "--port", "0", "--json", *way, *named]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            told: dict[str, str] = json.loads(process.stdout.readline())
            yield told
        finally:
            process.terminate()


def _token(account: str) -> str:
    return f"token-of-{account}"


def _told(control: Control, accounts: Sequence[str], placed: Sequence[int]) -> dict[str, Any]:
    """What came of the orders that the leader had `placed` at the exchange (monotonic ns)."""
    orders = len(placed)
    least, first = _least(orders)
    took, late, faults = [], [], []
    for account in accounts:
        came = sorted(one["at"] for one in control.requests(account) if one["method"] == "POST")
        took.append((came[-1] - placed[first]) / 1e9)
        late += [
            (at - since) / _NS_PER_MS for at, since in zip(came, placed[: first + 1], strict=False)
        ]
        throttled, names = control.throttled(account), _names(control.book(account))
        if throttled or not len(came) == len(names) == orders:
            faults.append(f"burst: {account} sent {len(came)}, {throttled} were throttled")
    took.sort()
    late.sort()
    return {
        "followers": len(accounts),
        "orders": orders,
        "least_s": least,
        "median_s": took[len(took) // 2],
        "slowest_s": took[-1],
        "share": least / took[-1],
        "of_all": least * len(took) / sum(took),
        "late_ms": late[len(late) // 2],
        "latest_ms": late[-1],
        "faults": faults,
    }


def _least(orders: int) -> tuple[float, int]:
    """How many seconds the copies take at the limit, from the arrival of that number on."""
    second = DHAN_ORDERS[0]
    seconds, first = divmod(orders - 1, second.limit)
    return seconds * second.seconds, first


def _names(book: Sequence[Mapping[str, object]]) -> set[object]:
    return {row["correlationId"] for row in book}


def _engine(broker: Mapping[str, str], scratch: Path) -> Engine:
    token = partial(_token, LEADER)
    return Engine(
        EngineSettings(
            ledger=scratch / "burst.db",
            leader=AccountAddress(LEADER, broker["api_url"], token),
            leader_feed=FeedAddress(LEADER, broker["feed_url"], token),
            master=broker["master_url"],
            sessions=always,
        )
    )


def _settings(broker: Mapping[str, str], account: str) -> FollowerSettings:
    token = partial(_token, account)
    return FollowerSettings(
        name=account,
        address=AccountAddress(account, broker["api_url"], token),
        feed=FeedAddress(account, broker["feed_url"], token),
        rules=Rules(follower=account),
    )


def _await(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not done():
        if time.monotonic() > deadline:
            raise RuntimeError("the engine did not start, or did not copy the burst, in time")
        time.sleep(0.2)


def _quiet() -> bool:
    """Whether the engine had next to nothing to do for a moment, as once it has started."""
    before = time.process_time()
    time.sleep(_QUIET_SECONDS)
    return time.process_time() - before < _QUIET_SHARE * _QUIET_SECONDS
