"""`check`: everything that trading needs, validated without trading."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from rich.console import Console
from rich.text import Text

from desk import calendar, probes
from desk.asking import asking
from desk.commands.output import show_json
from desk.config import Config, ConfigError
from desk.egress import seen_together
from desk.findings import line
from domain.messages import Alert, Level

_AT_ONCE = 16
_STOP_SECONDS = 1.0
_STYLES = {Level.NOTE: "dim", Level.WARNING: "yellow", Level.ERROR: "bold red"}
_RANK = (Level.ERROR, Level.WARNING, Level.NOTE)


def run(config: Config | ConfigError, as_json: bool) -> int:
    """Print what was found: 0 without errors, 1 with, 2 where the file itself is wrong."""
    bad_file = isinstance(config, ConfigError)
    found = list(config.findings if isinstance(config, ConfigError) else _findings(config))
    found.sort(key=lambda finding: _RANK.index(finding.level))
    ok = not any(finding.level is Level.ERROR for finding in found)
    if as_json:
        show_json({"ok": ok, "findings": [_document(finding) for finding in found]})
    else:
        _print(found, ok)
    return 2 if bad_file else 0 if ok else 1


def _findings(config: Config) -> Iterator[Alert]:
    """What all probes find, each thing once."""
    yield from config.warnings
    yield from probes.vault_closed(config)
    yield from probes.roster(config)
    yield from probes.ledger(config)
    yield from calendar.findings(config)
    detected: dict[str, str] = {}
    with asking(config, _STOP_SECONDS) as wire:
        looks = [
            partial(probes.hosts, config),
            partial(probes.master, config),
            *(partial(probes.account, wire, one, detected) for one in probes.accounts(config)),
        ]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = [finding for told in pool.map(_all_of, looks) for finding in told]
    yield from dict.fromkeys([*found, *seen_together(config, detected)])


def _all_of(look: Callable[[], Iterable[Alert]]) -> list[Alert]:
    return list(look())


def _document(finding: Alert) -> dict[str, str]:
    return {
        "level": finding.level.value,
        "what": finding.what,
        "where": finding.where,
        "fix": finding.fix,
    }


def _print(found: Iterable[Alert], ok: bool) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for finding in found:
        level = Text(f"{finding.level.value:<8}", _STYLES[finding.level])
        console.print(Text.assemble(level, line(finding)))
    console.print(Text("Ready to trade", "bold green") if ok else Text("Not ready", "bold red"))
