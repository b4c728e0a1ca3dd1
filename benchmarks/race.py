"""The race: every contestant copies the same orders from the same broker, block by block.

All of them are warm all the time, but only one at a time runs: the others are paused, so that no
background work of one is measured in another. Blocks alternate, so that a change in the host's
mood meets everybody.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.children import BrokerChild, ContestantChild
from benchmarks.contest import Contest, client_id
from benchmarks.figures import Tally, hops

_SLOW = "loop"


@dataclass(frozen=True, slots=True)
class Race:
    """Who runs, with how many followers, over how many blocks of how many orders, after how many
    that do not count."""

    contestants: tuple[str, ...]
    followers: int
    blocks: int
    orders: int
    warm_up: int
    scratch: Path
    profiled: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """The tallies, and what Lockstep told of itself."""

    tallies: list[Tally]
    lockstep: dict[str, Any]


def run(race: Race) -> Result:
    """Run one race. Raises EOFError when a process ends on its own."""
    with ExitStack() as stack:
        broker = stack.enter_context(BrokerChild())
        field: list[ContestantChild] = []
        for number, name in enumerate(race.contestants):
            child = ContestantChild(name, _contest(race, broker, number))
            field.append(stack.enter_context(child))
        for child in field:
            child.await_ready()
            child.pause()
        tallies = [Tally(child.name, race.followers) for child in field]
        for child in field:
            _block(broker, child, race.warm_up, Tally(child.name, race.followers))
            if race.profiled:
                child.say("measure")
        for block in range(race.blocks):
            for child, tally in _rotated(field, tallies, block):
                _block(broker, child, _orders(child, race), tally)
        lockstep: dict[str, Any] = {}
        for child, tally in zip(field, tallies, strict=True):
            last = child.end()
            if child.name == "lockstep":
                told = json.loads(last)
                lockstep = told | {"hops": hops(tally.orders, told["hops"])}
    return Result(tallies, lockstep)


def _contest(race: Race, broker: BrokerChild, number: int) -> Contest:
    scratch = race.scratch / f"{race.followers}-{race.contestants[number]}"
    scratch.mkdir()
    return Contest(
        api_url=broker.api_url,
        feed_url=broker.feed_url,
        leader=client_id(number, 0),
        followers=tuple(client_id(number, one) for one in range(1, race.followers + 1)),
        scratch=str(scratch),
        profiled=race.profiled,
    )


def _orders(child: ContestantChild, race: Race) -> int:
    """How many orders a block has: the plain loop needs seconds for one."""
    if child.name == _SLOW:
        return max(1, min(race.orders, 100 // race.followers))
    return race.orders


def _rotated(
    field: Sequence[ContestantChild], tallies: Sequence[Tally], by: int
) -> Iterator[tuple[ContestantChild, Tally]]:
    for place in range(len(field)):
        at = (place + by) % len(field)
        yield field[at], tallies[at]


def _block(broker: BrokerChild, child: ContestantChild, orders: int, tally: Tally) -> None:
    """Some orders in a row, each from its frame until all that it brought is done."""
    child.resume()
    started = child.cpu_seconds()
    for _ in range(orders):
        tally.orders.append(broker.order(child.contest, child.contest.followers))
        child.await_quiet()
        broker.trade()
        child.await_quiet()
    tally.cpu_seconds += child.cpu_seconds() - started
    tally.memory = child.memory()
    child.pause()
