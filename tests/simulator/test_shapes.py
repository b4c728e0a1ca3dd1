"""The simulator's answers beside those recorded or documented of Dhan: the same keys and types."""

import json
from pathlib import Path
from typing import Any

import pytest

from simulator.server import Simulator
from tests.simulator.clients import ASHA, Ear, Rest

_SAMPLES = Path(__file__).parents[2].parent / "shared" / "dhan" / "samples"
_NOT_DOCUMENTED = {"OrderPlatform", "detectedIP", "ipMatchStatus", "ordersAllowed"}


def _sample(name: str) -> Any:
    path = _SAMPLES / f"{name}.json"
    if not path.exists():
        pytest.skip("Dhan's samples are not here")
    return json.loads(path.read_text(encoding="utf-8"))


def _types(row: dict[str, Any]) -> dict[str, str]:
    """Keys and kinds of values; whole and broken numbers are one kind, null is any."""
    kinds = {"int": "number", "float": "number"}
    return {
        key: kinds.get(type(value).__name__, type(value).__name__)
        for key, value in row.items()
        if value is not None
    }


def _alike(own: dict[str, Any], dhans: dict[str, Any]) -> None:
    assert set(own) - _NOT_DOCUMENTED == set(dhans)
    own_types, dhans_types = _types(own), _types(dhans)
    both = set(own_types) & set(dhans_types)
    assert {key: own_types[key] for key in both} == {key: dhans_types[key] for key in both}


@pytest.mark.parametrize(
    ("path", "sample"),
    [
        ("/orders", "rest-orders-list"),
        ("/orders/{order_id}", "rest-orders-get"),
        ("/trades", "rest-trades-today"),
        ("/holdings", "rest-holdings"),
        ("/positions", "rest-position-docs"),
        ("/fundlimit", "rest-fundlimit-200"),
        ("/profile", "rest-profile-200"),
    ],
)
def test_reads_have_dhans_shape(broker: Simulator, rest: Rest, path: str, sample: str) -> None:
    broker.control.hold(ASHA, segment="NSE_EQ", security_id="2885", quantity=15, average="2400")
    order_id = rest.placed("TRADED", price=2500.0)
    recorded = _sample(sample)
    dhans = recorded["body"] if isinstance(recorded, dict) else recorded
    own = rest.send("GET", path.format(order_id=order_id)).json()
    assert type(own) is type(dhans)
    if isinstance(own, list):
        own, dhans = own[0], dhans[0]
    _alike(own, dhans)


def test_an_acknowledgement_has_dhans_shape(rest: Rest) -> None:
    recorded = _sample("rest-orders-create")
    _alike(rest.send("POST", "/orders", rest.order()).json(), recorded["body"])


def test_a_recorded_request_is_taken(broker: Simulator, rest: Rest) -> None:
    broker.control.market("closed")
    body = _sample("rest-orders-create")["request"]["body"]
    body |= {"dhanClientId": ASHA, "securityId": "500325"}
    assert rest.send("POST", "/orders", body).json()["orderStatus"] == "TRANSIT"


def test_margin_and_addresses_have_dhans_shape(rest: Rest) -> None:
    recorded = _sample("rest-margincalculator-200")
    body = recorded["request"]["body"] | {"dhanClientId": ASHA}
    own = rest.send("POST", "/margincalculator", body).json()
    _alike(own, recorded["body"])
    assert own["totalMargin"] == recorded["body"]["totalMargin"]
    _alike(rest.send("GET", "/ip/getIP").json(), _sample("ip-getIP-docs"))


def test_an_event_has_the_documented_keys(broker: Simulator, rest: Rest, ear: Ear) -> None:
    documented = _sample("ws-order_alert-docs-cancelled-equity-PascalCase")
    order_id = rest.placed()
    rest.send("DELETE", f"/orders/{order_id}")
    event = ear.until("Cancelled")[-1]
    pascal = {key[0].upper() + key[1:]: value for key, value in event.items()}
    _alike(pascal, documented["Data"])


def test_errors_have_dhans_words(broker: Simulator, rest: Rest) -> None:
    measured = _sample("rest-errors-measured-2026-09-08")
    bodies = [each["body"] for each in measured]
    assert rest.send("POST", "/orders", rest.order(correlationId="")).json() in bodies
    assert rest.send("GET", "/orders/external/none").json() in bodies
    assert rest.send("GET", "/holdings").json() in bodies
    assert rest.send("GET", "/orders/7").json() in bodies
    broker.control.limits(ASHA, orders={"day": 1})
    broker.control.tune(transit_ms=60_000)
    order_id = rest.place()
    assert rest.send("DELETE", f"/orders/{order_id}").json() in bodies
    broker.control.limits(ASHA, orders={})
    assert rest.send("DELETE", f"/orders/{order_id}").json() in bodies
    with Rest(broker, ASHA) as old:
        broker.control.rotate_token(ASHA)
        assert old.send("GET", "/orders").json() in bodies
        broker.control.expire_token(ASHA)
    with Rest(broker, ASHA) as expired:
        recorded = _sample("rest-error-401-DH-901")["body"]
        assert expired.send("GET", "/orders").json() == recorded
