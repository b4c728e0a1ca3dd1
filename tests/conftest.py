"""What takes long begins first, so that no worker is without work at the end; what all workers need
is compiled once."""

import gc
import importlib
import os
import sys
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

import pytest

_HERE = Path(__file__).parent
_LONGEST = ("test_days.py", "test_copybook_world.py", "test_benchmarks.py")


def pytest_configure() -> None:
    """Keep bytecode: to compile anew would take each worker a quarter of a minute."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Look for no garbage meanwhile, and later not among what was imported, as there is none."""
    gc.disable()
    try:
        _compile_a_part(session)
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def _compile_a_part(session: pytest.Session) -> None:
    """Where all files are wanted, begin with others than the other workers do, who take over what
    this one compiled."""
    worker = getattr(session.config, "workerinput", None)
    if worker is None or session.config.args != session.config.getini("testpaths"):
        return
    first, step = int(worker["workerid"].removeprefix("gw")), int(worker["workercount"])
    for path in sorted(_HERE.rglob("test_*.py"))[first::step]:
        with suppress(Exception):  # the collection says what is wrong with it
            importlib.import_module(".".join(path.relative_to(_HERE.parent).with_suffix("").parts))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the longest files to the front, and leave the others as they are."""
    places = {name: place for place, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: places.get(Path(item.path).name, len(places)))
