"""A running shop, for tests of actors among each other."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.actors.shop import Shop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A shop that was started."""
    built = Shop(tmp_path)
    try:
        yield built.start()
    finally:
        built.close()
