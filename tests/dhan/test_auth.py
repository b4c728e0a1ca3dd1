"""How another token is asked for, and what an answer says; secrets show in nothing."""

import json
from datetime import UTC, datetime

import pytest

from dhan.auth import (
    Granted,
    NotGranted,
    consent,
    consent_link,
    consumption,
    generation,
    granted,
    renewal,
    token_id,
)
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


def test_what_an_app_asks_with_shows_nowhere() -> None:
    asked, bought = consent("1000000001", PIN, CODE), consumption("an-id", PIN, CODE)
    assert (asked.method, asked.path) == ("POST", "/app/generate-consent")
    assert asked.query == "?client_id=1000000001"
    assert (bought.method, bought.path, bought.query) == (
        "GET", "/app/consumeApp-consent", "?tokenId=an-id",
    )  # fmt: skip
    for request in (asked, bought):
        assert request.headers == (("app_id", PIN), ("app_secret", CODE))
        assert not any(secret in repr(request) for secret in (PIN, CODE, "an-id"))


def test_a_consent_is_given_at_a_link_that_is_made_of_an_id_alone() -> None:
    host = "https://auth.dhan.co"
    link = consent_link(answer({"consentAppId": "940b0ca1-3ff4", "status": "success"}), host)
    assert link == f"{host}/login/consentApp-login?consentAppId=940b0ca1-3ff4"
    for strange in ("", "two words", "\x1b[2J", "a&b", None):
        assert isinstance(consent_link(answer({"consentAppId": strange}), host), NotGranted)
    refused = answer({"errorMessage": f"{CODE} is wrong"}, 401)
    assert consent_link(refused, host, [CODE]) == NotGranted("[hidden] is wrong", refused=True)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("http://127.0.0.1:9/done?tokenId=ab-1.2_3", "ab-1.2_3"),
        ("https://desk.example/?x=1&tokenId=a%2Bb%3D&y=2#end", "a+b="),
        ("http://127.0.0.1:9/?tokenId=a+b/c==", "a+b/c=="),
        ("?tokenId=abc", "abc"),
        ("tokenId=abc", "abc"),
        (" abc\n", "abc"),
        ("http://127.0.0.1:9/done", None),
        ("http://127.0.0.1:9/done?tokenId=", None),
        ("http://127.0.0.1:9/done?tokenId=a&tokenId=b", None),
        ("http://[::1/?tokenId=a", None),
        ("http://127.0.0.1:9/?tokenId=a%0d%0aX:1", None),
        ("", None),
    ],
)
def test_what_buys_a_token_stands_in_the_address_or_alone(given: str, found: str | None) -> None:
    assert token_id(given) == found


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
