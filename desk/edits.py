"""Changes of lockstep.toml by the program, which keep every comment and the layout.

A change touches the lines of one follower and nothing else. What comes out is checked to say
exactly what was meant, validated as a configuration, and only then put in the file's place, at
one stroke.
"""

import os
import re
import shutil
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT

from desk.config import parse, read
from desk.swap import swap
from desk.usage import Misused

_HEADER = re.compile(r"\s*\[\[\s*followers\s*\]\]\s*(#.*)?")
_SUBTABLE = re.compile(r"\s*\[{1,2}\s*followers\s*\.")
_TABLE = re.compile(r"\s*\[")

_Follower = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class _Block:
    """The lines of one follower: `start` is its header's, `end` the one behind its last key."""

    start: int
    end: int


class _Page:
    """The file as it stands: its lines, what they say, and where each follower is."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.content = read(path)
        parse(path, self.content)
        text = self.content.decode("utf-8")
        self._newline = "\r\n" if "\r\n" in text else "\n"
        self.lines = text.replace("\r\n", "\n").split("\n")
        self.document: dict[str, object] = tomllib.loads(text, parse_float=Decimal)
        followers = self.document.get("followers", [])
        self.followers: list[_Follower] = followers if isinstance(followers, list) else []
        self.blocks = _blocks(self.lines)
        if len(self.blocks) != len(self.followers):
            raise self.beyond_us()

    def index(self, name: str) -> int:
        """Which follower has the name. Raises Misused."""
        names = [str(follower.get("name")) for follower in self.followers]
        if name in names:
            return names.index(name)
        near = get_close_matches(name, names, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise Misused(f"{name} is no follower{hint} (followers: {', '.join(names) or 'none'})")

    def replace(self, lines: Sequence[str], followers: Sequence[_Follower]) -> None:
        """Put these lines in the file's place, if they say what was there with these followers
        instead, and are a configuration. Raises Misused or ConfigError."""
        content = self._newline.join("\n".join(lines).split("\n")).encode("utf-8")
        meant = {key: value for key, value in self.document.items() if key != "followers"}
        if followers:
            meant["followers"] = list(followers)
        parse(self.path, content)
        if tomllib.loads(content.decode("utf-8"), parse_float=Decimal) != meant:
            raise self.beyond_us()
        if read(self.path) != self.content:
            raise Misused(f"{self.path} was changed by somebody else meanwhile; try again")
        path = self.path.resolve()
        swap(path, content, lambda temporary: _keep_owner(path, temporary))

    def beyond_us(self) -> Misused:
        """The refusal of a layout that these edits do not understand."""
        return Misused(
            f"{self.path} has followers that are not plain [[followers]] tables; edit it by hand"
        )


def add(path: Path, follower: _Follower) -> None:
    """Add a follower, given as the keys of its table, behind the others.

    Raises Misused, or ConfigError for what is no configuration; changes nothing then.
    """
    page = _Page(path)
    table = tomlkit.table()
    for key, value in follower.items():
        table.add(key, _inline(value) if isinstance(value, Mapping) else value)
    written = ["[[followers]]", *table.as_string().splitlines()]
    meant = tomllib.loads(table.as_string(), parse_float=Decimal)
    lines = page.lines
    at = page.blocks[-1].end if page.blocks else len(lines)
    while at and not lines[at - 1].strip():
        at -= 1
    behind = lines[at:] or [""]
    page.replace([*lines[:at], "", *written, *behind], [*page.followers, meant])


def pause(path: Path, name: str, paused: bool) -> bool:
    """Pause or resume a follower; False when it is so already.

    Raises Misused, or ConfigError for what is no configuration; changes nothing then.
    """
    page = _Page(path)
    index = page.index(name)
    follower, block = page.followers[index], page.blocks[index]
    if follower.get("paused", False) is paused:
        return False
    try:
        small = tomlkit.parse("\n".join(page.lines[block.start : block.end]))
    except TOMLKitError:
        raise page.beyond_us() from None
    tables = small["followers"]
    if not isinstance(tables, AoT):
        raise page.beyond_us()
    tables[0]["paused"] = paused
    edited = small.as_string().removesuffix("\n").split("\n")
    followers = [*page.followers]
    followers[index] = {**follower, "paused": paused}
    page.replace([*page.lines[: block.start], *edited, *page.lines[block.end :]], followers)
    return True


def remove(path: Path, name: str) -> None:
    """Remove a follower; comments around it stay.

    Raises Misused, or ConfigError for what is no configuration; changes nothing then.
    """
    page = _Page(path)
    index = page.index(name)
    start, end = page.blocks[index].start, page.blocks[index].end
    lines = page.lines
    if start and not lines[start - 1].strip() and end < len(lines) and not lines[end].strip():
        end += 1
    followers = [*page.followers[:index], *page.followers[index + 1 :]]
    page.replace([*lines[:start], *lines[end:]], followers)


def _inline(value: Mapping[str, object]) -> tomlkit.items.InlineTable:
    table = tomlkit.inline_table()
    for key, within in value.items():
        table.append(key, within)
    return table


def _blocks(lines: Sequence[str]) -> list[_Block]:
    """Where each follower stands: from its header to its last line with a key."""
    blocks: list[_Block] = []
    within = False
    for number, text in enumerate(lines):
        if _HEADER.fullmatch(text):
            blocks.append(_Block(number, number + 1))
            within = True
        elif _TABLE.match(text) and not _SUBTABLE.match(text):
            within = False
        elif within and text.strip() and not text.lstrip().startswith("#"):
            blocks[-1] = _Block(blocks[-1].start, number + 1)
    return blocks


def _keep_owner(path: Path, temporary: str) -> None:
    """Leave the file to its owner when somebody else (root) edits it, and its mode as it is."""
    shutil.copymode(path, temporary)
    found = path.stat()
    if os.name == "posix" and (found.st_uid, found.st_gid) != (os.geteuid(), os.getegid()):
        os.chown(temporary, found.st_uid, found.st_gid)
