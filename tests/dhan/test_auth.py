"""How another token is asked for, and what an answer says; secrets show in nothing."""

import json
from datetime import UTC, datetime

import pytest

from dhan.auth import Granted, NotGranted, generation, granted, renewal
from dhan.wire import Answer
from tests.dhan.broker import TOKEN

PIN, CODE = "739164", "402817"


def answer(body: object, status: int | None = 200, error: str | None = None) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, content, error, 1, 2)


def test_a_renewal_is_what_the_sdk_sends() -> None:
    asked = renewal("1000000001")
    assert (asked.method, asked.path) == ("GET", "/RenewToken")
    assert asked.headers == (("dhanClientId", "1000000001"),)


def test_pin_and_code_go_out_in_the_address_and_show_nowhere_else() -> None:
    asked = generation("1000000001", PIN, CODE)
    assert (asked.method, asked.path) == ("POST", "/app/generateAccessToken")
    assert asked.query == f"?dhanClientId=1000000001&pin={PIN}&totp={CODE}"
    assert PIN not in repr(asked)
    assert CODE not in repr(asked)


@pytest.mark.parametrize("key", ["accessToken", "token"])
def test_a_token_is_granted_until_it_ends(key: str) -> None:
    came = granted(answer({key: "plain-token", "expiryTime": "2026-11-26T09:15:00"}))
    assert came == Granted("plain-token", datetime(2026, 11, 26, 3, 45, tzinfo=UTC))
    assert "plain-token" not in repr(came)


@pytest.mark.parametrize(
    ("body", "status", "refused"),
    [
        ({"errorCode": "DH-901", "errorMessage": f"{PIN} and {CODE} are wrong"}, 401, True),
        ({"status": "error", "message": f"Invalid Pin {PIN}"}, 200, True),
        ({"accessToken": ""}, 200, True),
        ({"accessToken": "two words"}, 200, True),
        ([], 200, True),
        (b"<html>", 502, False),
        (b"", None, False),
    ],
)
def test_no_token_is_a_refusal_or_nothing_at_all(
    body: object, status: int | None, refused: bool
) -> None:
    came = granted(answer(body, status, None if status else "no answer in time"), (PIN, CODE))
    assert isinstance(came, NotGranted)
    assert came.refused is refused
    assert came.why
    assert not {PIN, CODE, TOKEN} & set(came.why.split())
