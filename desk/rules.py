"""Sizes, limits and filters of lockstep.toml as the domain's rules."""

from collections.abc import Iterator
from fractions import Fraction

from desk import schema
from desk.findings import dotted, error
from domain.instruments import Segment
from domain.limits import Filter, Limits
from domain.messages import Alert
from domain.orders import Product, Side
from domain.sizes import Bounds, CapitalShare, Override, RiskShare, Share
from domain.sizing import Fixed, Multiplier, Rounding

_KINDS = ("multiplier", "quantity", "lots", "capital", "risk_percent")
_HALVES = (("pin", "totp_secret"), ("api_key", "api_secret"), ("proxy_user", "proxy_password"))
_Place = tuple[str | int, ...]


def share(sizing: schema.Sizing) -> Share:
    """How much of the leader's order is taken; of a table without `troubles`."""
    rounding = Rounding(sizing.rounding)
    if sizing.quantity is not None:
        return Fixed(sizing.quantity)
    if sizing.lots is not None:
        return Fixed(sizing.lots, in_lots=True)
    if sizing.capital is not None:
        return CapitalShare(rounding)
    if sizing.risk_percent is not None:
        return RiskShare(Fraction(sizing.risk_percent), Fraction(sizing.stop_percent), rounding)
    return Multiplier(Fraction(sizing.multiplier or 1), rounding)


def bounds(sizing: schema.Sizing) -> Bounds:
    """The limits of one copy."""
    ceiling = sizing.ceiling_percent
    return Bounds(sizing.least, sizing.most, None if ceiling is None else Fraction(ceiling))


def overrides(follower: schema.Follower) -> tuple[Override, ...]:
    """What is sized otherwise, in the order of the file."""
    return tuple(
        Override(
            share(one.sizing),
            bounds(one.sizing),
            tuple(Segment(segment) for segment in one.segments),
            tuple(one.symbols),
        )
        for one in follower.overrides
    )


def limits(own: schema.Limits, common: schema.Limits) -> Limits:
    """The follower's own limits first, then those for all."""
    unset = {"orders"}
    said = common.model_dump(exclude=unset, exclude_none=True)
    said |= own.model_dump(exclude=unset, exclude_none=True)
    value, moved = said.pop("order_value", None), said.pop("moved_percent", None)
    loss = said.pop("max_day_loss", None)
    square_off = said.pop("square_off_on_day_loss", False)
    return Limits(
        order_value=None if value is None else int(value * 100),
        day_loss=None if loss is None else int(loss * 100),
        square_off=square_off,
        moved_percent=None if moved is None else Fraction(moved),
        **said,
    )


def only(table: schema.Filter) -> Filter:
    """What the follower copies at all."""
    return Filter(
        tuple(Segment(segment) for segment in table.segments),
        tuple(Product(product) for product in table.products),
        tuple(table.symbols),
        tuple(table.denied_symbols),
        Side(table.side) if table.side else None,
        table.options_only,
    )


def troubles(tables: schema.Lockstep) -> Iterator[Alert]:
    """Tables that say too little or too much."""
    yield from _no_loss_named(tables)
    yield from _no_legs_seen(tables)
    yield from _half_logins(tables)
    yield from _two_ways_out(tables)
    for index, follower in enumerate(tables.followers):
        place: _Place = ("followers", index)
        yield from _unclear((*place, "sizing"), follower.sizing)
        max_age = follower.max_age_seconds or tables.recovery.max_age_seconds
        if follower.hold_sold_legs_ms >= max_age * 1000:
            where = dotted((*place, "hold_sold_legs_ms"))
            yield error("makes entries too old", where, "hold shorter than max_age_seconds")
        for number, one in enumerate(follower.overrides):
            here = (*place, "overrides", number)
            yield from _unclear((*here, "sizing"), one.sizing)
            if not one.segments and not one.symbols:
                yield error(
                    "covers everything", dotted(here), "name segments, symbols, or both of them"
                )


def _no_loss_named(tables: schema.Lockstep) -> Iterator[Alert]:
    """Where a day is to be squared off, and nothing says at what loss."""
    said: dict[_Place, schema.Limits] = {
        ("followers", index): one.limits for index, one in enumerate(tables.followers)
    }
    places: dict[_Place, None] = {}
    for follower, own in (said or {(): tables.limits}).items():
        made = limits(own, tables.limits)
        if made.square_off and made.day_loss is None:
            places[follower if own.square_off_on_day_loss else ()] = None
    for place in places:
        where = (*place, "limits", "square_off_on_day_loss")
        fix = "write max_day_loss (rupees) beside it, or leave this out"
        yield error("has no max_day_loss to go by", dotted(where), fix)


def _half_logins(tables: schema.Lockstep) -> Iterator[Alert]:
    """Where only one half is given of what an account logs in with."""
    for place, account in tables.accounts():
        for one, other in _HALVES:
            said = [name for name in (one, other) if getattr(account, name) is not None]
            if len(said) == 1:
                lacks = other if said == [one] else one
                fix = f"write {lacks} beside it, or leave it out"
                yield error("is of no use alone", dotted((*place, *said)), fix)


def _two_ways_out(tables: schema.Lockstep) -> Iterator[Alert]:
    for place, account in tables.accounts():
        if account.source_ip is not None and account.proxy is not None:
            where = dotted((*place, "proxy"))
            yield error("is a second way out, beside source_ip", where, "leave out one of them")
        if account.proxy is None and account.proxy_user is not None:
            where = dotted((*place, "proxy_user"))
            yield error("is for no proxy", where, "write proxy beside it, or leave it out")


def _no_legs_seen(tables: schema.Lockstep) -> Iterator[Alert]:
    """Where legs are to be left, and none are ever seen to belong together."""
    if tables.legs.window_seconds > 0:
        return
    places: list[_Place] = [("legs",)] if tables.legs.failed_leg == "flatten" else []
    for index, one in enumerate(tables.followers):
        if one.failed_leg == "flatten":
            places.append(("followers", index))
    for place in places:
        fix = 'make legs.window_seconds larger than 0, or write failed_leg = "tell"'
        yield error("knows of no legs", dotted((*place, "failed_leg")), fix)


def _unclear(place: _Place, sizing: schema.Sizing) -> Iterator[Alert]:
    said = [name for name in _KINDS if getattr(sizing, name) is not None]
    if len(said) != 1:
        what = "says " + (" and ".join(said) if said else "no size")
        yield error(what, dotted(place), f"write exactly one of {', '.join(_KINDS)}")
    if sizing.least is not None and sizing.most is not None and sizing.least > sizing.most:
        yield error("is above most", dotted((*place, "least")), "make least smaller or most larger")
