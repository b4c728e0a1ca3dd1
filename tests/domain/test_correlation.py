"""Correlation ids: what Dhan accepts, deterministic, one for each order, slice and attempt."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.copybook import CopyBook
from domain.correlation import MOST_CHARACTERS, correlation_id, ours
from domain.messages import OrderSeen
from domain.rules import Mood
from domain.steps import Done, Place, Skip
from tests.domain.builders import CONTRACT, NOON, RULES, leader_order

many = settings(deadline=None, max_examples=250)

_ACCEPTED = re.compile(r"[A-Za-z0-9 _-]{1,25}")

realistic = st.one_of(
    st.integers(10**11, 10**15 - 1).map(str),
    st.integers(1, 10**18 - 1).map(str),
    st.integers(1, 10**14).map("0{}".format),
)
order_ids = realistic | st.text(max_size=40)
slices, attempts = st.integers(0, 36**2 - 1), st.integers(0, 36**3 - 1)


@given(order_ids, slices, attempts)
@many
def test_ids_are_accepted_by_dhan_and_recognised(order_id: str, part: int, attempt: int) -> None:
    name = correlation_id(order_id, part, attempt)
    assert _ACCEPTED.fullmatch(name)
    assert len(name) <= MOST_CHARACTERS
    assert ours(name)
    assert name == correlation_id.__wrapped__(order_id, part, attempt)


@given(
    st.lists(
        st.tuples(order_ids, slices | st.integers(0, 3), attempts | st.integers(0, 3)),
        min_size=2,
        max_size=6,
        unique=True,
    )
)
@many
def test_no_two_requests_share_an_id(requests: list[tuple[str, int, int]]) -> None:
    assert len({correlation_id(*request) for request in requests}) == len(requests)


def test_the_ids_of_one_order_differ_in_every_slice_and_attempt() -> None:
    names = {
        correlation_id(order_id, part, attempt)
        for order_id in ("112112112", "1", "11", "A-1", "1-1", "0112112112")
        for part in range(40)
        for attempt in range(40)
    }
    assert len(names) == 6 * 40 * 40


@given(st.text(alphabet="LSnh0123456789abcxyz-", max_size=26) | st.text(max_size=30))
@many
def test_nothing_else_is_taken_for_ours(name: str) -> None:
    """Whatever is recognised is exactly of the form that is given."""
    if ours(name):
        assert re.fullmatch(r"LS(n[1-9a-z][0-9a-z]{0,11}|h[0-9a-z]{14})(-[0-9a-z]+){2}", name)
        assert len(name) <= MOST_CHARACTERS


@pytest.mark.parametrize(
    "name",
    [
        None,
        "",
        "NA",
        "NR",
        "LS",
        "LSn1-0",
        "LSn1-0-0-0",
        "LSn01-0-0",
        "LSn1-00-0",
        "LSn1-0-00",
        "LSn1-0-0 ",
        " LSn1-0-0",
        "LSN1-0-0",
        "LSh123-0-0",
        "LSnzzzzzzzzzzzz-0-0",
        "LSn1-000-0",
        "LSn1-0-0000",
        "1000000001-1700000000000",
        "LSn١-0-0",
    ],
)
def test_ids_of_others_are_not_ours(name: str | None) -> None:
    assert not ours(name)


@pytest.mark.parametrize(("part", "attempt"), [(-1, 0), (0, -1), (36**2, 0), (0, 36**3)])
def test_what_has_no_room_is_refused(part: int, attempt: int) -> None:
    with pytest.raises(ValueError, match="out of range"):
        correlation_id("112112112", part, attempt)


@pytest.mark.parametrize("order_id", ["112112112", "102261125000001", "weird id"])
def test_a_copy_seen_on_the_leaders_side_is_never_copied_again(order_id: str) -> None:
    """An account may both follow and lead: what Lockstep placed there is no order of its own."""
    book = CopyBook(RULES)
    book.listings.learn((CONTRACT,))
    order = leader_order(correlation_id=correlation_id(order_id, 0, 0))
    book.seen(OrderSeen(order, NOON, 1))
    step = book.step(order.order_id, Mood.ACTIVE, True, NOON)
    assert isinstance(step, Skip)
    book.skip(order.order_id, step)
    again = book.step(order.order_id, Mood.ACTIVE, True, NOON)
    assert isinstance(again, Skip | Done)
    stranger = leader_order(order_id="7", correlation_id="NA")
    book.seen(OrderSeen(stranger, NOON, 1))
    assert isinstance(book.step("7", Mood.ACTIVE, True, NOON), Place)
