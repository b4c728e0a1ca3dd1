"""What is wrong with a configuration file: what, where, and how to put it right.

A finding names keys and what is allowed, never a value: any value may be a secret that slipped
into the wrong place.
"""

import json
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import get_args

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from desk import redact
from desk.schema import Lockstep, Table
from domain.messages import Alert, Level

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_QUOTED = re.compile(r"'([^']+)'")
_LONGEST_KEY = 40
_WAYS_OUT = ("source_ip", "proxy")
FAMILY = 'the same family = "NAME" in both, where Dhan has agreed to that'
_WORDS = {
    "missing": "is missing",
    "string_type": "is not text in quotes",
    "bool_type": "is neither true nor false",
    "int_type": "is not a whole number",
    "is_instance_of": "is not a number",
    "finite_number": "is not a number",
    "model_type": "is not a table",
    "list_type": "is not a list of tables in double brackets",
    "string_too_short": "is empty",
}

Loc = tuple[str | int, ...]


class ConfigError(Exception):
    """The file cannot be used. `findings` are all of its problems."""

    def __init__(self, path: Path, findings: tuple[Alert, ...]) -> None:
        self.path, self.findings = path, findings
        lines = [f"{path} cannot be used:", *(f"  {line(finding)}" for finding in findings)]
        super().__init__("\n".join(lines))


def line(finding: Alert) -> str:
    """A finding on one line."""
    fix = f" ({finding.fix})" if finding.fix else ""
    return f"{finding.where}: {finding.what}{fix}"


def error(what: str, where: str, fix: str) -> Alert:
    """Something that keeps the file from being used."""
    return _finding(Level.ERROR, what, where, fix)


def warning(what: str, where: str, fix: str) -> Alert:
    """Something that the operator should know."""
    return _finding(Level.WARNING, what, where, fix)


def note(what: str, where: str, fix: str) -> Alert:
    """Something good to know."""
    return _finding(Level.NOTE, what, where, fix)


def dotted(loc: Loc) -> str:
    """A place in the file: `followers[1].sizing.multiplier`."""
    text = ""
    for part in loc:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f"{'.' if text else ''}{_key(part)}"
    return text


def misshapen(wrong: ValidationError) -> tuple[Alert, ...]:
    """What keys and values are not as the file's tables have them."""
    errors = wrong.errors(include_url=False)
    meant = {
        loc
        for found in errors
        if found["type"] == "extra_forbidden"
        for loc in _meant(found["loc"])
    }
    return tuple(
        _misfit(found)
        for found in errors
        if found["type"] != "missing" or found["loc"] not in meant
    )


def _meant(loc: Loc) -> Iterator[Loc]:
    """The places that an unknown key stands for, which are not called missing besides."""
    table, near = _table(loc[:-1]), _nearest(loc)
    if table is not None and loc[-1] in table.later:
        yield from ((*loc[:-1], name) for name in table.model_fields)
    elif len(near) == 1:
        yield (*loc[:-1], near[0])


def _misfit(found: ErrorDetails) -> Alert:
    loc, kind = found["loc"], found["type"]
    where = dotted(loc)
    if kind == "extra_forbidden":
        return _unknown_key(loc, where)
    what = _WORDS.get(kind, "is not allowed")
    if kind == "value_error":
        what = str(found["ctx"]["error"])
    field = _field(loc)
    words = field.description if field and field.description else ""
    hint = _nearest_choice(found) if kind == "literal_error" else ""
    return error(what, where, f"{hint}allowed: {words}" if words else "see the documentation")


def _unknown_key(loc: Loc, where: str) -> Alert:
    table = _table(loc[:-1])
    allowed = ", ".join(table.model_fields) if table else "none"
    if table is not None and loc[-1] in table.later:
        return error("comes with a later release", where, f"allowed now: {allowed}")
    near = _nearest(loc)
    hint = f"did you mean {'.'.join(near)}? " if near else ""
    return error("is not a known key", where, f"{hint}allowed here: {allowed}")


def _nearest_choice(found: ErrorDetails) -> str:
    """The choice that was probably meant, which shows nothing of what was written."""
    choices = _QUOTED.findall(found["ctx"]["expected"])
    near = get_close_matches(str(found["input"]), choices, n=1, cutoff=0.5)
    return f'did you mean "{near[0]}"? ' if near else ""


def _nearest(loc: Loc) -> tuple[str, ...]:
    """The right key that an unknown one is most like: of its own table, or else of the tables
    in it and of the whole file; empty if none is."""
    key, table = str(loc[-1]).lower(), _table(loc[:-1])
    if table is None:
        return ()
    own = {name.lower(): (name,) for name in table.model_fields}
    elsewhere = {path[-1].lower(): path for top in (Lockstep, table) for path in _keys(top)}
    for known in (own, elsewhere):
        near = get_close_matches(key, known, n=1, cutoff=0.7)
        if near:
            return known[near[0]]
    return ()


def _keys(table: type[Table]) -> Iterator[tuple[str, ...]]:
    """Every key in the table and in the tables in it, innermost first."""
    for name, field in table.model_fields.items():
        nested = _nested(field.annotation)
        if nested is not None:
            shown = f"{name}[]" if get_args(field.annotation) else name
            yield from ((shown, *path) for path in _keys(nested))
        yield (name,)


def _field(loc: Loc) -> FieldInfo | None:
    """What the schema says of a place in the file."""
    table = _table(loc[:-1])
    if isinstance(loc[-1], int):
        return _field(loc[:-1])
    return table.model_fields.get(loc[-1]) if table else None


def _table(loc: Loc) -> type[Table] | None:
    """The table at a place in the file."""
    table: type[Table] | None = Lockstep
    for part in loc:
        if isinstance(part, str) and table is not None:
            field = table.model_fields.get(part)
            table = _nested(field.annotation) if field else None
    return table


def _nested(annotation: object) -> type[Table] | None:
    """The table that a field holds, by itself or in a list."""
    parts = get_args(annotation)
    if parts:
        return next((found for part in parts if (found := _nested(part))), None)
    if isinstance(annotation, type) and issubclass(annotation, Table):
        return annotation
    return None


def _key(name: str) -> str:
    short = name if len(name) <= _LONGEST_KEY else f"{name[:_LONGEST_KEY]}..."
    return short if _BARE.fullmatch(name) else json.dumps(short)


def _finding(level: Level, what: str, where: str, fix: str) -> Alert:
    return Alert(level, *(redact.scrub(text) for text in (what, where, fix)))


def doubles(document: Mapping[str, object]) -> Iterator[Alert]:
    """Followers that cannot be told from one another, or from the leader."""
    leader = document.get("leader")
    seen: dict[tuple[str, object], tuple[str, object]] = {}
    if isinstance(leader, Mapping) and isinstance(leader.get("client_id"), str):
        seen["client_id", leader["client_id"]] = "leader.client_id", None
    followers = document.get("followers")
    for index, follower in enumerate(followers if isinstance(followers, list) else ()):
        for key in ("name", "client_id", *_WAYS_OUT):
            value = follower.get(key) if isinstance(follower, Mapping) else None
            if not isinstance(value, str):
                continue
            if key == "proxy":
                value = f"{follower.get('proxy_user', '')}@{value}"
            where, family = dotted(("followers", index, key)), follower.get("family")
            first, others = seen.setdefault((key, value), (where, family))
            if first is where or (key in _WAYS_OUT and family is not None and family == others):
                continue
            fix = f", or {FAMILY}" if key in _WAYS_OUT else ""
            yield error(f"is the same as {first}", where, f"every account needs its own{fix}")
