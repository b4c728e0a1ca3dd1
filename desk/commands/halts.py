"""`followers halt|flatten|kill|release`: the operator's word on followers, for the engine to obey.

Only the engine acts and writes. So the word is left for it, after it was said what would happen
and confirmed; a running one takes it within a second or two, else the next start does.
"""

import getpass
import logging
import os
import sys
import time
from argparse import Namespace
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from actors.settings import FollowerSettings
from desk.commands.names import refuse_stranger
from desk.commands.output import show_json
from desk.config import Config
from desk.usage import Misused
from domain.copybook import CopyBook
from domain.halts import HaltAsked, Word
from domain.leaving import may_trade
from domain.messages import OrderSeen
from ledger.halts import Kept, halt
from ledger.instructions import ask_halt
from ledger.memory import Memory
from ledger.opening import LedgerUnusable, present
from ledger.reader import Reader

logger = logging.getLogger(__name__)

_PATIENCE_SECONDS = 10.0
_PAUSE_SECONDS = 0.1
_CONFIRMATIONS = frozenset({"y", "yes"})


@dataclass(frozen=True, slots=True)
class _Outlook:
    """What a follower has by the ledger: its open copies and its positions, in plain words."""

    follower: str
    open_copies: tuple[str, ...]
    positions: tuple[str, ...]


def run(config: Config, wanted: Namespace) -> int:
    """Say what would happen, have it confirmed, leave the word, and show what came of it: 0 done or
    under way, 1 not confirmed. Raises Misused and ledger.opening.LedgerUnusable."""
    followers, word = _named(config, wanted), Word(wanted.roster_verb)
    path = config.engine.ledger
    if not present(path) or not path.stat().st_size:
        raise LedgerUnusable(path, "there is no such ledger", "start Lockstep, which makes it")
    with Reader.open(path) as reader:
        outlooks = [_outlook(reader, one) for one in followers]
        engine = reader.running_pid()
    if not wanted.yes and not _confirmed(word, outlooks, engine is not None):
        logger.error("Not confirmed: nothing is done")
        return 1
    by, now = _user(), datetime.now(UTC)
    asked = [ask_halt(path, one.name, word, by, now) for one in followers]
    with Reader.open(path) as reader:
        kept = _outcomes(reader, asked)
    if wanted.as_json:
        show_json([_document(one, known) for one, known in zip(asked, kept, strict=True)])
    return 0


def _named(config: Config, wanted: Namespace) -> list[FollowerSettings]:
    if wanted.everybody == (wanted.name is not None):
        raise Misused(f"{wanted.roster_verb} wants the NAME of a follower, or --all")
    refuse_stranger(wanted.name, [settings.name for settings in config.followers])
    return [one for one in config.followers if wanted.everybody or one.name == wanted.name]


def _user() -> str:
    """Who asks, by the host's name for the user."""
    with suppress(OSError, KeyError):
        return getpass.getuser()
    return f"user {os.getuid()}" if hasattr(os, "getuid") else "unknown"


def _outlook(reader: Reader, settings: FollowerSettings) -> _Outlook:
    """The follower as the next start would find it."""
    now, book = datetime.now(UTC), CopyBook(settings.rules)
    kept = Memory(reader).restored(settings.name, now)
    book.restore(kept.copies, now, kept.orders, kept.built)
    for order in kept.orders:
        book.seen(OrderSeen(order, order.placed_at, 0))
    began = book.holdings.began(now)
    symbols = {order.instrument: order.symbol for order in book.known_orders() if order.symbol}
    opened = []
    for leader_id, copy in book.copies.items():
        if may_trade(copy, began):
            ticket = copy.attempts[-1].ticket
            named = symbols.get(ticket.instrument, ticket.instrument.security_id)
            rest = ticket.terms.quantity - copy.attempts[-1].filled
            opened.append(f"{ticket.side} {rest} {named} (order {leader_id}, {copy.state})")
    positions = tuple(
        f"{'SELL' if shares > 0 else 'BUY'} {abs(shares)} "
        f"{symbols.get(instrument, instrument.security_id)} {product}"
        for (instrument, product), shares in book.holdings.positions().items()
    )
    return _Outlook(settings.name, tuple(opened), positions)


def _confirmed(word: Word, outlooks: Sequence[_Outlook], runs: bool) -> bool:
    """Whether the operator says yes to what would happen. Raises Misused where nobody can."""
    for one in outlooks:
        for line in _plan(word, one):
            logger.warning("%s: %s", one.follower, line)
    if not runs:
        logger.warning("No engine runs: it would be done at the next start")
    if sys.stdin is None or not sys.stdin.isatty():
        raise Misused(f"nobody is there to confirm it: {word} wants --yes, then it does not ask")
    sys.stderr.write(f"{word} {', '.join(one.follower for one in outlooks)}? Say yes: ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in _CONFIRMATIONS


def _plan(word: Word, outlook: _Outlook) -> list[str]:
    if word is Word.RELEASE:
        return ["would copy new orders again; what was left out or left is not made up for"]
    if word is Word.HALT:
        opened, held = len(outlook.open_copies), len(outlook.positions)
        stays = f"{opened} open copies and {held} positions go on following the leader"
        return [f"would take no entries until it is released; {stays}"]
    lines = [f"would cancel {one}" for one in outlook.open_copies]
    lines += [f"would leave by {one} at a protected limit" for one in outlook.positions]
    lines = lines or ["has nothing open and holds nothing by the ledger"]
    if outlook.positions:
        lines.append(
            "goes by what its copies built: what was closed by hand meanwhile is closed once more"
        )
    if word is Word.KILL:
        lines.append("would set Dhan's kill switch then: no more orders of the account today")
    return lines


def _outcomes(reader: Reader, asked: Sequence[HaltAsked]) -> list[Kept | None]:
    """What the engine makes of the words, None for those that nobody has taken yet."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        kept = [halt(reader, one.key) for one in asked]
        runs = reader.running_pid() is not None
        done = all(one is not None and one.done for one in kept)
        if done or not runs or time.monotonic() > deadline:
            break
        time.sleep(_PAUSE_SECONDS)
    for one, known in zip(asked, kept, strict=True):
        _say(one, known, runs)
    return [one if one is not None and one.taken_at else None for one in kept]


def _say(asked: HaltAsked, kept: Kept | None, runs: bool) -> None:
    if kept is not None and kept.taken_at is not None:
        more = "" if kept.done else "; it goes on, see python run.py followers list"
        logger.info("%s: recorded; %s%s", asked.follower, kept.outcome, more)
    elif runs:
        logger.warning(
            "%s: recorded. The engine has not taken it yet: it does as soon as the follower runs",
            asked.follower,
        )
    else:
        logger.warning(
            "%s: recorded. No engine runs: it is taken at the next start", asked.follower
        )


def _document(asked: HaltAsked, kept: Kept | None) -> dict[str, object]:
    return {
        "key": asked.key,
        "follower": asked.follower,
        "word": asked.word.value,
        "by": asked.by,
        "asked_at": asked.at.isoformat(),
        "taken_at": kept.taken_at.isoformat() if kept and kept.taken_at else None,
        "outcome": kept.outcome if kept else "waiting",
        "done": kept.done if kept else False,
    }
