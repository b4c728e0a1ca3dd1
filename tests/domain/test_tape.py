"""The tape: what stands before an order, in whatever order and however often it was told."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.copies import Copy
from domain.orders import Order, Side, Status
from domain.sizing import Exit
from domain.tape import Shares, Tape
from tests.domain.builders import HALF, after, filled, leader_order, new_copy, stamp

_LEADERS = st.tuples(
    st.sampled_from(Side), st.integers(0, 3), st.integers(0, 100), st.integers(0, 100)
)


def orders(drawn: Sequence[tuple[Side, int, int, int]]) -> list[Order]:
    """Orders of which several may be of one second."""
    return [
        filled(
            leader_order(order_id=str(100 + number), side=side, placed_at=after(second)),
            traded,
            stamp=stamp(second),
        )
        for number, (side, second, traded, _) in enumerate(drawn)
    ]


def copy_of(order: Order) -> Copy:
    """What is sold is an exit."""
    entry = order.side is Side.BUY
    sizing = HALF if entry else Exit(50, 100, HALF)
    return new_copy(leader_order_id=order.order_id, sizing=sizing)


def note(tape: Tape, order: Order, mine: int) -> None:
    sign = order.side.sign
    shares = Shares(sign * order.filled, sign * mine, sign * mine, sign * mine)
    tape.note(order, copy_of(order), shares, ended=False, reach=mine)


def told(tape: Tape, known: Sequence[Order]) -> list[object]:
    """All that the tape says of each order."""
    says = [
        (tape.before(one), tape.free(one), tape.opens(one), tape.overtaken(one)) for one in known
    ]
    return [tape.total, tape.dependent(), *says, *(tape.left_over(one) for one in known)]


@settings(deadline=None, max_examples=200)
@given(st.lists(_LEADERS, min_size=1, max_size=12), st.data())
def test_the_order_of_telling_is_of_no_account(
    drawn: list[tuple[Side, int, int, int]], data: st.DataObject
) -> None:
    known, mine = orders(drawn), [one[3] for one in drawn]
    tape, other = Tape(), Tape()
    for order, got in zip(known, mine, strict=True):
        note(tape, order, got)
    numbers = list(range(len(known)))
    for number in data.draw(st.lists(st.sampled_from(numbers), max_size=6)):
        late = data.draw(st.integers(0, 5))
        note(other, replace(known[number], placed_at=None, stamp=stamp(late)), 0)
    for number in data.draw(st.permutations(numbers)):
        note(other, known[number], mine[number])
    assert told(other, known) == told(tape, known)


def test_what_came_later_does_not_stand_before() -> None:
    bought, sold, again = orders(
        [(Side.BUY, 0, 100, 50), (Side.SELL, 1, 0, 0), (Side.BUY, 2, 40, 20)]
    )
    tape = Tape()
    for order, mine in ((again, 20), (sold, 0), (bought, 50)):
        note(tape, order, mine)
    before, _ = tape.before(replace(sold, filled=100))
    assert (before.leader, before.mine) == (140, 70), "until it has ended, what is bought counts"
    ended = filled(sold, sold.terms.quantity, stamp=stamp(1))
    assert ended.status is Status.TRADED
    note(tape, ended, 50)
    before, _ = tape.before(ended)
    assert (before.leader, before.mine) == (100, 50)
