"""Lockstep itself as a contestant: the real engine with its ledger and its logs."""

import sqlite3
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

from actors.engine import Engine
from actors.settings import EngineSettings, FollowerSettings
from benchmarks.contest import Contest, token
from benchmarks.profiler import Profiler
from desk import logs
from desk.tokens import Token
from dhan.addresses import AccountAddress, FeedAddress
from dhan.tokens import TokenSource
from domain.hours import always
from domain.rules import Rules
from simulator.instruments import built_in, master

_START_SECONDS = 60.0
_QUIET_SECONDS = 0.3


def run(contest: Contest, ready: Callable[[], None], lines: Iterable[str]) -> dict[str, object]:
    """Follow until `lines` end; a line `measure` starts the profiler anew.

    What comes back tells of every placement when it was heard, planned, committed and written
    (monotonic ns), and with a profiler where the CPU time went.
    """
    scratch = Path(contest.scratch)
    sys.stderr = (scratch / "terminal").open("w", buffering=1)
    logs.configure(scratch, trades=True)
    instruments, ledger = scratch / "master.csv", scratch / "copy_trading.db"
    instruments.write_text("".join(master(built_in())))
    profiler = Profiler() if contest.profiled else None
    if profiler:
        profiler.install()
    engine = Engine(
        EngineSettings(
            ledger=ledger,
            leader=_address(contest, contest.leader),
            leader_feed=_feed(contest, contest.leader),
            master=str(instruments),
            sweep_seconds=contest.sweep_seconds,
            sessions=always,
        )
    )
    engine.start()
    engine.follow(tuple(_settings(contest, client) for client in contest.followers))
    engine.listen()
    _await_links(engine, len(contest.followers) + 1)
    ready()
    for line in lines:
        if profiler and line.strip() == "measure":
            profiler.begin()
    found = profiler.report() if profiler else {}
    engine.stop()
    return found | {"hops": _hops(ledger)}


def _await_links(engine: Engine, count: int) -> None:
    """Wait until every socket is open and what happens at a start is over."""
    deadline = time.monotonic() + _START_SECONDS
    while sum(up for _, up in engine.view().links) < count:
        if engine.fatal or time.monotonic() > deadline:
            raise RuntimeError(f"Lockstep did not start: {engine.fatal or 'sockets missing'}")
        time.sleep(0.05)
    time.sleep(_QUIET_SECONDS)


def _address(contest: Contest, client: str) -> AccountAddress:
    return AccountAddress(client, contest.api_url, _token(client))


def _feed(contest: Contest, client: str) -> FeedAddress:
    return FeedAddress(client, contest.feed_url, _token(client))


def _token(client: str) -> Token:
    return Token(TokenSource(token(client)))


def _settings(contest: Contest, client: str) -> FollowerSettings:
    return FollowerSettings(
        name=client,
        address=_address(contest, client),
        feed=_feed(contest, client),
        rules=Rules(follower=client),
    )


def _hops(ledger: Path) -> list[tuple[str, str, int, int, int, int]]:
    """Of every placement: leader order, account, heard, planned, committed, written."""
    query = (
        "SELECT leader_order_id, client_id, heard_ns, planned_ns, committed_ns, written_ns "
        "FROM intents JOIN answers ON answers.intent_id = intents.id "
        "WHERE kind = 'place' AND written_ns IS NOT NULL ORDER BY id"
    )
    with closing(sqlite3.connect(ledger)) as connection:
        return connection.execute(query).fetchall()
