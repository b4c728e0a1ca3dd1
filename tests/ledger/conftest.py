"""A ledger of its own for each test, and other processes that meddle with it."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ledger.ledger import Ledger

ROOT = Path(__file__).parents[2]

Other = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the ledger of the test is, or will be."""
    return tmp_path / "copy_trading.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    """A new, open ledger."""
    with Ledger.open(path) as opened:
        yield opened


@pytest.fixture
def other() -> Iterator[Other]:
    """Starts a module of these tests as a process of its own, killed at the end of the test.

    It says on its first line that it is ready.
    """
    with ExitStack() as started:

        def start(module: str, *arguments: object) -> "subprocess.Popen[str]":
            process = subprocess.Popen(
                [sys.executable, "-m", f"tests.ledger.{module}", *map(str, arguments)],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            started.callback(_end, process)
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            return process

        yield start


def _end(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.communicate()
