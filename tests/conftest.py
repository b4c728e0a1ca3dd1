"""What takes long begins first, so that no worker is without work at the end."""

from pathlib import Path

import pytest

_LONGEST = ("test_days.py", "test_copybook_world.py", "test_benchmarks.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the longest files to the front, and leave the others as they are."""
    places = {name: place for place, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: places.get(Path(item.path).name, len(places)))
