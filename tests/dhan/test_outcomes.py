"""What an answer means. A request for an order is refused only where Dhan clearly says no."""

import json
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dhan.outcomes import outcome
from dhan.reasons import reason
from dhan.requests import Kind
from domain.outcomes import Accepted, NotSent, Outcome, Refusal, Refused, Throttled, Unknown
from tests.dhan.test_values import ANY_JSON

ORDERS = (Kind.PLACE, Kind.MODIFY, Kind.CANCEL)


def came(kind: Kind, status: int | None, body: object = b"") -> Outcome:
    """The outcome of an answer; a body that is no bytes is written as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return outcome(kind, status, content, None if status else "no answer in time", 1)


def error(code: object, message: str, **more: object) -> dict[str, object]:
    return {"errorType": "Order_Error", "errorCode": code, "errorMessage": message, **more}


def kind_of(result: Outcome) -> Refused:
    assert isinstance(result, Refusal)
    return result.kind


# Without an answer


def test_only_what_was_never_written_counts_as_not_sent() -> None:
    assert outcome(Kind.PLACE, None, b"", "no connection", None) == NotSent("no connection")
    assert outcome(Kind.PLACE, None, b"", "reset", 1) == Unknown("reset")
    assert outcome(Kind.PLACE, None, b"", None, 1) == Unknown("no answer")


# Accepted


@pytest.mark.parametrize("status", [200, 201, 202])
def test_a_placement_with_an_order_id_is_accepted(status: int) -> None:
    ack = {"orderId": "112111182198", "orderStatus": "TRANSIT"}
    expected = Accepted("112111182198", "TRANSIT")
    assert came(Kind.PLACE, status, ack) == expected
    assert came(Kind.PLACE, status, [ack]) == expected
    assert came(Kind.PLACE, status, ack | {"errorCode": None, "errorMessage": None}) == expected
    assert came(Kind.PLACE, status, ack | {"orderId": 112111182198}) == expected
    assert came(Kind.PLACE, status, ack | {"errorCode": "DH-906"}) == expected


@pytest.mark.parametrize("kind", [Kind.MODIFY, Kind.CANCEL])
def test_a_change_is_accepted_with_a_word_or_without_a_body(kind: Kind) -> None:
    assert came(kind, 202) == Accepted()
    assert came(kind, 200, b" \r\n") == Accepted()
    assert came(kind, 200, {"orderId": "1", "orderStatus": "CANCELLED"}) == Accepted(
        "1", "CANCELLED"
    )
    assert came(kind, 200, {"orderStatus": "PENDING"}) == Accepted("", "PENDING")
    assert came(kind, 200, {"status": "success"}) == Accepted()


def test_reads_are_accepted_by_their_shape() -> None:
    assert came(Kind.READ, 200, []) == Accepted()
    assert came(Kind.READ, 200, {"dhanClientId": "1"}) == Accepted()
    assert came(Kind.READ, 200, [{"orderId": "1", "orderStatus": "PENDING"}]) == Accepted(
        "1", "PENDING"
    )


def test_no_holdings_are_an_error_at_dhan_and_none_here() -> None:
    none = error("DH-1111", "No holdings available", errorType="HOLDING_ERROR")
    assert came(Kind.READ, 500, none) == Accepted()
    for kind in ORDERS:
        assert isinstance(came(kind, 500, none), Unknown)


# Unknown


UNREADABLE = (
    b"<html><body>502 Bad Gateway</body></html>",
    b"\x00\x01\xff",
    b'{"orderId":"11',
    b"[" * 100_000,
    b"null",
    b"{}",
    b"[]",
    b"[[]]",
    b'"ok"',
    b"7",
    b'{"orderId":null}',
    b'{"orderId":""}',
    b'{"orderId":"0"}',
    b'{"orderId":0}',
    b'{"orderId":true}',
    b'{"orderId":{"a":1}}',
    b'{"orderId":"1/../2"}',
    b'{"orderId":"1\\r\\nX: y"}',
    b'{"orderStatus":[]}',
)


@pytest.mark.parametrize("body", UNREADABLE)
def test_an_order_with_an_answer_that_nobody_can_read_is_unknown(body: bytes) -> None:
    for kind, status in product(ORDERS, (200, 202, 400, 403, 404)):
        assert isinstance(came(kind, status, body), Unknown)


@pytest.mark.parametrize("body", [b"", b" "])
def test_a_placement_without_a_body_is_unknown(body: bytes) -> None:
    assert isinstance(came(Kind.PLACE, 202, body), Unknown)
    assert isinstance(came(Kind.READ, 200, body), Unknown)


@pytest.mark.parametrize("status", [100, 301, 302, 304, 307, 408, 500, 502, 503, 504, 520, 599])
def test_the_servers_troubles_are_unknown_whatever_they_say(status: int) -> None:
    bodies = (b"", b"<html>", error("DH-906", "Invalid Token"), {"status": "failed"})
    for kind, body in product(Kind, bodies):
        assert isinstance(came(kind, status, body), Unknown)


@pytest.mark.parametrize("code", ["DH-908", "DH-909", "DH-910", 800, "800"])
def test_dhans_inner_troubles_are_no_refusal_of_an_order(code: object) -> None:
    """DH-909: "unable to communicate with the backend" may be after it was done."""
    trouble = error(code, "Something went wrong")
    for status in (200, 400):
        for kind in ORDERS:
            assert isinstance(came(kind, status, trouble), Unknown)
        assert isinstance(came(Kind.READ, status, trouble), Refusal)


def test_a_no_that_names_an_order_is_not_clear() -> None:
    assert isinstance(came(Kind.PLACE, 400, error("DH-906", "odd", orderId="1")), Unknown)
    assert isinstance(came(Kind.CANCEL, 200, error("DH-906", "odd", orderId="1")), Unknown)


# Refused


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, error("DH-901", "Client ID or user generated access token is invalid."), "TOKEN"),
        (401, {"message": "Unauthorized"}, "TOKEN"),
        (400, error("DH-906", "Invalid Token"), "TOKEN"),
        (200, error(807, "Access token expired"), "TOKEN"),
        (200, error(808, "Authentication failed"), "TOKEN"),
        (400, error("DH-911", "Invalid IP"), "ADDRESS"),
        (400, error("DH-905", "Invalid IP"), "ADDRESS"),
        (400, error("DH-905", "Missing required fields, bad values for parameters etc."), "INPUT"),
        (400, error("DH-906", "Trigger Price should be greater than Price"), "PRICE"),
        (400, error("DH-906", "Transaction has Failed"), "INPUT"),
        (200, error("DH-906", "Insufficient funds"), "MARGIN"),
        (200, error(806, "Data APIs not subscribed"), "OTHER"),
        (400, {"status": "failed", "data": {"DH-906": "Invalid Token"}}, "TOKEN"),
        (200, {"status": "failed", "data": {"DH-905": "Price should be on a tick"}}, "PRICE"),
        (200, [{"message": "Invalid IP", "status": "ERROR"}], "ADDRESS"),
        (
            400,
            {"internalErrorCode": "RS-9005", "internalErrorMessage": "Quantity should be whole"},
            "QUANTITY",
        ),
        (
            404,
            {"timestamp": 1, "status": 404, "error": "Not Found", "path": "/v2/orders"},
            "OTHER",
        ),
        (403, {"message": "Forbidden"}, "OTHER"),
    ],
)
def test_a_clear_no(status: int, body: object, kind: str) -> None:
    for request in ORDERS:
        result = came(request, status, body)
        assert kind_of(result) is Refused[kind]
        assert isinstance(result, Refusal)
        assert result.http_status == status
        assert result.message


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Order is in Transit state", Refused.IN_TRANSIT),
        ("Incorrect request for order and cannot be processed", Refused.GONE),
        ("Order is already traded", Refused.GONE),
        ("Order is Cancelled", Refused.GONE),
        ("Market is Closed! You cannot modify/cancel an order now.", Refused.MARKET_CLOSED),
        ("Modification limit exceeded", Refused.MODIFICATIONS),
        ("Maximum 25 modifications are allowed", Refused.MODIFICATIONS),
    ],
)
def test_a_change_that_comes_too_late_or_too_often(message: str, kind: Refused) -> None:
    for request in (Kind.MODIFY, Kind.CANCEL):
        assert kind_of(came(request, 400, error("DH-906", message))) is kind


def test_a_placement_is_never_gone_in_transit_or_changed_too_often() -> None:
    for message in (
        "Order is in Transit state",
        "Incorrect request for order and cannot be processed",
        "Order is rejected due to insufficient funds",
        "Modification limit exceeded",
    ):
        assert kind_of(came(Kind.PLACE, 400, error("DH-906", message))) in (
            Refused.INPUT,
            Refused.MARGIN,
        )


def test_a_page_of_a_server_in_between_refuses_a_read_only() -> None:
    page = b"<html>403 Forbidden</html>"
    assert isinstance(came(Kind.PLACE, 403, page), Unknown)
    assert came(Kind.READ, 403, page) == Refusal(Refused.OTHER, page.decode(), "", 403)
    assert kind_of(came(Kind.READ, 401, b"")) is Refused.TOKEN


# Throttled


@pytest.mark.parametrize("kind", list(Kind))
def test_pace(kind: Kind) -> None:
    busy = error("DH-904", "Too many requests on server")
    for status in (429, 400, 200):
        assert came(kind, status, busy) == Throttled("Too many requests on server")
    assert came(kind, 429, b"<html>slow down</html>") == Throttled("429")
    assert came(kind, 429) == Throttled("429")
    for code in (805, "805"):
        assert isinstance(came(kind, 200, error(code, "Too many requests")), Throttled)


# Words


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (
            "RMS:1124:Order Price needs to be Circuit Limits of 2915.70 to 3563.50",
            Refused.PRICE,
        ),
        ("Price should be multiple of tick size", Refused.PRICE),
        ("RMS:Margin Exceeds,Required:1000.00, Available:10.00", Refused.MARGIN),
        ("Insufficient funds: required margin 100", Refused.MARGIN),
        ("Fund limit insufficient", Refused.MARGIN),
        ("RMS:Rule: Check holdings including BTST", Refused.HOLDING),
        ("Insufficient holding quantity", Refused.HOLDING),
        ("Quantity exceeds freeze limit", Refused.QUANTITY),
        ("Order quantity should be in multiple of lot size", Refused.QUANTITY),
        ("Invalid quantity", Refused.QUANTITY),
        ("Product type MTF not allowed for this scrip", Refused.PRODUCT),
        ("Segment not activated", Refused.SEGMENT),
        ("Invalid security id", Refused.INSTRUMENT),
        ("Security is suspended for trading", Refused.INSTRUMENT),
        ("Market is closed", Refused.MARKET_CLOSED),
        ("Access Token is invalid", Refused.TOKEN),
        ("Your token has expired", Refused.TOKEN),
    ],
)
def test_words_of_a_refusal(message: str, kind: Refused) -> None:
    assert reason(message) is kind


@pytest.mark.parametrize(
    "message",
    [
        "",
        "Transaction has Failed",
        "Missing required fields, bad values for parameters etc.",
        "Invalid exchange token",
        "Invalid IPO application",
        "Order placed at your price",
        "Quantity 10 of RELIANCE",
        "Margin trading facility agreement pending",
        "Enterprise marketplace",
        "Shipment to be insured",
        "Super Market is a closed company",
        "Production order",
    ],
)
def test_a_word_in_passing_is_no_reason(message: str) -> None:
    assert reason(message) is None


@pytest.mark.parametrize(
    "message",
    [
        "Duplicate order",
        "Duplicate correlationId",
        "CorrelationId is already used",
        "An order with this tag already exists",
    ],
)
@pytest.mark.parametrize("status", [400, 409, 200])
def test_a_double_is_looked_for_and_not_placed_anew(message: str, status: int) -> None:
    """The first one is there, whatever became of its answer."""
    assert came(Kind.PLACE, status, error("DH-906", message)) == Unknown(message)
    assert isinstance(came(Kind.MODIFY, status, error("DH-906", message)), Refusal)


@pytest.mark.parametrize(
    "message", ["Modification of LIMIT order not possible", "Modification allowed in market hours"]
)
def test_a_change_is_not_counted_out_by_a_word_in_passing(message: str) -> None:
    """Else the order would be cancelled and placed anew."""
    assert reason(message, change=True) is None


def test_messages_are_cut_and_printable() -> None:
    long = came(Kind.PLACE, 400, error("DH-905", "x\x1b[31m\n" * 500))
    assert isinstance(long, Refusal)
    assert len(long.message) <= 160
    assert long.message.isprintable()
    page = came(Kind.PLACE, 200, b"<html>\n\x1b" * 500)
    assert isinstance(page, Unknown)
    assert page.why.isprintable()
    assert len(page.why) < 250


@settings(deadline=None, max_examples=200)
@given(
    kind=st.sampled_from(Kind),
    status=st.integers(100, 599),
    body=st.binary() | ANY_JSON.map(lambda value: json.dumps(value).encode()),
)
def test_any_answer_has_an_outcome_and_no_order_is_refused_by_chance(
    kind: Kind, status: int, body: bytes
) -> None:
    result = outcome(kind, status, body, None, 1)
    assert not isinstance(result, NotSent)
    if kind.order and isinstance(result, Refusal):
        parsed = json.loads(body)
        assert isinstance(parsed, dict | list)
        assert 200 <= status < 500
    if isinstance(result, Accepted) and kind is Kind.PLACE:
        assert result.order_id.isalnum()


@settings(deadline=None, max_examples=150)
@given(
    kind=st.sampled_from(ORDERS),
    fields=st.dictionaries(
        st.sampled_from(
            ["orderId", "orderStatus", "status", "errorCode", "errorMessage", "message", "data"]
        ),
        ANY_JSON,
    ),
)
def test_an_accepted_placement_always_has_a_name(kind: Kind, fields: dict[str, object]) -> None:
    result = came(kind, 200, fields)
    if isinstance(result, Accepted):
        assert result.order_id.isalnum() or kind is not Kind.PLACE
    if isinstance(result, Refusal):
        assert fields.get("errorCode") or fields.get("status")
