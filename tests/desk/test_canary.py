"""Canaries: marked secrets that go every way through the program, and are seen nowhere after.

Every secret has the mark in it. The broker itself repeats them in its refusals, and the SDK logs
an address with PIN and one-time code.
"""

import io
import json
import os
import sqlite3
import stat
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from rich.console import Console

from actors.board import View
from desk import redact
from desk.table import render
from desk.vault import FOLDER
from desk.vault import KEY as VAULT_KEY
from domain.messages import Alert, Level, MoodChanged
from domain.rules import Mood
from simulator.server import Opening, Simulator
from tests.desk.files import ROOT
from tests.dhan.proxies import Proxy
from tests.scenarios.browser import logs_in
from tests.scenarios.nursery import nursery
from tests.simulator.clients import consented
from tests.waiting import eventually

MARK = "canary"
LEADER, FILED, GIVEN, MADE = "1000000001", "1000000002", "1000000003", "1000000004"
OWNED = "1000000005"
TOKENS = {
    LEADER: f"{MARK}-token-of-the-leader",
    FILED: f"{MARK}+token/of=filed",
    GIVEN: f"{MARK}-token-of-given",
}
PASTED, WRONG = f"{MARK}-token-pasted", f"{MARK}-token-nobody-knows"
PIN, TOTP = f"{MARK}81", f"{MARK.upper()}SECRET{MARK.upper()}SECRET"
TOTP = TOTP + "A" * (-len(TOTP) % 8)
KEY, APP_SECRET = f"{MARK}-key-of-an-app", f"{MARK}-secret/of+an=app"
GATE, GATED_FROM = f"{MARK}-password-of-a-proxy", "127.0.0.7"
ENVIRONMENT = {
    "GIVEN_TOKEN": TOKENS[GIVEN],
    "MADE_PIN": PIN,
    "MADE_TOTP": TOTP,
    "OWNED_KEY": KEY,
    "OWNED_GATE": GATE,
}
OWN = ("filed.secret", "app.secret", "lockstep.toml", "wrong.toml")


class Nest:
    """A folder with a configuration full of secrets, a broker, and all that was said so far."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: dict[str, str] = {}
        self.bought_by: list[str] = []
        self.broker = Simulator(
            accounts=[
                *(Opening(account, token=token) for account, token in TOKENS.items()),
                Opening(MADE, pin=PIN, totp_secret=TOTP),
                Opening(OWNED, api_key=KEY, api_secret=APP_SECRET),
            ]
        )
        self.proxy = Proxy(GATED_FROM, known=f"desk:{GATE}")
        self.config = folder / "lockstep.toml"
        private(folder / "filed.secret", TOKENS[FILED])
        private(folder / "app.secret", APP_SECRET)
        private(self.config, self._text())
        private(folder / "wrong.toml", self._text().replace("sizing", f'pin = "{PIN}"\nszing'))

    def _text(self) -> str:
        broker = self.broker
        more = 'pin = "env:MADE_PIN"\ntotp_secret = "env:MADE_TOTP"\n'
        app = 'api_key = "env:OWNED_KEY"\napi_secret = "file:app.secret"\n'
        gate = f'proxy = "{self.proxy.url}"\nproxy_user = "desk"\nproxy_password = "env:OWNED_GATE"'
        return (
            f'[dhan]\napi_url = "{broker.api_url}"\nauth_url = "{broker.auth_url}"\n'
            f'feed_url = "{broker.feed_url}"\nmaster_url = "{broker.master_url}"\n'
            f'[clock]\nsessions = "always"\n[recovery]\nsweep_seconds = 0.5\n'
            f'[leader]\nclient_id = "{LEADER}"\ntoken = "{TOKENS[LEADER]}"\n'
            f'[[followers]]\nname = "filed"\nclient_id = "{FILED}"\ntoken = "file:filed.secret"\n'
            "sizing = { multiplier = 1 }\n"
            f'[[followers]]\nname = "given"\nclient_id = "{GIVEN}"\ntoken = "env:GIVEN_TOKEN"\n'
            f'[[followers]]\nname = "made"\nclient_id = "{MADE}"\ntoken = "login"\n{more}'
            f'[[followers]]\nname = "owned"\nclient_id = "{OWNED}"\ntoken = "login"\n{app}{gate}\n'
        )

    def does(self, *words: str, said: str = "", config: str = "lockstep.toml") -> int:
        """Run a verb to its end and keep what it printed; its exit code."""
        arguments = [*words, "--config", str(self.folder / config)]
        done = nursery().obeyed(arguments, environment=ENVIRONMENT, said=said)
        what = " ".join(words)
        self.said[what] = self.said.get(what, "") + done.stdout + done.stderr
        return done.returncode

    def consents(self, *, echoed: bool = False) -> int:
        """Log the owned account in by its owner's consent, which the broker may refuse with all
        that it was asked with; the exit code."""
        broker = self.broker

        def gives(link: str) -> str:
            address = consented(link)
            self.bought_by.append(urlsplit(address).query.removeprefix("tokenId="))
            if echoed:
                broker.control.fault(OWNED, "auth", "echo", times=1)
            return address

        words = ["login", "owned", "--config", str(self.config)]
        done = logs_in(words, ENVIRONMENT, gives)
        self.said[f"login owned {echoed}"] = done.stdout + done.stderr
        return done.returncode


def private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)


@pytest.fixture(scope="module")
def nest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nest]:
    """The nest after a day on which everything was tried."""
    made = Nest(tmp_path_factory.mktemp("nest"))
    try:
        with made.proxy:
            _run_a_day(made)
            _look_around(made)
        yield made
    finally:
        made.broker.stop()


def _run_a_day(nest: Nest) -> None:
    """Log in, trade, have the broker repeat tokens and codes in its refusals, paste tokens."""
    broker, control = nest.broker, nest.broker.control
    assert nest.does("login", "made") == 0
    assert nest.consents() == 0
    out = nest.folder / "out.txt"
    engine = nursery().bear(["--config", str(nest.config)], ENVIRONMENT, out)
    try:
        eventually(lambda: all(one["sockets"] == 1 for one in control.accounts()), 20, every=0.05)
        for account in (FILED, GIVEN):
            control.fault(account, "place", "echo")
        for account in TOKENS:
            control.fault(account, "read", "echo")
            control.cut(account)
        eventually(lambda: control.struck().get("read:echo:before") == len(TOKENS), 20)
        order = control.place(
            LEADER, segment="NSE_EQ", security_id="2885", side="BUY", quantity=10, price=2400
        )
        eventually(lambda: control.struck().get("place:echo:before") == 2, 10)
        control.fault(MADE, "auth", "echo", times=1)
        assert nest.does("login", "made") == 1
        control.fault(OWNED, "auth", "echo", times=1)
        assert nest.does("login", "owned") == 1
        assert nest.consents(echoed=True) == 1
        assert nest.does("login", "given", said=f"{WRONG}\n") == 1
        assert nest.does("login", "given", "--paste", said=f"{TOKENS[GIVEN]} \n") == 0
        control.expire_token(FILED)
        control.cut(FILED)
        _cmdline(nest, engine.pid)
        eventually(lambda: "parked" in _moods(nest), 20, every=0.2)
        for verb in (("explain", order), ("copies",), ("check",)):
            nest.does(*verb)
            nest.does(*verb, "--json")
        nest.does("drift", "--json")
        assert broker.control.sockets(MADE) == 1
    finally:
        engine.send_signal(15)
        assert engine.wait(15) == 0
    nest.said["run"] = out.read_text()


def _moods(nest: Nest) -> str:
    nest.does("followers", "list", "--json")
    return nest.said["followers list --json"]


def _cmdline(nest: Nest, pid: int) -> None:
    for place in ("cmdline", "comm"):
        nest.said[place] = Path(f"/proc/{pid}/{place}").read_text()


def _look_around(nest: Nest) -> None:
    """Every other verb, wrong usage, and wrong configurations."""
    for verb in (
        ("clock",),
        ("copies", "--missed"),
        ("followers", "list"),
        ("followers", "halt", "given", "--yes"),
        ("followers", "pause", "given"),
        ("replay", "today"),
        ("instruments", "RELIANCE"),
    ):
        nest.does(*verb)
    assert nest.does("check", config="wrong.toml") == 2
    assert nest.does("check", "--json", config="wrong.toml") == 2
    assert nest.does("login", "filed", config="wrong.toml") == 2
    nest.proxy.known = "nobody"
    assert nest.does("login", "owned") == 1
    assert nest.does("check") == 1
    token = TOKENS[FILED]
    assert nest.does("login", token) == 2
    assert nest.does("followers", "add", "x", "--client-id", "9", "--token", token) == 2
    assert nest.does("check", f"--token={token}") == 2


CRASH = """
import sys
from desk.commands import clock
from desk.config import load

def crash(config, at, as_json):
    token = config.followers[0].address.token()
    import threading
    from dhanhq.auth import DhanLogin
    DhanLogin.AUTH_BASE_URL = "http://127.0.0.1:9"
    pin, totp = config.followers[2].login.pin(), config.followers[2].login.totp_secret()
    fall = lambda: DhanLogin("1000000004").generate_token(pin, totp)
    thread = threading.Thread(target=fall)
    thread.start()
    thread.join()
    raise RuntimeError(f"no clock for {token}, {pin!r}, {config.engine.leader.token()}")

clock.run = crash
from desk.cli import main
sys.exit(main(["clock", "--config", sys.argv[1]]))
"""


def test_a_crash_and_the_sdk_show_no_secret(nest: Nest) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CRASH, str(nest.config)],
        cwd=ROOT,
        env={**os.environ, **ENVIRONMENT},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "Ended by an error that nobody foresaw" in done.stderr
    assert "Exception in generate_token" in done.stderr
    assert "pin=[hidden]" in done.stderr
    assert MARK not in (done.stdout + done.stderr).lower()


def _unmarked(nest: Nest) -> list[str]:
    """The secrets that the broker made, which have no mark in them."""
    assert len(nest.bought_by) == 2
    credentials = b64encode(f"desk:{GATE}".encode()).decode()
    return [nest.broker.token(MADE), nest.broker.token(OWNED), credentials, *nest.bought_by]


def test_nothing_that_was_printed_has_a_secret(nest: Nest) -> None:
    assert len(nest.said) > 20
    unmarked = _unmarked(nest)
    for what, said in nest.said.items():
        assert MARK not in said.lower(), what
        assert not any(secret in said for secret in unmarked), what
        assert "eyJ" not in said, what


def test_no_file_has_a_secret_and_all_are_for_the_owner_only(nest: Nest) -> None:
    unmarked = _unmarked(nest)
    files = [path for path in nest.folder.rglob("*") if path.is_file() and path.name not in OWN]
    names = {str(path.relative_to(nest.folder)) for path in files}
    kept = {VAULT_KEY, *(f"{FOLDER}/{account}.token" for account in (GIVEN, MADE, OWNED))}
    assert {"copy_trading.db", "logs/lockstep.log", *kept} <= names
    for path in files:
        content = path.read_bytes()
        assert MARK.encode() not in content.lower(), path
        assert not any(secret.encode() in content for secret in unmarked), path
        if path.name != "out.txt":
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_all_of_an_account_went_through_the_proxy_that_knows_it(nest: Nest) -> None:
    seen = nest.broker.control.requests(OWNED)
    assert {one["peer"] for one in seen if "/login/" not in one["path"]} == {GATED_FROM}
    paths = {one["path"] for one in seen}
    assert {"/feed", "/v2/orders", "/v2/profile", "/app/consumeApp-consent"} <= paths
    for said in (nest.said["check"], nest.said["login owned"]):
        assert "the proxy takes no such user and password" in said
    assert "followers[3].proxy: cannot be asked: no connection" in nest.said["check"]


def test_the_refusals_that_repeat_secrets_have_been_recorded_without_them(nest: Nest) -> None:
    """So the test would see one: the words around them are there."""
    with closing(sqlite3.connect(nest.folder / "copy_trading.db")) as ledger:
        dump = "\n".join(ledger.iterdump())
    assert "no luck with [hidden]" in dump
    assert "pin=" not in nest.said["login made"] or "pin=[hidden]" in nest.said["login made"]
    assert "no luck with [hidden] tokenId=[hidden]" in nest.said["login owned True"]
    log = (nest.folder / "logs" / "lockstep.log").read_text()
    assert "no luck with [hidden]" in log
    assert all(json.loads(line) for line in log.splitlines())


def test_the_live_table_hides_what_it_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redact, "_known", redact._Known())
    redact.know(PASTED)
    view = View(
        moods=(MoodChanged("asha", Mood.PARKED, f"no luck with {PASTED}"),),
        alerts=(Alert(Level.ERROR, f"no luck with {PASTED}", "asha", ""),),
    )
    shown = io.StringIO()
    Console(file=shown, force_terminal=True, width=200).print(render(view, "LIVE", "bold"))
    assert "no luck with [hidden]" in shown.getvalue()
    assert MARK not in shown.getvalue()
