"""Which way out each follower has: Dhan wants the orders of each account from a static address of
its own. The leader's account sends no orders, and may share one.
"""

from collections.abc import Iterator, Mapping

from actors.settings import FollowerSettings
from desk.config import Config
from desk.findings import FAMILY, dotted, error
from domain.messages import Alert


def shared(config: Config) -> Iterator[Alert]:
    """The followers that would send from this host's usual address beside another that is not of
    their family. While nothing leaves this host, nobody sees an address."""
    if not config.loopback:
        usual = {one.name: "" for one in config.followers if not _own_way(one)}
        yield from _together(config, usual)


def seen_together(config: Config, detected: Mapping[str, str]) -> Iterator[Alert]:
    """The followers whom Dhan sees at the address of another that is not of their family, by what
    it `detected` of each, by name."""
    known = {
        one.name: detected[one.name]
        for one in config.followers
        if detected.get(one.name) and (_own_way(one) or not config.loopback)
    }
    yield from _together(config, known)


def _together(config: Config, places: Mapping[str, str]) -> Iterator[Alert]:
    """Those that stand at the place of an earlier one."""
    first: dict[str, tuple[int, FollowerSettings]] = {}
    for index, one in enumerate(config.followers):
        if one.name not in places:
            continue
        place = places[one.name]
        at, earlier = first.setdefault(place, (index, one))
        if earlier is one or (one.family is not None and one.family == earlier.family):
            continue
        yield error(
            f"sends from the same address as followers[{at}]{f' ({place})' if place else ''}",
            dotted(("followers", index)),
            f"give it a source_ip of this host, a proxy, or {FAMILY}",
        )


def _own_way(follower: FollowerSettings) -> bool:
    return follower.address.source_ip is not None or follower.address.proxy is not None
