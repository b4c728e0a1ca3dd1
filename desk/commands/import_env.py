"""`import-env`: writes the lockstep.toml that the older program's environment variables mean."""

import logging
import os
from pathlib import Path

from desk.commands.output import show_json, show_line
from desk.config import ConfigError, parse
from desk.environment import LEADER, TOKENS, Said, said, toml
from desk.findings import error, line

logger = logging.getLogger(__name__)

_HEAD = "# Written by import-env from the environment variables of the older program.\n"


def run(path: Path, as_json: bool) -> int:
    """Write the file at `path`, and files for tokens that stand in `.env`, all for their owner
    only. Raises ConfigError, with nothing written."""
    told = said(Path(), os.environ)
    sources = {name: _source(name, told) for name in TOKENS}
    text, findings = toml(_beside(path, told), sources)
    config = parse(path, text.encode())
    files = {
        path.parent / source.removeprefix("file:"): told.values[name] + "\n"
        for name, source in sources.items()
        if source.startswith("file:")
    }
    _write_all(files | {path: _HEAD + text})
    for finding in (*findings, *config.warnings):
        logger.warning("%s", line(finding))
    written = [str(file) for file in (path, *files)]
    if as_json:
        show_json({"written": written, "ledger": str(config.engine.ledger)})
    else:
        for file in written:
            show_line(f"{file} is written, readable by you alone")
        show_line("Look through it, then: python run.py check")
    return 0


def _source(name: str, told: Said) -> str:
    """Where a token is from now on: a file of its own if it stands in `.env`."""
    if name not in told.filed:
        return f"env:{name}"
    return f"file:{'leader' if name == LEADER else 'follower'}.token"


def _beside(path: Path, told: Said) -> Said:
    """The same, for a file elsewhere: relative paths in it are relative to it."""
    database = told.values.get("SQLITE_PATH", "copy_trading.db")
    if path.absolute().parent == Path().absolute() or Path(database).is_absolute():
        return told
    return Said({**told.values, "SQLITE_PATH": str(Path(database).absolute())}, told.filed)


def _write_all(files: dict[Path, str]) -> None:
    """Write new files, all of them or none. Raises ConfigError."""
    done: list[Path] = []
    try:
        for file, text in files.items():
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            done.append(file)
            with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
                opened.write(text)
                opened.flush()
                os.fsync(descriptor)
    except OSError as trouble:
        for file in done:
            file.unlink(missing_ok=True)
        there = isinstance(trouble, FileExistsError)
        what = "is there already" if there else f"cannot be written ({trouble.strerror})"
        fix = "move it away, or name another with --config" if there else "see to its folder"
        raise ConfigError(file, (error(what, str(file), fix),)) from None
