"""One-time codes are those of RFC 6238, appendix B."""

import base64
from datetime import UTC, datetime

import pytest

from dhan.totp import NoSecret, code

SECRET = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_vectors_of_the_rfc(at: int, expected: str) -> None:
    instant = datetime.fromtimestamp(at, UTC)
    assert code(SECRET, instant, digits=8) == expected
    assert code(SECRET, instant) == expected[-6:]


def test_a_secret_is_taken_as_apps_show_it() -> None:
    at = datetime.fromtimestamp(59, UTC)
    spaced = " ".join(SECRET[i : i + 4] for i in range(0, len(SECRET), 4)).lower()
    assert code(spaced, at) == code(SECRET, at)
    assert len(code("JBSWY3DPEHPK3PXP", at)) == 6
    assert len(code("JBSWY3DPEB3W64TMMQQQ====", at)) == 6


@pytest.mark.parametrize("secret", ["", "====", "not!base32", "0189", "é"])
def test_what_is_no_secret_is_said_and_not_shown(secret: str) -> None:
    with pytest.raises(NoSecret) as trouble:
        code(secret, datetime.now(UTC))
    assert not secret.strip("=") or secret not in str(trouble.value)
