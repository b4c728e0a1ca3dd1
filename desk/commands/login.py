"""`login`: an account gets another access token, pasted, made from its PIN and TOTP secret, or by
its owner's consent in a browser.

What is secret is read from the terminal without an echo, or from standard input, never from the
command line. A token is kept, encrypted, only after Dhan has said whose it is; a running engine
takes it up within a second.
"""

import getpass
import logging
import sys
from argparse import Namespace
from difflib import get_close_matches

from desk import redact
from desk.asking import asking
from desk.config import Config
from desk.granting import Applicant, NoToken, consent_link, consented, made, proven
from desk.usage import Misused
from dhan.tokens import NotKept
from dhan.wire import Wire
from domain.sessions import IST

logger = logging.getLogger(__name__)

_LONGEST = 10_000
_STOP_SECONDS = 0.0


def run(config: Config, wanted: Namespace) -> int:
    """Get a token and keep it; 0 when it is kept, 1 when not. Raises Misused."""
    account = _account(config, wanted.name)
    if wanted.oauth and account.login.api_key is None:
        raise Misused(f"--oauth needs api_key and api_secret of {account.name} in {config.path}")
    try:
        with asking(config, _STOP_SECONDS) as wire:
            token = _token(wire, account, wanted)
            ends = proven(wire, account, token)
        account.login.token.keep(token)
    except (NoToken, NotKept) as trouble:
        logger.error("%s: no token is kept: %s", account.name, trouble)
        return 1
    until = f", until {ends.astimezone(IST):%d %B %Y %H:%M} (IST)" if ends else ""
    logger.info("%s: the token is kept%s", account.name, until)
    return 0


def _account(config: Config, name: str) -> Applicant:
    leader = config.engine.leader_login
    known = [] if leader is None else [Applicant("leader", config.engine.leader, leader)]
    for one in config.followers:
        if one.login is not None:
            known.append(Applicant(one.name, one.address, one.login))
    for account in known:
        if account.name == name:
            return account
    names = [account.name for account in known]
    near = get_close_matches(name, names, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    redact.know(name)  # perhaps a token that should not have stood there
    raise Misused(f"no account has that name{hint} (accounts: {', '.join(names)})")


def _token(wire: Wire, account: Applicant, wanted: Namespace) -> str:
    """A token by the way that is asked for, else by the one that asks least of the operator.
    Raises NoToken."""
    login = account.login
    if login.generates and not (wanted.oauth or wanted.paste):
        return made(wire, account)
    if login.api_key is not None and not wanted.paste:
        return _consented(wire, account)
    return _one_word(f"Access token of {account.name} (it is not shown): ")


def _consented(wire: Wire, account: Applicant) -> str:
    """The link is for the terminal alone: whoever has it before the owner can consent instead."""
    link = consent_link(wire, account)
    sys.stderr.write(
        f"Log in as the owner of {account.name} (client {account.address.client_id}) at\n"
        f"  {link}\n"
        "and give here the whole address that the browser then shows, also if no page is there\n"
    )
    sys.stderr.flush()
    return consented(wire, account, _one_word("Address (it is not shown): "))


def _one_word(prompt: str) -> str:
    """What the operator gives and nobody else may see."""
    given = getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline(_LONGEST)
    word = given.strip()
    redact.know(word)
    if not word:
        raise NoToken("none was given")
    if " " in word or not (word.isascii() and word.isprintable()):
        raise NoToken("that is more than one word, or no plain text")
    return word
