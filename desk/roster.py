"""The roster while running: edits of lockstep.toml are noticed, checked and taken, or refused."""

from collections.abc import Collection, Iterator
from pathlib import Path

from actors.settings import EngineSettings
from desk.accounts import moved
from desk.config import Config, ConfigError, parse, read
from desk.egress import shared
from desk.findings import dotted, error
from domain.messages import Alert
from ledger.opening import LedgerUnusable

Stamp = tuple[int, int, int, int]


class RosterWatch:
    """Looks at the file of the running configuration whenever it is asked to.

    An edit counts once the file looked the same at two looks in a row, for an editor may write
    it in pieces; asked every 0.5 s, that is within 1.5 s. A file that never was there, as its
    configuration was said otherwise, is not missed.
    """

    def __init__(self, running: Config) -> None:
        self._running = running
        self._acted: Stamp | None = None
        self._seen: Stamp | None = None
        self._refused: bytes | None = None
        self._absent = stamp(running.path) is None

    def poll(self) -> Config | ConfigError | None:
        """A configuration to run from now on, what is wrong with an edit (told once; what runs
        goes on as it is), or None."""
        path = self._running.path
        found = stamp(path)
        if found is None and self._absent:
            return None
        self._absent = False
        settled, self._seen = found == self._seen, found
        if not settled or (found is not None and found == self._acted):
            return None
        try:
            content = read(path)
        except ConfigError as gone:
            return self._refuse(b"", gone)
        if stamp(path) != found:
            return None
        self._acted = found
        try:
            config = parse(path, content)
            _refuse_restarts(self._running, config)
        except ConfigError as wrong:
            return self._refuse(content, wrong)
        changed = config != self._running or self._refused is not None
        self._running, self._refused = config, None
        return config if changed else None

    def _refuse(self, content: bytes, wrong: ConfigError) -> ConfigError | None:
        told, self._refused = content == self._refused, content
        return None if told else wrong


def _refuse_restarts(running: Config, wanted: Config) -> None:
    """Raise ConfigError for changes that cannot be taken while running."""
    follow = {follower.name for follower in running.followers}
    findings = (
        *_fixed(running, wanted),
        *_other_accounts(running, wanted),
        *_moved(wanted, follow),
        *_sharing(running, wanted),
    )
    if findings:
        raise ConfigError(wanted.path, findings)


def _fixed(running: Config, wanted: Config) -> Iterator[Alert]:
    before, after = running.engine, wanted.engine
    for where, same in (
        ("dhan.api_url", before.leader.api_url == after.leader.api_url),
        ("dhan.auth_url", running.auth_url == wanted.auth_url),
        ("dhan.feed_url", before.leader_feed.url == after.leader_feed.url),
        ("dhan.master_url", before.master == after.master),
        ("ledger.path", before.ledger == after.ledger),
        ("ledger.journal_days", before.kept.journal == after.kept.journal),
        ("ledger.audit_days", before.kept.audit == after.kept.audit),
        ("clock.sessions", before.sessions is after.sessions),
        ("clock.calendar", running.calendar == wanted.calendar),
        ("recovery.sweep_seconds", before.sweep_seconds == after.sweep_seconds),
        ("leader.client_id", before.leader.client_id == after.leader.client_id),
        ("leader.token", before.leader.token == after.leader.token),
        ("leader.source_ip", before.leader.source_ip == after.leader.source_ip),
        ("leader.proxy", before.leader.proxy == after.leader.proxy),
        ("leader", _same_login(before, after)),
    ):
        if not same:
            yield error("needs a restart to change", where, "restart Lockstep, or change it back")


def _same_login(before: EngineSettings, after: EngineSettings) -> bool:
    """Whether the leader comes by its tokens as before."""
    ways = [
        None if one is None else (one.renews, one.pin, one.totp_secret)
        for one in (before.leader_login, after.leader_login)
    ]
    return ways[0] == ways[1]


def _sharing(running: Config, wanted: Config) -> Iterator[Alert]:
    """Followers that would come to share an address; those that do so already run."""
    if not any(shared(running)):
        yield from shared(wanted)


def _other_accounts(running: Config, wanted: Config) -> Iterator[Alert]:
    """A follower's copies are in the account that it had when they were made."""
    accounts = {follower.name: follower.address.client_id for follower in running.followers}
    for index, follower in enumerate(wanted.followers):
        client_id = follower.address.client_id
        if accounts.get(follower.name, client_id) != client_id:
            yield error(
                "cannot change, for the follower's copies are in the account that it had",
                dotted(("followers", index, "client_id")),
                "give the other account another name",
            )


def _moved(wanted: Config, running: Collection[str]) -> Iterator[Alert]:
    """Followers that come with a name whose copies are in another account."""
    try:
        yield from moved(wanted, running)
    except LedgerUnusable as unusable:
        what = f"does not tell whether new followers have copies: {unusable.why}"
        yield error(what, "ledger.path", f"{unusable.fix}; then save this file again")


def stamp(path: Path) -> Stamp | None:
    """What changes with every edit; None when there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino)
