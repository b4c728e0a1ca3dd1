"""What actors are told of their own running, rather than of orders."""

from dataclasses import dataclass

from actors.settings import FollowerSettings


@dataclass(frozen=True, slots=True)
class Configured:
    """The follower's settings are other ones from now on."""

    settings: FollowerSettings


@dataclass(frozen=True, slots=True)
class Drain:
    """Asks that nothing more be decided; answers to what was sent are still taken in."""


@dataclass(frozen=True, slots=True)
class LimiterRestarted:
    """The RateLimiterActor lost its memory of wishes and permits."""


@dataclass(frozen=True, slots=True)
class BoardRestarted:
    """The BoardActor lost its memory of copies and moods."""
