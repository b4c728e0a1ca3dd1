"""Houses whose ledger is in trouble, and other processes that make it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.ledger.conftest import other
from tests.scenarios.house import HALF, SAME, House

__all__ = ["other"]

Build = Callable[..., House]

_MORE = "[recovery]\nsweep_seconds = 1\nmax_age_seconds = 600\nsettle_seconds = 2"


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Build]:
    """Makes a house of two followers that is not started yet."""
    houses: list[House] = []

    def make(**how: object) -> House:
        built = House(tmp_path, (HALF, SAME), more=_MORE, patience=60, **how)  # type: ignore[arg-type]  # passed on as given
        houses.append(built)
        return built

    yield make
    for built in houses:
        built.close()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A running house of two followers, shared by the file's tests."""
    built = House(tmp_path_factory.mktemp("house"), (HALF, SAME), more=_MORE, patience=60)
    try:
        yield built.start()
    finally:
        built.close()
