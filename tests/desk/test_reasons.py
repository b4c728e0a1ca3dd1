"""The rules that a copy was decided by, in plain words."""

from dataclasses import replace

import pytest

from desk.reasons import rules_in_words
from domain.mirror import mirrored
from domain.orders import Order
from tests.domain.builders import CONTRACT, RULES, leader_order

ASKED = leader_order()
TURNED = "inverse: what the leader's BUY trades is copied as SELL"


@pytest.mark.parametrize(
    ("inverse", "order", "said"),
    [
        (False, ASKED, None),
        (True, mirrored(ASKED), TURNED),
        (False, mirrored(ASKED), f"{TURNED}, as the position was built inverse"),
        (True, ASKED, "inverse, but for this order: the position was built on the leader's side"),
    ],
)
def test_whether_an_order_is_copied_inverse_is_said_first(
    inverse: bool, order: Order, said: str | None
) -> None:
    words = list(rules_in_words(replace(RULES, inverse=inverse), order, CONTRACT))
    assert [one for one in words if "inverse" in one] == ([said] if said else [])
    assert words[0] == (said or words[0])
