"""A broker for each test."""

from collections.abc import Iterator

import pytest

from simulator.server import Opening, Simulator
from tests.simulator.clients import ASHA, LEADER, Ear, Rest


@pytest.fixture
def broker() -> Iterator[Simulator]:
    """Two accounts, and nearly no way to the exchange."""
    accounts = (Opening(LEADER), Opening(ASHA))
    with Simulator(accounts=accounts, transit_ms=5) as simulator:
        yield simulator


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
