"""A broker for each test."""

import logging
from collections.abc import Iterator

import pytest

from simulator.server import Opening, Simulator
from tests.simulator.clients import ASHA, LEADER, Ear, Rest


@pytest.fixture
def broker(caplog: pytest.LogCaptureFixture) -> Iterator[Simulator]:
    """Two accounts, and nearly no way to the exchange. Whatever a test does to it, the broker
    itself runs into no error."""
    accounts = (Opening(LEADER), Opening(ASHA))
    with Simulator(accounts=accounts, transit_ms=5) as simulator:
        yield simulator
    errors = [each for each in caplog.get_records("call") if each.levelno >= logging.ERROR]
    assert [each for each in errors if each.threadName == "Simulator"] == []


@pytest.fixture
def rest(broker: Simulator) -> Iterator[Rest]:
    """The REST API as account ASHA."""
    with Rest(broker, ASHA) as client:
        yield client


@pytest.fixture
def ear(broker: Simulator) -> Iterator[Ear]:
    """A logged-in order-update socket of account ASHA."""
    with Ear(broker, ASHA) as listener:
        listener.login()
        yield listener
