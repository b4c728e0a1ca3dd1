"""Telling actors by name, so that a message reaches whichever incarnation runs now."""

from collections.abc import Iterable
from typing import Any

import pykka

# Pykka's reference is invariant in the class of its actor, which nobody here asks for.
Ref = pykka.ActorRef[Any]

FOLLOWER = "follower:"
SUPERVISOR = "supervisor"
LEDGER = "ledger"
FEED = "feed"
RECOVERY = "recovery"
LIMITER = "limiter"
MARKET_CLOCK = "market clock"
BOARD = "board"
INSTRUMENTS = "instruments"
TOKENS = "tokens"
STATEMENTS = "statements"


def follower_name(follower: str) -> str:
    """The name of a follower's actor."""
    return FOLLOWER + follower


def tell(ref: Ref, message: object) -> bool:
    """Tell one incarnation of an actor; False when it has ended."""
    try:
        ref.tell(message)
    except pykka.ActorDeadError:
        return False
    return True


class Post:
    """The addresses of running actors. Only the supervisor writes; anyone may tell.

    A message to an actor that is not running is dropped: what must not be lost is in the
    ledger, and a restarted actor asks for what it missed.
    """

    def __init__(self) -> None:
        self._addresses: dict[str, Ref] = {}
        self._followers: tuple[str, ...] = ()

    def register(self, name: str, ref: Ref) -> None:
        """Deliver to `ref` what is told to `name`."""
        self._addresses[name] = ref
        self._list_followers()

    def remove(self, name: str) -> None:
        """Deliver nothing to `name` any more."""
        self._addresses.pop(name, None)
        self._list_followers()

    def ref(self, name: str) -> Ref | None:
        """The running actor of that name."""
        return self._addresses.get(name)

    def refs(self) -> list[Ref]:
        """All running actors."""
        return list(self._addresses.values())

    def tell(self, name: str, message: object) -> bool:
        """Tell the actor of that name; False when it is not running."""
        ref = self._addresses.get(name)
        return ref is not None and tell(ref, message)

    def tell_followers(self, message: object) -> None:
        """Tell every follower."""
        self.tell_all(self._followers, message)

    def tell_all(self, names: Iterable[str], message: object) -> None:
        """Tell each actor named."""
        for name in names:
            self.tell(name, message)

    def _list_followers(self) -> None:
        self._followers = tuple(
            name for name in tuple(self._addresses) if name.startswith(FOLLOWER)
        )
