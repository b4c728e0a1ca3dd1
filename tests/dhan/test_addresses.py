"""Whether Dhan takes an account's orders from where it sends them, by its several answers."""

import json

import pytest

from dhan.codec.addresses import Addresses, addresses


def said(**fields: object) -> Addresses:
    return addresses(json.dumps(fields).encode())


def test_dhans_own_word_counts() -> None:
    told = said(detectedIP="203.0.113.9", ordersAllowed=False, primaryIP="203.0.113.9")
    assert told.admits(None) is False
    assert said(ordersAllowed=True, primaryIP="203.0.113.8").admits("203.0.113.9") is True


@pytest.mark.parametrize(
    ("detected", "own", "primary", "secondary", "admitted"),
    [
        ("8.8.8.8", None, "8.8.8.8", "", True),
        ("8.8.8.8", None, "8.8.4.4", "8.8.8.8", True),
        ("8.8.8.8", None, "8.8.4.4", "", False),
        ("", "8.8.8.8", "8.8.8.8", "", True),
        ("", "8.8.8.8", "8.8.4.4", "", False),
        ("", "10.0.0.5", "8.8.4.4", "", None),
        ("", None, "8.8.4.4", "", None),
        ("8.8.8.8", None, "", "", None),
        ("2001:4860:4860:0::8888", None, "2001:4860:4860::8888", "", True),
    ],
)
def test_without_it_what_is_registered_is_compared_with_what_is_used(
    detected: str, own: str | None, primary: str, secondary: str, admitted: bool | None
) -> None:
    told = said(detectedIP=detected, primaryIP=primary, secondaryIP=secondary)
    assert told.admits(own) is admitted


def test_what_is_no_address_in_the_documented_answer_is_compared_as_it_stands() -> None:
    told = said(detectedIP="8.8.8.8", primaryIP="10.420.29.14", secondaryIP=None)
    assert told.registered == ("10.420.29.14",)
    assert told.admits("not one either") is False


def test_the_remedy_names_what_is_used_and_what_is_registered() -> None:
    fix = said(detectedIP="8.8.8.8", primaryIP="8.8.4.4", ordersAllowed=False).remedy(None)
    assert "register 8.8.8.8 with Dhan (registered: 8.8.4.4;" in fix
    assert "once in 7 days" in fix
    assert "register the address with Dhan (registered: none;" in said().remedy("10.0.0.5")
