"""Every captured or documented sample of Dhan's wire is read, or is refused for a known reason.

The samples lie beside the project and are not part of it; a new one fails here until somebody
says what is expected of it.
"""

import csv
import io
import json
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dhan.codec.addresses import Addresses, addresses
from dhan.codec.feed import alerts
from dhan.codec.postback import postback
from dhan.codec.quotes import last_prices
from dhan.codec.rest import Funds, Profile, book, funds, profile, trades
from dhan.codec.values import Unreadable
from dhan.master import read
from dhan.outcomes import outcome
from dhan.reasons import reason
from dhan.requests import Kind, Requests
from domain.instruments import InstrumentKey, OptionType, Segment
from domain.orders import AmoTime, Order, OrderType, Product, Side, Status, Terms
from domain.outcomes import Accepted, Outcome, Refusal, Refused, Throttled
from domain.sessions import IST
from domain.tickets import Ticket

FOLDER = Path(__file__).parents[2].parent / "shared" / "dhan" / "samples"
CLIENT = "1000000001"
Expectation = Callable[[Any, Path], None]


def _bytes(value: object) -> bytes:
    return json.dumps(value).encode()


def _answered(kind: Kind, sample: Any) -> Outcome:
    """What a recorded answer means."""
    return outcome(kind, sample["status"]["code"], _bytes(sample["body"]), None, 1)


def _no_book(body: object) -> None:
    """It is not taken for an order book, least of all for an empty one."""
    with pytest.raises(Unreadable):
        book(_bytes(body), 0, CLIENT)


def _only(body: object) -> Order:
    (order,), junk = book(_bytes(body), 0, CLIENT)
    assert junk == ()
    return order


# REST: orders


def orders_create(sample: Any, folder: Path) -> None:
    assert _answered(Kind.PLACE, sample) == Accepted("752502167405", "TRANSIT")
    recorded = sample["request"]["body"]
    ours = Requests(recorded["dhanClientId"]).place(
        Ticket(
            correlation_id="correl-amo-test",
            instrument=InstrumentKey(Segment.BSE_EQ, "539310"),
            side=Side.BUY,
            product=Product.CNC,
            terms=Terms(5, OrderType.MARKET),
            amo_time=AmoTime.OPEN,
        )
    )
    built = json.loads(ours.body)
    assert {key: built[key] for key in recorded} == recorded
    assert not any(built[key] for key in built.keys() - recorded.keys())


def orders_list(sample: Any, folder: Path) -> None:
    assert isinstance(_answered(Kind.READ, sample), Accepted)
    order = _only(sample["body"])
    assert (order.order_id, order.status) == ("952502167319", Status.PENDING)
    assert order.instrument == InstrumentKey(Segment.BSE_EQ, "539310")
    assert (order.terms.quantity, order.terms.price) == (20, 36)
    assert (order.after_market, order.correlation_id, order.reason) == (True, None, "")
    assert order.stamp.updated_at == IST.localize(datetime(2025, 2, 16, 16, 4, 37))


def super_orders(sample: Any, folder: Path) -> None:
    order = _only(sample)
    assert (order.order_id, order.leg, order.terms.price) == ("5925022734212", 1, 150_000)


def forever_orders(sample: Any, folder: Path) -> None:
    orders, (junk,) = book(_bytes(sample), 0, CLIENT)
    assert orders == ()
    assert junk.reason == "order type not known: 'SINGLE'"


def trades_today(sample: Any, folder: Path) -> None:
    assert isinstance(_answered(Kind.READ, sample), Accepted)
    found, junk = trades(_bytes(sample["body"]))
    assert junk == ()
    assert [(trade.trade_id, trade.quantity, trade.price) for trade in found] == [
        ("200764585", 1, 39_200),
        ("600653907", 1, 94_000),
        ("601935780", 2, 14_800),
        ("1162032", 6, 15_800),
    ]
    assert found[0].traded_at == IST.localize(datetime(2025, 7, 7, 9, 25, 5))


def docs_postback(sample: Any, folder: Path) -> None:
    order = postback(_bytes(sample), 0)
    assert (order.order_id, order.client_id) == ("112111182198", "1000000003")
    assert (order.filled, order.status) == (1, Status.PART_TRADED)
    assert order.terms.order_type is OrderType.MARKET


# REST: the account


def live_funds(sample: Any, folder: Path) -> None:
    assert funds(_bytes(sample["body"])) == Funds(11_564, 0)
    _no_book(sample["body"])


def sandbox_funds(sample: Any, folder: Path) -> None:
    assert funds(_bytes(sample["body"])) == Funds(100_000_000, 0)


def live_profile(sample: Any, folder: Path) -> None:
    assert profile(_bytes(sample["body"])) == Profile(
        "1100003626",
        IST.localize(datetime(2025, 3, 30, 15, 37)),
        "Equity, Derivative, Currency, Commodity",
    )
    _no_book(sample["body"])


def sandbox_profile(sample: Any, folder: Path) -> None:
    found = profile(_bytes(sample["body"]))
    assert found.valid_until == IST.localize(datetime(2026, 4, 6, 11, 20))


def docs_addresses(sample: Any, folder: Path) -> None:
    assert addresses(_bytes(sample)) == Addresses(
        allowed=None, detected="", registered=("10.420.29.14", "10.420.43.12")
    )


def holdings(sample: Any, folder: Path) -> None:
    assert _answered(Kind.READ, sample) == Accepted()
    _no_book(sample["body"])


def no_positions(sample: Any, folder: Path) -> None:
    assert _answered(Kind.READ, sample) == Accepted()


def docs_positions(sample: Any, folder: Path) -> None:
    _no_book(sample)


def margin(sample: Any, folder: Path) -> None:
    assert _answered(Kind.READ, sample) == Accepted()
    _no_book(sample["body"])


# REST: errors


def unauthorised(sample: Any, folder: Path) -> None:
    for kind in Kind:
        answered = _answered(kind, sample)
        assert isinstance(answered, Refusal)
        assert (answered.kind, answered.code) == (Refused.TOKEN, "DH-901")
    _no_book(sample["body"])


def bad_input(sample: Any, folder: Path) -> None:
    for kind in Kind:
        answered = _answered(kind, sample)
        assert isinstance(answered, Refusal)
        assert (answered.kind, answered.http_status) == (Refused.INPUT, 400)
    _no_book(sample["body"])


def throttled(sample: Any, folder: Path) -> None:
    assert {type(_answered(kind, sample)) for kind in Kind} == {Throttled}
    _no_book(sample["body"])


def numeric_code(sample: Any, folder: Path) -> None:
    answered = _answered(Kind.READ, sample)
    assert answered == Refusal(Refused.OTHER, "Data APIs not subscribed", "806", 200)
    with pytest.raises(Unreadable, match="Data APIs not subscribed"):
        last_prices(_bytes(sample["body"]))
    _no_book(sample["body"])


def measured_errors(sample: Any, folder: Path) -> None:
    unused, transit, unknown, empty, holding, busy, rejected, session = sample
    assert _measured(Kind.PLACE, unused) is Refused.INPUT
    assert _measured(Kind.CANCEL, transit) is Refused.IN_TRANSIT
    assert _measured(Kind.READ, unknown) is Refused.OTHER
    assert _measured(Kind.CANCEL, unknown) is Refused.GONE
    assert book(_bytes(empty["body"]), 0, CLIENT) == ((), ())
    assert outcome(Kind.READ, 500, _bytes(holding["body"]), None, 1) == Accepted()
    assert isinstance(outcome(Kind.PLACE, 429, _bytes(busy["body"]), None, 1), Throttled)
    assert reason(rejected["body"]["omsErrorDescription"]) is Refused.PRICE
    for kind in Kind:
        assert _measured(kind, session | {"http": 400}) is Refused.TOKEN
    for one in (unused, transit, unknown, holding, busy, rejected, session):
        _no_book(one["body"])


def _measured(kind: Kind, sample: Any) -> Refused:
    answered = outcome(kind, sample["http"], _bytes(sample["body"]), None, 1)
    assert isinstance(answered, Refusal)
    return answered.kind


# The socket


def documented_alert(sample: Any, folder: Path) -> None:
    (alert,) = alerts(json.dumps(sample), 0, "").alerts
    order = alert.order
    assert (order.order_id, order.client_id) == ("1124091136546", CLIENT)
    assert order.instrument == InstrumentKey(Segment.NSE_EQ, "14366")
    assert (order.side, order.product, order.status) == (Side.BUY, Product.CNC, Status.CANCELLED)
    assert order.terms == Terms(1, OrderType.LIMIT, 1300, disclosed=1)
    assert order.stamp.updated_at == IST.localize(datetime(2024, 9, 11, 14, 39, 29))
    assert (order.filled, order.reason, order.symbol) == (0, "", "Vodafone Idea")
    assert (order.correlation_id, order.parent_id, order.after_market) == (None, None, False)
    assert alert.ltp == 1321
    assert alert.hint is not None
    assert (alert.hint.lot, alert.hint.tick) == (1, 1)


def concatenated(sample: Any, folder: Path) -> None:
    """The objects are told apart; they are too short to be orders."""
    reasons = {
        name: [junk.reason for junk in alerts(frame, 0, CLIENT).junk]
        for name, frame in sample.items()
    }
    assert reasons == {
        "frame_text": ["segment not known: '' ''"] * 2,
        "variant_newline": ["segment not known: '' ''"] * 2,
        "variant_prefix": ["no order event", "segment not known: '' ''"],
    }


def binary_refusals(sample: Any, folder: Path) -> None:
    for name in ("hex_variant_a", "hex_variant_b_feed_style_807"):
        decoded = alerts(bytes.fromhex(sample[name]), 0, CLIENT)
        assert decoded.alerts == ()
        assert [junk.reason for junk in decoded.junk] == ["binary frame"]


def login(sample: Any, folder: Path) -> None:
    decoded = alerts(json.dumps(sample), 0, CLIENT)
    assert [junk.reason for junk in decoded.junk] == ["no Data in the message"]
    assert sample["LoginReq"]["MsgCode"] == 42


# The master


def master_rows(sample: Any, folder: Path) -> None:
    columns = sample["header"].split(",")
    lines = io.StringIO()
    writer = csv.DictWriter(lines, columns)
    writer.writeheader()
    writer.writerows(sample["rows"])
    path = folder / "master.csv"
    path.write_text(lines.getvalue())
    found = {one.key: one for one in read(str(path), 1.0) if one is not None}
    assert [key.segment for key in found] == [
        Segment.IDX_I,
        Segment.NSE_FNO,
        Segment.NSE_FNO,
        Segment.BSE_CURRENCY,
    ]
    option = found[InstrumentKey(Segment.NSE_FNO, "35070")]
    assert (option.lot, option.tick, option.freeze) == (65, 5, 1756)
    assert option.upper == Decimal("4500.40") * 100
    assert (option.expiry, option.strike) == (date(2026, 11, 23), 1_895_000)
    assert (option.underlying, option.option_type) == ("NIFTY", OptionType.CALL)
    index = found[InstrumentKey(Segment.IDX_I, "13")]
    assert (index.freeze, index.upper, index.lower) == (None, None, None)
    currency = found[InstrumentKey(Segment.BSE_CURRENCY, "1026077")]
    assert (currency.tick, currency.freeze, currency.strike) == (1, 701, None)


EXPECTED: dict[str, Expectation] = {
    "instrument-master-detailed-rows-live-2026.json": master_rows,
    "ip-getIP-docs.json": docs_addresses,
    "postback-docs.json": docs_postback,
    "rest-error-200-806-int-errorCode.json": numeric_code,
    "rest-error-400-DH-905-get-order.json": bad_input,
    "rest-error-401-DH-901.json": unauthorised,
    "rest-error-429-DH-904.json": throttled,
    "rest-errors-measured-2026-09-08.json": measured_errors,
    "rest-forever-list-docs.json": forever_orders,
    "rest-fundlimit-200.json": live_funds,
    "rest-holdings.json": holdings,
    "rest-margincalculator-200.json": margin,
    "rest-orders-create.json": orders_create,
    "rest-orders-get.json": orders_list,
    "rest-orders-list.json": orders_list,
    "rest-position-docs.json": docs_positions,
    "rest-positions.json": no_positions,
    "rest-profile-200.json": live_profile,
    "rest-super-orders-list-docs.json": super_orders,
    "rest-trades-today.json": trades_today,
    "sandbox-fundlimit-200.json": sandbox_funds,
    "sandbox-profile-200.json": sandbox_profile,
    "ws-binary-refusal-author-test.json": binary_refusals,
    "ws-concatenated-frames-author-test.json": concatenated,
    "ws-login-partner-docs.json": login,
    "ws-login-self-docs.json": login,
    "ws-order_alert-docs-cancelled-equity-PascalCase.json": documented_alert,
}

needs_samples = pytest.mark.skipif(not FOLDER.is_dir(), reason="the samples are not here")


@needs_samples
@pytest.mark.parametrize("name", EXPECTED)
def test_a_sample_is_read_or_refused_as_expected(name: str, tmp_path: Path) -> None:
    sample = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    EXPECTED[name](sample, tmp_path)


@needs_samples
def test_of_every_sample_it_is_said_what_is_expected() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(EXPECTED)
