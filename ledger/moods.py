"""The mood that a follower was last in, for readers: a setting by the follower's name."""

import json

from domain.messages import MoodChanged
from domain.rules import Mood
from ledger.entries import Setting
from ledger.reader import Reader


def mood_entry(mood: MoodChanged) -> Setting:
    """What keeps a mood."""
    return Setting(_key(mood.follower), json.dumps([mood.mood.value, mood.reason]))


def last_mood(reader: Reader, follower: str) -> MoodChanged | None:
    """The mood that was kept last, None for none. Raises `LedgerUnusable`."""
    kept = reader.setting(_key(follower))
    if kept is None:
        return None
    mood, reason = json.loads(kept)
    return MoodChanged(follower, Mood(mood), reason)


def _key(follower: str) -> str:
    return f"mood of {follower}"
