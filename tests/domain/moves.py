"""Everything that can happen to a `World`, by name and weight."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from domain.attempts import Stage
from domain.instructions import Instruction, Verdict
from domain.orders import OrderType, Status, Terms, Validity
from domain.rules import Mood
from tests.domain.builders import LOT
from tests.domain.fates import Fate
from tests.domain.world import World

_PRICES = (9_900, 10_000, 10_050, 10_200)
_FATES = tuple(Fate)
_ENDS = (Status.CANCELLED, Status.EXPIRED, Status.REJECTED)


def changed(asked: Terms, which: int) -> Terms:
    """Other terms that a leader may give an order, by number."""
    what, which = which % 7, which // 7
    if what in (0, 1, 2):
        return replace(asked, quantity=LOT * (1 + which % 8))
    if what in (3, 4) and asked.order_type.has_price:
        return replace(asked, price=_PRICES[which % 4])
    if what == 5 and which % 3 == 0:
        return replace(asked, validity=Validity.IOC)
    kind = tuple(OrderType)[which % 4]
    return Terms(
        asked.quantity,
        kind,
        price=_PRICES[which % 4] if kind.has_price else 0,
        trigger=9_950 + 5 * (which % 3) if kind.has_trigger else 0,
        validity=asked.validity,
    )


def _pause(world: World, which: int) -> None:
    world.mood = Mood.PAUSED if which % 3 == 0 else Mood.ACTIVE
    world.consider()


def _hurry(world: World, which: int) -> None:
    """A request goes through as it should."""
    world.line_acts(Fate.CARRIED_OUT)
    world.answer(0)


def _doubt(world: World, which: int) -> None:
    """A request is long on its way, its answer gets lost, and books are late to show it."""
    world.tick(1000 * (which % 6))
    world.line_acts(Fate.UNKNOWN_ACTED if which % 3 else Fate.UNKNOWN_IDLE, hidden=9)
    world.answer(-1)


def _park(world: World, which: int) -> None:
    """A request gets lost, and nobody looks for its order before it is given up."""
    world.line_acts(Fate.UNKNOWN_ACTED if which % 2 else Fate.UNKNOWN_IDLE)
    world.answer(-1)
    world.tick(1000)
    world.tick(130_000)


def _settle(world: World, which: int) -> None:
    """The operator says what is so: that there is no order, or which one was placed by hand
    instead. A book is read before that is believed."""
    world.ask_book()
    world.read_book(-1)
    copy = world.copy
    attempt = copy.current if copy else None
    if attempt is None or attempt.stage is not Stage.PARKED:
        return
    verdict, order_id, ticket = Verdict.ABSENT, "", attempt.ticket
    if which % 3:
        by_hand = world.account.place(ticket.instrument, ticket.side, ticket.product, ticket.terms)
        verdict, order_id = Verdict.PLACED, by_hand.order_id
    rows = {row.order_id: row for row in world.account.book(world.ns())}
    told = Instruction("1", world.leader.order_id, "asha", attempt.number, verdict, order_id)
    world.instruct(told, rows.get(order_id))


def _look(world: World, _: int) -> None:
    """A book is read, a few seconds after the last."""
    world.tick(2500)
    world.ask_book()
    world.read_book(-1)


def _scramble(world: World, which: int) -> None:
    """Two changes within one second, told in the wrong order."""
    world.leader_modifies(changed(world.leader.terms, which))
    world.leader_modifies(changed(world.leader.terms, which // 7))
    world.leader_fills(which % 3)
    while world.leaders.events:
        world.feed(-1, keep=False)


MOVES: dict[str, tuple[int, Callable[[World, int], None]]] = {
    "the leader's order reaches the market": (2, lambda w, n: w.leader_confirms()),
    "the leader's order trades": (2, lambda w, n: w.leader_fills(1 + n % 3)),
    "the leader modifies": (4, lambda w, n: w.leader_modifies(changed(w.leader.terms, n))),
    "the leader's order ends": (1, lambda w, n: w.leader_ends(_ENDS[n % 3])),
    "the feed tells": (2, lambda w, n: w.feed(n // 2, keep=n % 2 == 0)),
    "the feed tells in order": (4, lambda w, n: w.feed(0, keep=False)),
    "the feed tells in an unknown word": (1, lambda w, n: w.feed(n, keep=False, garbled=True)),
    "the feed loses": (1, lambda w, n: w.lose(n)),
    "the leader's book is read": (1, lambda w, n: w.sweep()),
    "a request arrives": (4, lambda w, n: w.line_acts(_FATES[n % 10], hidden=(n // 10) % 9)),
    "a request is carried out": (4, _hurry),
    "an answer comes": (4, lambda w, n: w.answer(n)),
    "the exchange works": (4, lambda w, n: w.account_settles(n)),
    "the copy trades": (3, lambda w, n: w.account_fills(n // 3, 1 + n % 3)),
    "the copy is ended": (1, lambda w, n: w.account_ends(n // 8, _ENDS[1 + (n % 8 < 4)])),
    "the account's feed tells": (2, lambda w, n: w.hear(n // 2, keep=n % 2 == 0)),
    "the account's feed tells in order": (4, lambda w, n: w.hear(0, keep=False)),
    "the account's feed loses": (1, lambda w, n: w.miss(n)),
    "a book is asked for": (2, lambda w, n: w.ask_book()),
    "a book comes": (2, lambda w, n: w.read_book(n)),
    "an answer gets lost": (3, _doubt),
    "the account is looked at": (4, _look),
    "changes come in the wrong order": (2, _scramble),
    "moments pass": (4, lambda w, n: w.tick(50 + 100 * (n % 10))),
    "seconds pass": (2, lambda w, n: w.tick(1000 + 1000 * (n % 6))),
    "the price moves": (1, lambda w, n: w.price(9_000 + 5 * (n % 400))),
    "the market opens or closes": (1, lambda w, n: w.market(n % 4 != 0)),
    "the owner pauses or resumes": (1, _pause),
    "a request is lost and given up": (1, _park),
    "the operator settles": (1, _settle),
    "the ledger fails": (1, lambda w, n: w.unrecorded()),
    "the process starts again": (1, lambda w, n: w.restart()),
}
CHOICES = tuple(name for name, (weight, _) in MOVES.items() for _ in range(weight))


def play(world: World, moves: Sequence[tuple[str, int]]) -> None:
    """Let things happen: what, by its name, and to which, by a number."""
    for name, which in moves:
        MOVES[name][1](world, which)


def begin(world: World) -> None:
    """The leader's order and its copy both stand in the market."""
    world.leader_confirms()
    world.feed(1, keep=False)
    _hurry(world, 0)
    world.account_settles(0)
    world.hear(0, keep=False)
