"""Answers of the broker to the questions of one actor: brought to it, and read."""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from actors.post import Post
from dhan.addresses import AccountAddress
from dhan.codec.values import Unreadable
from dhan.requests import Request
from dhan.wire import Answer, Call, Wire

_ASIDE_SECONDS = 10.0

_Told = TypeVar("_Told")


def telling(post: Post, name: str, message: Callable[[Answer], object]) -> Callable[[Answer], None]:
    """Brings an answer to the actor `name`, as the message that is made of it."""

    def deliver(answer: Answer) -> None:
        post.tell(name, message(answer))

    return deliver


def ask_aside(
    wire: Wire, address: AccountAddress, request: Request, deliver: Callable[[Answer], None]
) -> None:
    """Ask by the account's way out, but on a line that is there for this question alone: however
    long it hangs, it holds no connection that an order needs."""
    line = wire.open(replace(address, lines=1))

    def done(answer: Answer) -> None:
        wire.close(line)
        deliver(answer)

    wire.dispatch([Call(line, request, _ASIDE_SECONDS, done)])


class Answers:
    """Reads the answers to one question. `failure` says what it means that one cannot be read; it
    is logged once, not each time."""

    def __init__(self, logger: logging.Logger, failure: str) -> None:
        self._logger, self._failure = logger, failure
        self._said = ""

    def read(self, answer: Answer, decode: Callable[[bytes], _Told]) -> _Told | None:
        """What the answer tells, None where it cannot be read."""
        try:
            if answer.status != 200:
                raise Unreadable(answer.error or f"HTTP {answer.status}")
            told = decode(answer.body)
        except Unreadable as trouble:
            if str(trouble) != self._said:
                self._said = str(trouble)
                self._logger.warning("%s: %s", self._failure, trouble)
            return None
        self._said = ""
        return told
