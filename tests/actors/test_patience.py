"""How often an actor may crash: pauses grow and are forgotten, and too often is too often."""

from collections.abc import Iterable
from itertools import accumulate, product

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.patience import Crashes, Patience

_GAPS = (0.0, 1.0, 59.0, 60.0, 61.0)
_seconds = st.floats(min_value=0.0, max_value=200.0, allow_nan=False)
_patience = st.builds(
    Patience,
    limit=st.integers(min_value=0, max_value=2_000),
    within=st.floats(min_value=0.1, max_value=1_000.0),
    first=st.floats(min_value=0.001, max_value=10.0),
    longest=st.floats(min_value=0.001, max_value=100.0),
)


def _pauses(patience: Patience, at: Iterable[float]) -> list[float | None]:
    crashes = Crashes(patience)
    return [crashes.another(now) for now in at]


def test_every_short_history_of_crashes_is_judged_by_what_still_counts() -> None:
    patience = Patience(limit=3, within=60.0, first=0.5, longest=1.5)
    by_count = {1: 0.5, 2: 1.0, 3: 1.5}
    for gaps in product(_GAPS, repeat=6):
        at = list(accumulate(gaps))
        for number, pause in enumerate(_pauses(patience, at)):
            counted = sum(at[number] - earlier <= 60.0 for earlier in at[: number + 1])
            assert pause == by_count.get(counted), (gaps, number)


def test_a_burst_doubles_the_pause_up_to_the_longest_and_then_ends() -> None:
    patience = Patience(limit=5, within=60.0, first=0.1, longest=1.0)
    assert _pauses(patience, [0.0] * 7) == [0.1, 0.2, 0.4, 0.8, 1.0, None, None]


@given(_patience, st.lists(_seconds, min_size=1, max_size=40))
@settings(deadline=None, max_examples=300)
def test_no_time_span_ever_sees_more_restarts_than_the_limit(
    patience: Patience, gaps: list[float]
) -> None:
    at = list(accumulate(gaps))
    pauses = _pauses(patience, at)
    restarts = [now for now, pause in zip(at, pauses, strict=True) if pause is not None]
    for until in restarts:
        since = until - patience.within
        assert sum(since <= restart <= until for restart in restarts) <= patience.limit


@given(_patience, st.lists(_seconds, max_size=40))
@settings(deadline=None, max_examples=300)
def test_after_a_quiet_while_everything_is_forgotten(patience: Patience, gaps: list[float]) -> None:
    at = list(accumulate(gaps, initial=0.0))
    later = at[-1] + patience.within * 1.001 + 0.001
    last = _pauses(patience, [*at, later])[-1]
    assert last == (min(patience.first, patience.longest) if patience.limit else None)


@given(_patience, st.integers(min_value=1, max_value=3_000))
@settings(deadline=None, max_examples=300)
def test_pauses_never_shrink_nor_pass_the_longest(patience: Patience, crashes: int) -> None:
    pause, next_pause = patience.pause(crashes), patience.pause(crashes + 1)
    assert min(patience.first, patience.longest) <= pause <= next_pause <= patience.longest
