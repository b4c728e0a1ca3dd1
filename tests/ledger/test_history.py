"""A copy rebuilt from the ledger is the copy that the dead process had, whatever happened and
whenever it died."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from domain import progress, proof
from domain.attempts import Attempt, Stage
from domain.copies import Copy, CopyState, Skipped
from domain.instructions import Verdict
from domain.orders import OrderType, Status, Terms
from domain.outcomes import NotSent, Outcome, Recalled, Refusal, Refused, Throttled, Unknown
from domain.plan import plan
from domain.rules import Account, Market, Mood
from domain.steps import Step
from tests.ledger.floor import TradingFloor, is_open
from tests.ledger.makers import unheard

_PRICES = (9_950, 10_000, 10_050)
_TERMS = st.builds(
    Terms,
    quantity=st.sampled_from((1, 10, 20, 40)),
    order_type=st.just(OrderType.LIMIT),
    price=st.sampled_from(_PRICES),
) | st.sampled_from(
    (
        Terms(20, OrderType.MARKET),
        Terms(20, OrderType.STOP_LOSS_MARKET, trigger=10_000),
        Terms(20, OrderType.STOP_LOSS, 10_050, 10_000),
    )
)
_MOODS = st.sampled_from((Mood.ACTIVE, Mood.ACTIVE, Mood.ACTIVE, Mood.PAUSED))
_REFUSALS = st.builds(Refusal, st.sampled_from(Refused), st.just("no"), st.just("DH-906"))
_TURNED_BACK: st.SearchStrategy[Outcome] = st.sampled_from(
    (Throttled("slow"), NotSent("no line"), Recalled())
)
_UNCLEAR = Unknown("lost")


class _Floor(RuleBasedStateMachine):
    """Things that happen to one copy, in any order."""

    reporting = True
    freeze: int | None = None

    def __init__(self) -> None:
        super().__init__()
        self._place = TemporaryDirectory()
        self.floor = TradingFloor(
            Path(self._place.name) / "copy_trading.db", self.reporting, self.freeze
        )

    def teardown(self) -> None:
        self.floor.close()
        self._place.cleanup()

    @initialize(terms=_TERMS)
    def begins(self, terms: Terms) -> None:
        self.floor.leader_has(terms=terms)

    # The leader

    @precondition(lambda self: is_open(self.floor.leader))
    @rule(terms=_TERMS)
    def leader_modifies(self, terms: Terms) -> None:
        self.floor.leader_has(terms=replace(terms, quantity=max(terms.quantity, 1)))

    @precondition(lambda self: is_open(self.floor.leader))
    @rule(status=st.sampled_from((Status.CANCELLED, Status.TRADED, Status.EXPIRED)))
    def leader_ends(self, status: Status) -> None:
        leader = self.floor.leader
        filled = leader.terms.quantity if status is Status.TRADED else leader.filled
        self.floor.leader_has(status=status, filled=filled, traded_value=filled * 10_000)

    @precondition(lambda self: is_open(self.floor.leader) and self.floor.leader.filled < 10)
    @rule()
    def leader_fills(self) -> None:
        filled = min(self.floor.leader.filled + 4, self.floor.leader.terms.quantity - 1)
        filled = max(filled, self.floor.leader.filled)
        self.floor.leader_has(filled=filled, traded_value=filled * 10_000)

    # The follower

    @rule()
    def cannot_record(self) -> None:
        self.floor.decide(recorded=False)

    @rule(mood=_MOODS, is_open=st.sampled_from((True, True, True, False)))
    def surroundings_change(self, mood: Mood, is_open: bool) -> None:
        self.floor.mood, self.floor.open = mood, is_open
        self.floor.decide()

    @rule(seconds=st.sampled_from((0.001, 0.3, 1.1, 4, 11, 18, 31)))
    def time_passes(self, seconds: float) -> None:
        self.floor.now += timedelta(seconds=seconds)
        self.floor.look()

    @rule()
    def much_time_passes(self) -> None:
        self.floor.now += timedelta(seconds=130)
        self.floor.look()

    @precondition(lambda self: any(not one.change for one in self.floor.in_flight))
    @rule(acted=st.booleans())
    def placement_is_given_up(self, acted: bool) -> None:
        intent = next(one for one in self.floor.in_flight if not one.change)
        if acted:
            self.floor.carried_out(intent)
        self.floor.answer(intent, _UNCLEAR)
        self.much_time_passes()

    @rule()
    def restarts(self) -> None:
        self.floor.restart()

    # The broker

    @precondition(lambda self: self.floor.in_flight)
    @rule(data=st.data())
    def acts_without_an_answer(self, data: st.DataObject) -> None:
        self.floor.carried_out(data.draw(st.sampled_from(self.floor.in_flight)))

    @precondition(lambda self: self.floor.in_flight)
    @rule(data=st.data(), otherwise=_REFUSALS)
    def accepts(self, data: st.DataObject, otherwise: Outcome) -> None:
        intent = data.draw(st.sampled_from(self.floor.in_flight))
        self.floor.answer(intent, self.floor.accepted(intent) or otherwise)

    @precondition(lambda self: self.floor.in_flight)
    @rule(data=st.data(), refusal=_REFUSALS)
    def refuses(self, data: st.DataObject, refusal: Refusal) -> None:
        self._answer_honestly(data, refusal)

    @precondition(lambda self: any(not one.change for one in self.floor.in_flight))
    @rule(refusal=_REFUSALS, heard_first=st.booleans())
    def refuses_and_leaves_an_order(self, refusal: Refusal, heard_first: bool) -> None:
        intent = next(one for one in self.floor.in_flight if not one.change)
        order_id = self.floor.placed_as(intent)
        if order_id in self.floor.orders:
            return
        self.floor.carried_out(intent)
        self.floor.becomes(order_id, status=Status.REJECTED, reason="no")
        if heard_first:
            self.floor.hear(self.floor.orders[order_id])
        self.floor.answer(intent, refusal)

    @precondition(lambda self: self.floor.in_flight)
    @rule(data=st.data(), outcome=_TURNED_BACK)
    def turns_back(self, data: st.DataObject, outcome: Outcome) -> None:
        self._answer_honestly(data, outcome)

    @precondition(lambda self: self.floor.in_flight)
    @rule(data=st.data(), acted=st.booleans())
    def answers_unclearly(self, data: st.DataObject, acted: bool) -> None:
        intent = data.draw(st.sampled_from(self.floor.in_flight))
        if acted:
            self.floor.carried_out(intent)
        self.floor.answer(intent, _UNCLEAR)

    def _answer_honestly(self, data: st.DataObject, outcome: Outcome) -> None:
        """Nobody says no to a placement that was carried out."""
        intent = data.draw(st.sampled_from(self.floor.in_flight))
        done = intent.change is None and self.floor.placed_as(intent) in self.floor.orders
        self.floor.answer(intent, _UNCLEAR if done else outcome)

    @precondition(lambda self: any(is_open(row) for row in self.floor.orders.values()))
    @rule(data=st.data(), status=st.sampled_from((*Status, Status.PENDING, Status.PART_TRADED)))
    def order_moves(self, data: st.DataObject, status: Status) -> None:
        rows = [row for row in self.floor.orders.values() if is_open(row)]
        row = data.draw(st.sampled_from(rows))
        filled = row.filled
        if status is Status.TRADED:
            filled = row.terms.quantity
        elif status is Status.PART_TRADED:
            filled = min(row.filled + 3, row.terms.quantity - 1)
        filled = max(filled, row.filled)
        value = row.traded_value + (filled - row.filled) * row.terms.price
        self.floor.becomes(row.order_id, status=status, filled=filled, traded_value=value)

    @precondition(lambda self: self.floor.orders)
    @rule(data=st.data())
    def event_comes(self, data: st.DataObject) -> None:
        self.floor.hear(data.draw(st.sampled_from(list(self.floor.orders.values()))))

    @precondition(lambda self: self.floor.told)
    @rule(data=st.data())
    def old_event_comes_again(self, data: st.DataObject) -> None:
        self.floor.hear(data.draw(st.sampled_from(self.floor.told)))

    @rule(pause=st.sampled_from((0, 0, 11)))
    def book_is_read(self, pause: int) -> None:
        self.floor.now += timedelta(seconds=pause)
        self.floor.read(self.floor.broker_book)


class _Reported(_Floor):
    """What was told of copies is in the ledger, like everything else that was told."""

    @invariant()
    def rebuilt_is_the_same(self) -> None:
        floor = self.floor
        rebuilt = floor.rebuilt
        assert rebuilt is not None
        live = progress.interrupted(floor.live, floor.now, floor.rules)
        rebuilt = progress.interrupted(rebuilt, floor.now, floor.rules)
        for mine, theirs in zip(rebuilt.newest, live.newest, strict=True):
            if mine.verify_at and not theirs.verify_at:
                # A book has already told the terms; the next one tells them again.
                told = replace(mine, terms=theirs.terms, verify_at=None)
                rebuilt = rebuilt.with_attempt(told)
        assert _essence(rebuilt, floor) == _essence(live, floor)

    @invariant()
    def both_go_on_alike_once_a_book_was_read(self) -> None:
        floor = self.floor
        rebuilt = floor.rebuilt
        assert rebuilt is not None
        later, rows = floor.now + timedelta(seconds=60), floor.broker_book
        steps: list[Step] = []
        for copy in (floor.live, rebuilt):
            copy = progress.interrupted(copy, floor.now, floor.rules)
            copy = proof.book_read(copy, rows, later, floor.rules)
            steps.append(_next(copy, floor, later))
        assert steps[0] == steps[1] or floor.blurred

    @precondition(lambda self: self.floor.live.state is CopyState.PARKED)
    @rule(verdict=st.sampled_from(Verdict), dies=st.booleans())
    def operator_settles(self, verdict: Verdict, dies: bool) -> None:
        self.floor.instruct(verdict, dies)


class _Sliced(_Reported):
    """The same of a copy in slices."""

    freeze = 6


class _Unreported(_Floor):
    """The process always dies before what it thinks of its copies reaches the ledger."""

    reporting = False

    @invariant()
    def nothing_that_may_exist_is_forgotten(self) -> None:
        floor = self.floor
        live = progress.interrupted(floor.live, floor.now, floor.rules)
        rebuilt = floor.rebuilt
        if rebuilt is None:
            assert not live.attempts
            return
        rebuilt = progress.interrupted(rebuilt, floor.now, floor.rules)
        assert [(a.number, a.ticket, a.order_id, a.sent_at) for a in rebuilt.attempts] == [
            (a.number, a.ticket, a.order_id, a.sent_at) for a in live.attempts
        ]
        for mine, theirs in zip(rebuilt.attempts, live.attempts, strict=True):
            assert mine.stage in _MAY_BE[theirs.stage]
            assert mine.order == (unheard(theirs.order) if theirs.order else None)


_MAY_BE = {stage: {stage} for stage in Stage} | {
    Stage.ABSENT: {Stage.ABSENT, Stage.UNKNOWN},
    Stage.PARKED: {Stage.UNKNOWN},
}


def _essence(copy: Copy, floor: TradingFloor) -> Copy:
    """The copy without what a restart may change."""
    attempts = tuple(
        _plain(attempt, is_newest=attempt in copy.newest, blurred=floor.blurred)
        for attempt in copy.attempts
    )
    return replace(copy, attempts=attempts)


def _plain(attempt: Attempt, is_newest: bool, blurred: bool) -> Attempt:
    """The attempt without what a restart may change.

    - When an order was heard: the monotonic clock may be another one. At equal broker's times
      whatever is heard afterwards counts as newer, which it is.
    - How often a book did not show it: it is counted again, so absence is proven later.
    - Until when a failed request rests, and when doubts began: they may begin later.
    - Terms of an attempt that is not the newest: such an order is only ever cancelled. Whether
      its rejected order came with a refusal: it is over either way.
    """
    read = attempt.stage is Stage.REFUSED or attempt.declined is not None
    plain = replace(
        attempt,
        order=unheard(attempt.order) if attempt.order else None,
        absences=0,
        retry_at=None,
        doubted_at=None,
        verify_at=None,
        refusal=attempt.refusal if read else None,
    )
    if not is_newest:
        plain = replace(plain, terms=None)
        if plain.order is not None and plain.order.status is Status.REJECTED:
            plain = replace(plain, stage=Stage.LIVE, refusal=None)
    if blurred:
        plain = replace(plain, reference=None, chased_from=None)
    return plain


def _next(copy: Copy, floor: TradingFloor, now: datetime) -> Step:
    market, account = Market(floor.open), Account(floor.mood)
    return plan(floor.leader, copy, floor.rules, market, floor.instrument, account, now)


TestReported = _Reported.TestCase
TestReported.settings = settings(deadline=None, max_examples=50, stateful_step_count=40)
TestSliced = _Sliced.TestCase
TestSliced.settings = settings(deadline=None, max_examples=15, stateful_step_count=40)
TestUnreported = _Unreported.TestCase
TestUnreported.settings = settings(deadline=None, max_examples=30, stateful_step_count=40)


def test_a_verdict_is_kept_though_readers_are_shown_a_rejection(tmp_path: Path) -> None:
    floor = TradingFloor(tmp_path / "copy_trading.db")
    floor.leader_has(terms=Terms(20, OrderType.LIMIT, 10_000))
    (intent,) = floor.in_flight
    floor.carried_out(intent)
    floor.becomes("9000", status=Status.REJECTED, reason="no")
    floor.hear(floor.orders["9000"])
    floor.answer(intent, Refusal(Refused.TOKEN, "no", "DH-906"))
    floor.mood = Mood.PAUSED
    floor.decide()
    assert floor.live.state is CopyState.REJECTED
    assert floor.live.skipped is Skipped.PAUSED
    floor.mood = Mood.ACTIVE
    floor.restart()
    assert floor.live.skipped is Skipped.PAUSED
    assert floor.in_flight == []
    floor.close()
