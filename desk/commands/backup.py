"""`backup` and `restore`: the ledger copied, also while an engine runs, and put back."""

from datetime import UTC, datetime
from pathlib import Path

from desk.commands.output import show_json, show_line
from desk.config import Config
from desk.usage import Misused
from ledger.backups import back_up, restore


def save(config: Config, to: Path, as_json: bool) -> int:
    """Copy the ledger to a new file. Raises Misused and ledger.opening.LedgerUnusable."""
    if to.exists():
        raise Misused(f"there is a file already: {to}; name another, for none is overwritten")
    path = config.engine.ledger
    back_up(path, to)
    size = to.stat().st_size
    if as_json:
        show_json({"ledger": str(path), "backup": str(to), "bytes": size})
    else:
        show_line(f"{path} is copied to {to} ({size} bytes), which was looked through")
    return 0


def put_back(config: Config, backup: Path, as_json: bool) -> int:
    """Put a backup in the ledger's place, while no engine runs. Raises Misused and
    ledger.opening.LedgerUnusable."""
    if not backup.is_file():
        raise Misused(f"there is no such file: {backup}")
    path = config.engine.ledger
    kept = restore(path, backup, datetime.now(UTC))
    if as_json:
        show_json({"ledger": str(path), "backup": str(backup), "kept": kept and str(kept)})
        return 0
    show_line(f"{path} is what {backup} was")
    if kept is not None:
        show_line(f"What it was until now is in {kept}")
    show_line("What was sent since that backup is not in it: compare with python run.py drift")
    return 0
