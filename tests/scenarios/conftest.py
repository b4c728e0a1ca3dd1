"""A running house for each file of scenarios, and houses of their own for those that break it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.scenarios.house import House

Build = Callable[..., House]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One process with three followers (half, same, double), shared by the file's tests."""
    built = House(tmp_path_factory.mktemp("house"))
    try:
        yield built.start()
    finally:
        built.close()


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Build]:
    """Makes a house that is not started yet."""
    houses: list[House] = []

    def make(**how: object) -> House:
        built = House(tmp_path, **how)  # type: ignore[arg-type]  # passed on as given
        houses.append(built)
        return built

    yield make
    for built in houses:
        built.close()
