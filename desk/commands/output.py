"""What verbs print: one JSON document, or tables for people. Nothing else goes to stdout."""

import json
import sys
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

from desk import redact


def show_json(document: object) -> None:
    """Print the one document of a verb."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    sys.stdout.write(redact.scrub(text) + "\n")


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under their columns; None is an empty cell."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*("" if cell is None else redact.scrub(str(cell)) for cell in row))
    Console(highlight=False).print(table)


def show_line(text: str) -> None:
    """Print a line for people."""
    Console(highlight=False, soft_wrap=True, markup=False).print(redact.scrub(text))
