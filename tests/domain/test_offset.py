"""How far the host's clock is from the broker's, from answers that tell whole seconds."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.offset import MOST, Offset, Offsets, admitted
from tests.domain.builders import NOON

SECOND = timedelta(seconds=1)


def answer(off: timedelta, at: timedelta, there: timedelta, back: timedelta) -> Offset:
    """What an answer admits whose request left `at` after noon by the broker's clock, where the
    host is ahead by `off`."""
    looked = NOON + at + there
    return admitted(looked.replace(microsecond=0), NOON + at + off, looked + back + off)


def seconds(least: float, most: float) -> st.SearchStrategy[timedelta]:
    return st.floats(least, most).map(lambda length: timedelta(seconds=length))


def spread(off: timedelta, count: int, trip: timedelta = timedelta(0)) -> Offsets:
    """After so many answers, evenly spread over the parts of a second."""
    known = Offsets()
    for number in range(count):
        at = timedelta(seconds=3 * number + number / count)
        known = known.heard(answer(off, at, trip / 2, trip / 2))
    return known


@given(
    off=seconds(-100, 100),
    trips=st.lists(st.tuples(seconds(0, 500), seconds(0, 3), seconds(0, 3)), min_size=2),
)
def test_the_truth_is_always_admitted_and_never_called_too_much_for_nothing(
    off: timedelta, trips: list[tuple[timedelta, timedelta, timedelta]]
) -> None:
    known = Offsets()
    for at, there, back in trips:
        one = answer(off, at, there, back)
        assert one.most - one.least == SECOND + there + back
        known = known.heard(one)
        assert known.doubt is None or known.known is None
    assert known.known is not None
    assert known.known.least <= off <= known.known.most
    assert not known.words or abs(off) > MOST
    assert not known.known.good or abs(off) <= MOST


@given(off=st.one_of(seconds(2.01, 100), seconds(-100, -2.01)))
def test_what_is_off_by_two_seconds_is_certain_after_two_quick_answers(off: timedelta) -> None:
    words = spread(off, 2).words
    assert ("ahead of" if off > timedelta(0) else "behind") in words


@given(off=seconds(-0.85, 0.85))
def test_a_good_clock_is_known_to_be_good(off: timedelta) -> None:
    known = spread(off, 10).known
    assert known is not None
    assert known.good
    assert known.most - known.least <= SECOND / 4


@given(off=st.one_of(seconds(1.15, 3), seconds(-3, -1.15)))
def test_a_little_too_much_is_found_out_by_more_answers(off: timedelta) -> None:
    assert spread(off, 10).words


def test_one_answer_that_contradicts_says_nothing_and_two_say_that_the_clock_was_set() -> None:
    right, wrong = Offset(-SECOND / 2, SECOND / 2), Offset(SECOND * 3, SECOND * 4)
    known = Offsets().heard(right)
    assert known.known is None
    known = known.heard(right).heard(wrong)
    assert known.known == right
    assert known.heard(right).heard(wrong).words == ""
    known = known.heard(wrong)
    assert known.words == "at least 3.0 s ahead of Dhan's"
    perhaps = Offset(SECOND / 2, SECOND * 3 / 2)
    still = known.heard(perhaps).heard(perhaps)
    assert still.known == perhaps
    assert still.words, "not certain to be right yet"
    assert still.heard(right).heard(right).words == ""


def test_a_slow_answer_admits_more_and_spoils_nothing() -> None:
    quick = spread(SECOND / 10, 10)
    slow = answer(SECOND / 10, timedelta(seconds=100), timedelta(seconds=9), timedelta(0))
    assert quick.heard(slow) == quick


def test_no_more_is_told_than_is_certain() -> None:
    off = timedelta(seconds=2.97)
    assert Offset(off, off + SECOND).words == "at least 2.9 s ahead of Dhan's"
    assert Offset(-off - SECOND, -off).words == "at least 2.9 s behind Dhan's"
