"""Somebody who listens to a feed and notes all of it."""


class Heard:
    """What a feed told, in the order in which it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str | bytes]] = []

    def frame(self, frame: str | bytes, heard: int) -> None:
        self.told.append(("frame", frame))

    def live(self) -> None:
        self.told.append(("live", ""))

    def lost(self, why: str) -> None:
        self.told.append(("lost", why))

    def refused(self, why: str) -> None:
        self.told.append(("refused", why))

    def count(self, what: str) -> int:
        """How often that was told."""
        return sum(told == what for told, _ in self.told)

    @property
    def frames(self) -> list[str | bytes]:
        """All frames."""
        return [frame for told, frame in self.told if told == "frame"]

    @property
    def lost_for(self) -> list[str]:
        """Every reason for a loss."""
        return [str(why) for told, why in self.told if told == "lost"]

    @property
    def refused_for(self) -> list[str]:
        """Every reason for a refusal."""
        return [str(why) for told, why in self.told if told == "refused"]
