"""Followers named on the command line."""

from collections.abc import Sequence
from difflib import get_close_matches

from desk.usage import Misused


def refuse_stranger(follower: str | None, names: Sequence[str]) -> None:
    """Raise Misused for a name that is none of these; None names nobody in particular."""
    if follower is None or follower in names:
        return
    near = get_close_matches(follower, names, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise Misused(f"no follower has that name{hint} (followers: {', '.join(names) or 'none'})")
