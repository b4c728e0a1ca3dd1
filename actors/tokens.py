"""The TokensActor: gives every account another token before the one that it has ends.

Whatever way an account comes by another token, also when the operator writes it into a file, its
actor is told at once, so that its socket logs in anew; requests take the token of the moment by
themselves. What was missed in between is read from the order books.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from actors.answers import ask_aside, telling
from actors.floor import Floor, FloorActor
from actors.ledger import Record
from actors.post import BOARD, LEDGER, TOKENS
from actors.settings import Login
from dhan.addresses import AccountAddress
from dhan.auth import Granted, generation, granted, renewal
from dhan.codec.rest import profile
from dhan.codec.values import Unreadable
from dhan.outcomes import outcome_of
from dhan.requests import Kind, Request, Requests
from dhan.tokens import NotKept, TokenMissing, expiry
from dhan.totp import NoSecret, code
from dhan.wire import Answer
from domain.messages import Alert, Level, Tick, TokenRefused, TokenRenewed
from domain.outcomes import Refusal, Refused
from domain.sessions import IST
from domain.tokens import TokenLife, Way

logger = logging.getLogger(__name__)

_LOOK = "look"
_LOOK_SECONDS = 0.5
_ASK_AGAIN = timedelta(seconds=60)
_DOUBT_AGAIN = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class TokenAccount:
    """An account whose token is looked after: the name of the `actor` that uses it, and its name
    for the operator."""

    actor: str
    name: str
    address: AccountAddress
    login: Login


@dataclass(frozen=True, slots=True)
class _Profiled:
    """The answer to whose a token is."""

    actor: str
    token: str = field(repr=False)
    answer: Answer = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Answered:
    """The answer to a request for another token."""

    actor: str
    way: Way
    secrets: tuple[str, ...] = field(repr=False)
    answer: Answer = field(repr=False)


class TokensActor(FloorActor):
    """Looks at every account's token twice a second; `accounts` gives them as they are now."""

    def __init__(self, floor: Floor, accounts: Callable[[], tuple[TokenAccount, ...]]) -> None:
        super().__init__(TOKENS, floor)
        self._accounts = accounts
        self._watches: dict[str, _Watch] = {}

    def begin(self) -> None:
        self._look()

    def receive(self, message: object) -> object:
        match message:
            case Tick():
                self._look()
            case TokenRefused(actor):
                if (watch := self._watches.get(actor)) is not None:
                    watch.doubt()
            case _Profiled():
                if (watch := self._watches.get(message.actor)) is not None:
                    watch.profiled(message)
            case _Answered():
                if (watch := self._watches.get(message.actor)) is not None:
                    watch.answered(message)
            case _:
                super().receive(message)
        return None

    def _look(self) -> None:
        self.later(_LOOK_SECONDS, Tick(_LOOK))
        before = self._watches
        self._watches = {}
        for account in self._accounts():
            watch = before.get(account.actor)
            if watch is None or watch.account != account:
                watch = _Watch(self.floor, account)
            self._watches[account.actor] = watch
            watch.look()


class _Watch:
    """One account's token."""

    def __init__(self, floor: Floor, account: TokenAccount) -> None:
        self._floor, self.account = floor, account
        self._token: str | None = None
        self._life: TokenLife
        self._asked_at: datetime | None = None
        self._busy = False
        self._warned = False

    def look(self) -> None:
        """Notice another token, find out when it ends, and ask for the next one in time."""
        now, login = self._floor.clock.wall(), self.account.login
        token = self._present()
        if token != self._token:
            self._changed(token, now)
        if self._busy:
            return
        life, renews, generates = self._life, login.renews, login.generates
        way = life.way(now, renews=renews, generates=generates)
        if way is not None:
            self._ask(way, now)
        elif token and life.ends is None and not life.dead:
            self._ask_profile(now, _ASK_AGAIN)
        elif life.stuck(now, renews=renews, generates=generates):
            self._warn_of_end()

    def doubt(self) -> None:
        """Somebody was refused with the token, perhaps with one of before: see for ourselves."""
        if self._token and not self._life.dead:
            self._ask_profile(self._floor.clock.wall(), _DOUBT_AGAIN)

    def profiled(self, told: _Profiled) -> None:
        """Learn when the token ends, or that Dhan does not take it."""
        self._busy = False
        if told.token != self._token:
            return
        answer = told.answer
        came = outcome_of(Kind.READ, answer)
        if isinstance(came, Refusal) and came.kind is Refused.TOKEN:
            self._life = replace(self._life, dead=True)
        elif answer.status == 200 and self._life.ends is None:
            try:
                self._life = replace(self._life, ends=profile(answer.body).valid_until)
            except Unreadable as trouble:
                logger.warning("%s: until when its token lives: %s", self.account.name, trouble)

    def answered(self, told: _Answered) -> None:
        """Take the token that Dhan granted, or say why there is none."""
        self._busy = False
        came = granted(told.answer, told.secrets)
        if isinstance(came, Granted):
            self._keep(came.token)
            logger.warning("%s: has another token by %s", self.account.name, told.way)
            self.look()
            if self._token == came.token and self._life.ends is None:
                self._life = replace(self._life, ends=came.ends)
            return
        logger.warning("%s: no other token by %s: %s", self.account.name, told.way, came.why)
        if came.refused:
            self._life = replace(self._life, refused=self._life.refused + 1)
            self._alert(f"Dhan grants no other token by {told.way}: {came.why}", Level.ERROR)

    # What it does

    def _present(self) -> str:
        try:
            return self.account.login.token()
        except TokenMissing:
            return ""

    def _changed(self, token: str, now: datetime) -> None:
        first, self._token = self._token is None, token
        self._life = TokenLife(now, expiry(token), dead=not token)
        self._asked_at, self._warned = None, False
        if token and not first:
            self._floor.post.tell(self.account.actor, TokenRenewed())

    def _ask(self, way: Way, now: datetime) -> None:
        self._life = replace(self._life, tried_at=now)
        address, login = self.account.address, self.account.login
        if way is Way.RENEW:
            self._send(address, renewal(address.client_id), way, (self._token or "",))
            return
        if login.pin is None or login.totp_secret is None:
            return
        try:
            pin, one_time = login.pin(), code(login.totp_secret(), now)
        except (TokenMissing, NoSecret) as trouble:
            self._life = replace(self._life, refused=self._life.refused + 1)
            what = f"no token can be made: {trouble}"
            self._alert(what, Level.ERROR, "correct pin and totp_secret")
            return
        bare = replace(address, api_url=login.auth_url, token=_no_token)
        request = generation(address.client_id, pin, one_time)
        self._send(bare, request, way, (pin, one_time))

    def _send(
        self, address: AccountAddress, request: Request, way: Way, secrets: tuple[str, ...]
    ) -> None:
        actor = self.account.actor
        self._call(address, request, lambda answer: _Answered(actor, way, secrets, answer))

    def _ask_profile(self, now: datetime, pause: timedelta) -> None:
        token = self._token
        rested = self._asked_at is None or now - self._asked_at >= pause
        if token is None or self._busy or not rested:
            return
        self._asked_at = now
        address, actor = self.account.address, self.account.actor
        request = Requests(address.client_id).profile()
        self._call(address, request, lambda answer: _Profiled(actor, token, answer))

    def _call(
        self, address: AccountAddress, request: Request, message: Callable[[Answer], object]
    ) -> None:
        self._busy = True
        deliver = telling(self._floor.post, TOKENS, message)
        ask_aside(self._floor.wire, address, request, deliver)

    def _keep(self, token: str) -> None:
        try:
            self.account.login.token.keep(token)
        except NotKept as trouble:
            self._alert(f"its new token is not kept for the next start: {trouble}", Level.ERROR)

    def _warn_of_end(self) -> None:
        if self._warned or self._life.ends is None:
            return
        self._warned = True
        ends = f"{self._life.ends.astimezone(IST):%d %B %H:%M}"
        self._alert(f"its token ends on {ends} (IST), and is not renewed by itself", Level.WARNING)

    def _alert(self, what: str, level: Level, fix: str = "") -> None:
        name = self.account.name
        fix = fix or f"give another one: python run.py login {name}"
        logger.log(logging.ERROR if level is Level.ERROR else logging.WARNING, "%s: %s", name, what)
        alert = Alert(level, what, name, fix)
        self._floor.post.tell(BOARD, alert)
        self._floor.post.tell(LEDGER, Record(alert))


def _no_token() -> str:
    return ""
