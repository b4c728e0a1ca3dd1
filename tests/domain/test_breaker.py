"""The breaker of an account: when it holds requests, and what lets them go again."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.breaker import Breaker, Circuit
from domain.outcomes import (
    Accepted,
    NotSent,
    Outcome,
    Recalled,
    Refusal,
    Refused,
    Throttled,
    Unknown,
)
from tests.domain.builders import NOON, after

NOTHING: list[tuple[Outcome, int | None]] = [
    (Unknown("no answer in time"), None),
    (NotSent("no connection"), None),
    (Unknown("HTTP 503"), 503),
]
WORDS: list[tuple[Outcome, int | None]] = [
    (Accepted("1"), 200),
    (Refusal(Refused.MARGIN, "no funds", http_status=400), 400),
    (Throttled("slowly"), 429),
]
UNCLEAR: tuple[Outcome, int | None] = (Unknown("an answer that cannot be read"), 200)


def opened(openings: int = 1) -> Breaker:
    breaker, now = Breaker(), NOON
    for _ in range(5):
        breaker = breaker.answered(*NOTHING[0], now)
    for _ in range(openings - 1):
        breaker = breaker.read(now + timedelta(hours=1)).sent().answered(*NOTHING[2], now)
    return breaker


@pytest.mark.parametrize("nothing", NOTHING)
@pytest.mark.parametrize("word", WORDS)
def test_it_opens_when_five_in_a_row_come_to_nothing(
    nothing: tuple[Outcome, int | None], word: tuple[Outcome, int | None]
) -> None:
    breaker = Breaker()
    for came in (*[nothing] * 4, word, *[nothing] * 2, UNCLEAR, *[nothing] * 2):
        breaker = breaker.answered(*came, NOON)
        assert not breaker.holds
    breaker = breaker.answered(*nothing, NOON)
    assert breaker.circuit is Circuit.OPEN
    assert breaker.holds
    assert breaker.awaits_read


def test_a_read_of_after_the_pause_lets_one_request_go() -> None:
    breaker = opened()
    assert breaker.read(after(0.9)) == breaker
    ready = breaker.read(after(1))
    assert (ready.circuit, ready.holds) == (Circuit.READY, False)
    trying = ready.sent()
    assert (trying.circuit, trying.holds) == (Circuit.TRYING, True)
    assert trying.unsent() == ready
    assert trying.answered(*UNCLEAR, after(2)) == ready
    assert all(trying.answered(*word, after(2)) == Breaker() for word in WORDS)
    for again in (trying.answered(*NOTHING[1], after(2)), trying.lost(after(2))):
        assert again.read(after(3.9)) == again
        assert again.read(after(4)).circuit is Circuit.READY


def test_what_was_called_back_says_nothing_of_the_broker() -> None:
    troubled = Breaker().answered(*NOTHING[0], NOON)
    ready = opened().read(after(1))
    for breaker in (Breaker(), troubled, opened(), ready):
        assert breaker.answered(Recalled(), None, after(2)) == breaker
    assert ready.sent().answered(Recalled(), None, after(2)) == ready


def test_the_pause_doubles_up_to_half_a_minute() -> None:
    untils = [opened(openings).until for openings in range(1, 9)]
    pauses = [(until - NOON).total_seconds() for until in untils if until]
    assert pauses == [1, 2, 4, 8, 16, 32, 32, 32]


_EVENTS = st.one_of(
    st.sampled_from([*NOTHING, *WORDS, UNCLEAR]),
    st.sampled_from(["sent", "unsent", "lost", "read"]),
)


@given(st.lists(st.tuples(_EVENTS, st.floats(0, 20)), max_size=60))
def test_while_it_is_open_nothing_goes_but_one_trial_for_each_read(
    events: list[tuple[tuple[Outcome, int | None] | str, float]],
) -> None:
    breaker, now, read, trials = Breaker(), NOON, False, 0
    for event, seconds in events:
        now += timedelta(seconds=seconds)
        before = breaker
        if event == "sent":
            if breaker.holds:
                continue
            trials += breaker.circuit is Circuit.READY
            assert breaker.circuit is Circuit.CLOSED or (read and trials == 1)
            breaker = breaker.sent()
        elif event == "read":
            breaker = breaker.read(now)
            if breaker != before:
                read, trials = True, 0
        else:
            breaker, trials = _after(breaker, event, now), 0
            if breaker.circuit is Circuit.OPEN and before.circuit is not Circuit.OPEN:
                read = False
    assert breaker.read(now + timedelta(minutes=1)).circuit is not Circuit.OPEN


def _after(breaker: Breaker, event: tuple[Outcome, int | None] | str, now: datetime) -> Breaker:
    match event:
        case "unsent":
            return breaker.unsent()
        case "lost":
            return breaker.lost(now)
        case (Accepted() | Refusal() | Throttled() | Unknown() | NotSent() as came, status):
            return breaker.answered(came, status, now)
    raise AssertionError(event)
