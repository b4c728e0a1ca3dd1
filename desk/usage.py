"""What may stand on the command line."""

from argparse import SUPPRESS, ArgumentParser, Namespace, _SubParsersAction
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from desk import redact

_DESCRIPTION = """\
Copies every order of one Dhan account into others. Without a verb it runs: live on the accounts
of lockstep.toml, or, where there is none, a paper day on an embedded broker.
"""

_LONGEST_PACE = 60


class Misused(Exception):
    """What the command line asks for makes no sense; says what would."""


class _Parser(ArgumentParser):
    """Repeats no value in its errors: any may be a secret that should not have stood there."""

    def parse_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Namespace | None = None
    ) -> Namespace:
        known, others = self.parse_known_args(args, namespace)
        if others:
            names = [word.partition("=")[0] for word in others if word.startswith("--")]
            self.error(f"not known here: {', '.join(names) or 'an argument too many'}")
        return known

    def error(self, message: str) -> NoReturn:
        super().error(redact.scrub(message))


def parser() -> ArgumentParser:
    """The parser of the whole command line."""
    top = _Parser(prog="run.py", description=_DESCRIPTION, allow_abbrev=False)
    top.add_argument("--config", type=Path, metavar="PATH", help="instead of ./lockstep.toml")
    top.add_argument("--once", action="store_true", help="end when the paper day is done")
    top.add_argument(
        "--pace", type=_seconds, default=1.0, metavar="SECONDS", help="of the paper day (1.0)"
    )
    top.add_argument(
        "--json", type=Path, dest="json_path", metavar="PATH", help="write what happened there"
    )
    verbs = top.add_subparsers(dest="verb", metavar="VERB", parser_class=_Parser)
    _lists(_verb(verbs, "check", "validate everything without trading"))
    clock = _verb(verbs, "clock", "the session of every segment")
    clock.add_argument("--at", metavar="INSTANT", help="instead of now: 2026-11-25T09:15:00+05:30")
    _lists(clock)
    copies = _verb(verbs, "copies", "what became of the leader's orders in each account")
    copies.add_argument("--follower", metavar="NAME", help="of this one only")
    copies.add_argument("--order", metavar="ID", help="of this leader order only")
    copies.add_argument("--missed", action="store_true", help="entries that came too late")
    _lists(copies)
    _resolve(copies)
    audit = _verb(verbs, "audit", "every request to Dhan, and what came of it")
    audit.add_argument("--follower", metavar="NAME", help="of this one only, or of leader")
    audit.add_argument("--since", metavar="TIME", help="instead of today: 10:00, or 2026-11-25")
    audit.add_argument("--until", metavar="TIME", help="and what came later is left out")
    _lists(audit)
    explain = _verb(verbs, "explain", "why the copies of a leader order are what they are")
    explain.add_argument("order", metavar="LEADER_ORDER", help="the leader's order id")
    explain.add_argument("name", metavar="FOLLOWER", nargs="?", help="the copy of this one only")
    _lists(explain)
    drift = _verb(verbs, "drift", "where accounts differ from what their copies imply")
    drift.add_argument("--follower", metavar="NAME", help="this one only")
    drift.add_argument("--repair", action="store_true", help="propose requests; none is sent")
    _lists(drift)
    login = _verb(verbs, "login", "give an account another access token")
    login.add_argument("name", metavar="NAME", help="of a follower, or leader")
    ways = login.add_mutually_exclusive_group()
    ways.add_argument(
        "--oauth", action="store_true", help="by your consent in a browser, with its API key"
    )
    ways.add_argument("--paste", action="store_true", help="although Dhan could be asked for one")
    _followers(_verb(verbs, "followers", "the roster, also while it runs"))
    instruments = _verb(verbs, "instruments", "the instrument master: its state, and rows of it")
    instruments.add_argument(
        "words", nargs="*", metavar="SYMBOL-OR-ID", help="show what has this id or symbol"
    )
    instruments.add_argument("--refresh", action="store_true", help="load it again now")
    _lists(instruments)
    replay = _verb(verbs, "replay", "follow a recorded day again")
    replay.add_argument("day", metavar="DAY", help="today, yesterday, or a date: 2026-11-25")
    replay.add_argument("--follower", metavar="NAME", help="this one only")
    replay.add_argument(
        "--with", type=Path, dest="others", metavar="PATH", help="by the rules of that file"
    )
    _lists(replay)
    importing = _verb(verbs, "import-env", "write the lockstep.toml that older variables mean")
    _lists(importing)
    backup = _verb(verbs, "backup", "copy the ledger, also while it runs")
    backup.add_argument("to", type=Path, metavar="PATH", help="a new file")
    _lists(backup)
    restore = _verb(verbs, "restore", "put a backup in the place of the ledger")
    restore.add_argument("backup", type=Path, metavar="PATH", help="a backup of it")
    _lists(restore)
    verbs.add_parser("simulator", help="a broker to play with (see: simulator --help)")
    return top


def _resolve(copies: ArgumentParser) -> None:
    verbs = copies.add_subparsers(dest="copies_verb", metavar="VERB", parser_class=_Parser)
    words = "settle a parked copy, whose outcome could not be found out"
    resolve = _verb(verbs, "resolve", words)
    resolve.add_argument("leader_order", metavar="ORDER", help="the leader's order id")
    resolve.add_argument("name", metavar="FOLLOWER", help="whose copy it is")
    resolve.add_argument(
        "verdict", choices=("placed", "absent"), help="whether the account has an order of it"
    )
    resolve.add_argument("--order-id", metavar="ID", help="of that order, at the broker")
    _lists(resolve)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds <= _LONGEST_PACE:
        raise ValueError
    return seconds


def _followers(roster: ArgumentParser) -> None:
    verbs = roster.add_subparsers(
        dest="roster_verb", metavar="VERB", required=True, parser_class=_Parser
    )
    _lists(_verb(verbs, "list", "every follower and its mood"))
    add = _verb(verbs, "add", "write a new follower into the file")
    add.add_argument("name", metavar="NAME", help="of a-z, 0-9, _ and -")
    add.add_argument("--client-id", required=True, metavar="ID", help="its Dhan client id")
    add.add_argument(
        "--token",
        required=True,
        metavar="SOURCE",
        help="env:NAME, file:PATH (relative to the file), or login; never the token itself",
    )
    add.add_argument("--multiplier", default="1", metavar="N", help="its size: 0.5 is half")
    add.add_argument("--when-closed", choices=("hold", "amo", "skip"), help="in a closed market")
    add.add_argument("--source-ip", metavar="IP", help="this host's address to send from")
    add.add_argument("--paused", action="store_true", help="do not copy new orders yet")
    for verb, words in (
        ("pause", "take no new orders"),
        ("resume", "take new orders again"),
        ("remove", "leave it alone; its open orders stay"),
    ):
        _verb(verbs, verb, words).add_argument("name", metavar="NAME")
    for verb, words in (
        ("halt", "take no entries until it is released; exits go on"),
        ("flatten", "halt, cancel all that is open and leave what the copies hold"),
        ("kill", "flatten, then set Dhan's kill switch"),
        ("release", "copy again after a halt"),
    ):
        halt = _verb(verbs, verb, words)
        halt.add_argument("name", nargs="?", metavar="NAME")
        halt.add_argument("--all", action="store_true", dest="everybody", help="every follower")
        halt.add_argument("--yes", action="store_true", help="do not ask")
        _lists(halt)


def _verb(verbs: "_SubParsersAction[_Parser]", name: str, words: str) -> ArgumentParser:
    verb = verbs.add_parser(name, help=words, description=words, allow_abbrev=False)
    verb.add_argument("--config", type=Path, metavar="PATH", default=SUPPRESS, help=SUPPRESS)
    return verb


def _lists(verb: ArgumentParser) -> None:
    verb.add_argument("--json", action="store_true", dest="as_json", help="one JSON document")
