"""When another token is asked for, and which way."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.tokens import TokenLife, Way

NOON = datetime(2026, 11, 25, 6, 30, tzinfo=UTC)
DAY = TokenLife(NOON, NOON + timedelta(hours=24))
HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)


def way(life: TokenLife, now: datetime, *, generates: bool = False) -> Way | None:
    return life.way(now, renews=True, generates=generates)


def test_a_token_of_a_day_is_replaced_an_hour_before_its_end_and_not_before() -> None:
    assert way(DAY, NOON + 23 * HOUR - SECOND) is None
    assert way(DAY, NOON + 23 * HOUR) is Way.RENEW
    assert way(DAY, NOON + 23 * HOUR, generates=True) is Way.GENERATE
    assert DAY.way(NOON + 23 * HOUR, renews=False, generates=False) is None


def test_of_a_token_that_is_old_when_it_is_first_seen_three_quarters_of_the_rest_are_used() -> None:
    life = TokenLife(NOON, NOON + 40 * MINUTE)
    assert way(life, NOON + 30 * MINUTE - SECOND) is None
    assert way(life, NOON + 30 * MINUTE) is Way.RENEW


def test_a_dead_token_cannot_be_renewed_but_another_can_be_made() -> None:
    for life in (DAY, replace(DAY, dead=True)):
        late = NOON + 24 * HOUR
        assert way(life, late) is None
        assert way(life, late, generates=True) is Way.GENERATE
    assert way(TokenLife(NOON, dead=True), NOON, generates=True) is Way.GENERATE


def test_nothing_is_asked_for_while_nobody_knows_when_it_ends() -> None:
    for generates in (False, True):
        assert way(TokenLife(NOON), NOON + 100 * HOUR, generates=generates) is None


def test_a_refusal_to_renew_is_final_and_a_wrong_pin_is_tried_once_more() -> None:
    late = NOON + 23 * HOUR
    assert way(replace(DAY, refused=1), late) is None
    again = replace(DAY, refused=1, tried_at=late)
    assert way(again, late + MINUTE - SECOND, generates=True) is None
    assert way(again, late + MINUTE, generates=True) is Way.GENERATE
    assert way(replace(DAY, refused=2), late, generates=True) is None


def test_it_is_stuck_where_nothing_leads_to_another_one_and_not_in_a_pause() -> None:
    late = NOON + 23 * HOUR
    trying = replace(DAY, tried_at=late)
    for generates in (False, True):
        assert not DAY.stuck(NOON, renews=False, generates=generates)
        assert not trying.stuck(late + SECOND, renews=True, generates=generates)
        assert trying.way(late + SECOND, renews=True, generates=generates) is None
        refused = replace(DAY, refused=2)
        assert refused.stuck(late, renews=True, generates=generates)
    assert DAY.stuck(late, renews=False, generates=False)
    assert DAY.stuck(NOON + 24 * HOUR, renews=True, generates=False)


@given(
    left=st.integers(1, 86_400),
    at=st.integers(0, 90_000),
    tried=st.none() | st.integers(0, 90_000),
    refused=st.integers(0, 3),
    dead=st.booleans(),
    renews=st.booleans(),
    generates=st.booleans(),
)
def test_a_token_is_never_replaced_early_nor_renewed_late(
    left: int, at: int, tried: int | None, refused: int, dead: bool, renews: bool, generates: bool
) -> None:
    now, ends = NOON + at * SECOND, NOON + left * SECOND
    tried_at = None if tried is None else NOON + tried * SECOND
    life = TokenLife(NOON, ends, dead, refused, tried_at)
    found = life.way(now, renews=renews, generates=generates)
    if found is not None:
        assert dead or now >= ends - max(min(HOUR, left * SECOND / 4), 3 * SECOND)
    if found is Way.RENEW:
        assert renews
        assert now < ends
        assert not dead
    assert not (generates and found is Way.RENEW)
    assert found is None or refused < 2
