"""A clock that is not Dhan's, with the real engine beside a broker whose clock is set apart."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.messages import Alert, Level
from ledger.reader import Reader
from tests.actors.shop import LEADER, Shop
from tests.waiting import eventually


@pytest.fixture
def far(tmp_path: Path) -> Iterator[Shop]:
    """A shop that is not started."""
    built = Shop(tmp_path)
    try:
        yield built
    finally:
        built.close()


def told(shop: Shop) -> list[tuple[Level, str]]:
    """What was alerted about the clock."""
    return [(one.level, one.what) for one in shop.engine.view().alerts if one.where == "clock"]


def kept(shop: Shop) -> list[Alert]:
    """What the ledger keeps of that."""
    with Reader.open(shop.folder / "shop.db") as reader:
        return [one.alert for one in reader.alerts(20) if one.alert.where == "clock"]


def sweeps(shop: Shop, count: int) -> None:
    """Wait for so many more looks at the leader's book."""

    def seen() -> int:
        rows = shop.control.requests(LEADER)
        return sum(row["path"] == "/v2/orders" for row in rows)

    until = seen() + count
    eventually(lambda: seen() >= until)


@pytest.mark.parametrize(("off", "word"), [(3, "behind"), (-3, "ahead of")])
def test_a_clock_that_is_off_is_told_once_and_once_that_it_is_right_again(
    far: Shop, off: int, word: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    far.control.clock(offset_seconds=off)
    far.start()
    (warned,) = eventually(lambda: told(far))
    assert warned[0] is Level.WARNING
    assert warned[1].startswith("this host's clock is at least 2.")
    assert warned[1].endswith(f"s {word} Dhan's")
    sweeps(far, 4)
    far.control.clock(offset_seconds=0)
    right = (Level.NOTE, "this host's clock is right again")
    assert eventually(lambda: told(far)[1:]) == [right]
    sweeps(far, 2)
    assert told(far) == [warned, right]
    logged = [one.message for one in caplog.records if "host's clock" in one.message]
    assert len(logged) == 2
    assert "NTP" in logged[0]
    eventually(lambda: {one.what for one in kept(far)} == {warned[1], right[1]})


def test_a_clock_that_is_right_is_not_spoken_of(far: Shop) -> None:
    far.start()
    sweeps(far, 5)
    assert told(far) == []
