"""What the command line says of a run."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    """`once` ends the paper day's run when the day is done; `json_path` is where a document of
    what happened is written at the end; `pace` is the pause (seconds) after each thing that
    happens in the paper day."""

    once: bool = False
    pace: float = 1.0
    json_path: Path | None = None
