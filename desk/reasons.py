"""Rules and the arithmetic of a copy, in plain words."""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import timedelta
from enum import Enum
from fractions import Fraction

from desk.explaining import Decision
from domain.instruments import Instrument
from domain.orders import Order, OrderType, Terms
from domain.rules import Rules
from domain.sessions import IST
from domain.sizes import Bounds, Share
from domain.sizing import Bounded, Exit, Fixed, Multiplier, Sizing, Unsized
from domain.steps import Cancel, Modify, Place, Skip
from domain.wanted import share

_MONEY = ("value", "loss")


def rupees(paise: int) -> str:
    """An amount in rupees."""
    return f"{paise / 100:.2f}"


def order_words(order: Order) -> str:
    """The leader's order in one line."""
    return f"{order.side} {terms_words(order.terms)} {order.symbol}, {order.product}"


def terms_words(terms: Terms) -> str:
    """Quantity, type and prices."""
    words = [f"{terms.quantity} {terms.order_type}"]
    if terms.price:
        words.append(f"at {rupees(terms.price)}")
    if terms.trigger:
        words.append(f"trigger {rupees(terms.trigger)}")
    if terms.disclosed:
        words.append(f"disclosing {terms.disclosed}")
    return " ".join([*words, str(terms.validity)])


def rules_in_words(rules: Rules, order: Order, instrument: Instrument | None) -> Iterator[str]:
    """The rules that concern a copy of the order: its size, its product, and what may keep it from
    being placed."""
    yield from _inverse_rule(rules, order)
    yield _size_rule(rules, order, instrument)
    if (product := rules.product(order.product)) is not order.product:
        yield f"product: the leader's {order.product} becomes {product}"
    for name, table in (("only", rules.filter), ("limits", rules.limits)):
        said = [
            f"{one.name.replace('_', ' ')} {_value(one.name, value)}"
            for one in fields(table)
            if (value := getattr(table, one.name)) not in (None, (), False)
        ]
        yield f"{name}: {', '.join(said) if said else 'none'}"
    if not order.terms.order_type.has_price:
        yield f"protection: a limit within {_percent(rules.protection.band * 100)} of the reference"
    yield f"an entry may be {_seconds(rules.max_age)} old; in a closed market: {rules.when_closed}"


def _inverse_rule(rules: Rules, order: Order) -> Iterator[str]:
    if order.mirrored:
        side = f"inverse: what the leader's {order.leaders_side} trades is copied as {order.side}"
        yield side if rules.inverse else f"{side}, as the position was built inverse"
    elif rules.inverse and not order.flattening:
        yield "inverse, but for this order: the position was built on the leader's side"


def _size_rule(rules: Rules, order: Order, instrument: Instrument | None) -> str:
    named = (instrument.symbol, instrument.underlying) if instrument else ()
    names = [name for name in (order.symbol, *named) if name]
    for number, one in enumerate(rules.overrides, 1):
        if one.covers(order.instrument.segment, names):
            where = ", ".join((*one.segments, *one.symbols))
            return f"size: {share_words(one.share, one.bounds)} (override {number}: {where})"
    return f"size: {share_words(rules.sizing, rules.bounds)}"


def share_words(rule: Share, bounds: Bounds) -> str:
    """What the roster asks for."""
    words = sizing_words(rule) if isinstance(rule, Multiplier | Fixed) else rule.text
    words = _bounded(words, bounds.least, bounds.most)
    if bounds.ceiling is not None:
        words += f", at most {_percent(bounds.ceiling)} of capital"
    return words


def sizing_words(sizing: Sizing) -> str:
    """What a copy takes of the leader's order."""
    match sizing:
        case Multiplier(factor, rounding, why):
            by = f" (by {why})" if why else ""
            return f"{_number(factor)} times the leader's quantity{by}, rounded {_plain(rounding)}"
        case Fixed(quantity, in_lots):
            return f"always {quantity} {'lots' if in_lots else 'shares'}"
        case Bounded(inner, least, most):
            return _bounded(sizing_words(inner), least, most)
        case Exit(mine, leaders, _, to_come):
            more = f", {to_come} are still to come" if to_come else ""
            return f"an exit: of the leader's {leaders} the follower holds {mine}{more}"
        case Unsized(missing):
            return f"not known without the {missing}"
    return sizing.text


def _bounded(words: str, least: int | None, most: int | None) -> str:
    for name, bound in (("at least", least), ("at most", most)):
        words += "" if bound is None else f", {name} {bound}"
    return words


def numbers(one: Decision) -> Sequence[str]:
    """The arithmetic of a decision."""
    if isinstance(one.step, Cancel):
        return (f"cancelled: {one.step.why}",)
    lines = list(_capital(one))
    if one.instrument is not None:
        lines += _quantity(one, one.instrument.lot)
    if isinstance(one.step, Skip):
        came = "nothing more is placed" if one.copy.attempts else "skipped"
        detail = f": {one.step.detail}" if one.step.detail else ""
        return (*lines, f"{came}, {one.step.reason}{detail}")
    terms = one.step.ticket.terms if isinstance(one.step, Place) else one.step.terms
    return (*lines, *_price(one, one.step, terms))


def _capital(one: Decision) -> Iterator[str]:
    found = one.capital
    if found is not None and one.rules.needs_capital:
        mine, leaders = (
            "not known" if paise is None else rupees(paise) for paise in (found.mine, found.leaders)
        )
        yield f"capital: the follower's {mine}, the leader's {leaders}"


def _quantity(one: Decision, lot: int) -> Iterator[str]:
    order = one.order
    only_filled = order.cut_short or order.mirrored
    asked = order.filled if only_filled else order.terms.quantity
    if order.mirrored:
        yield f"inverse: what the leader got counts, {asked} of {order.terms.quantity}"
    elif order.cut_short:
        yield f"the leader's order ended {order.status.lower()}, so what it got counts: {asked}"
    if one.position:
        yield f"the copies hold {one.position} here"
    yield from _arithmetic(one.copy.sizing, asked, lot)
    size = share(order, one.copy, lot)
    yield f"makes {size}" + (f" ({size // lot} lots of {lot})" if lot > 1 else "")
    if one.copy.filled:
        yield f"of that {one.copy.filled} had traded already"


def _arithmetic(sizing: Sizing, quantity: int, lot: int) -> Iterator[str]:
    match sizing:
        case Multiplier(factor, rounding):
            exact = quantity * factor
            left = exact - sizing.size(quantity, lot)
            yield f"quantity: {quantity} x {_number(factor)} = {_number(exact)}"
            if left:
                more = f"{_number(left)} left over" if left > 0 else f"{_number(-left)} more"
                yield f"rounded {_plain(rounding)} to whole lots of {lot}: {more}"
        case Fixed(fixed, in_lots):
            yield f"quantity: {fixed} {'lots' if in_lots else 'shares'}, whatever the leader's"
        case Bounded(inner, least, most):
            yield from _arithmetic(inner, quantity, lot)
            for name, bound in (("at least", least), ("at most", most)):
                if bound is not None:
                    yield f"{name} {bound}"
        case Exit(mine, leaders, beyond):
            leaving = min(quantity, leaders)
            yield f"quantity: the leader leaves {leaving} of {leaders}, the same part of {mine}"
            if quantity > leaving:
                yield f"{quantity - leaving} beyond that open a position of their own"
                yield from _arithmetic(beyond, quantity - leaving, lot)
        case _:
            yield f"quantity: {sizing_words(sizing)}"


def _price(one: Decision, step: Place | Modify, terms: Terms) -> Iterator[str]:
    order, band = one.order, _percent(one.rules.protection.band * 100)
    kind = order.terms.order_type
    if kind is OrderType.MARKET or step.reference is not None:
        if step.reference is None:
            yield "price: MARKET, as nobody had told a price"
            return
        copied = "fill" if order.mirrored else "MARKET"
        limit = f"price: a limit of {rupees(terms.price)} for the leader's {copied}"
        yield f"{limit}, from {_reference(one, step.reference)} with a band of {band}"
    elif kind is OrderType.STOP_LOSS_MARKET:
        limit = f"a limit of {rupees(terms.price)}" if terms.price else "no limit"
        yield f"price: the leader's trigger {rupees(terms.trigger)}, {limit}, a band of {band}"
    elif terms.price == order.terms.price:
        yield f"price: the leader's {rupees(terms.price)}"
    else:
        yield f"price: {rupees(terms.price)} for the leader's {rupees(order.terms.price)}"


def _reference(one: Decision, reference: int) -> str:
    """Where the price comes from that a protected limit was made of."""
    words = rupees(reference)
    if reference == round(one.order.average_price or 0):
        return f"{words} (the leader's average price)"
    if one.price is not None and reference == one.price.paise:
        return f"{words} (the last price, told at {one.price.at.astimezone(IST):%H:%M:%S})"
    if reference == one.order.terms.price:
        return f"{words} (the price of the leader's order)"
    return f"{words} (the price when it was placed)"


def _value(name: str, value: object) -> str:
    if isinstance(value, tuple):
        return " ".join(map(_plain, value))
    if isinstance(value, Fraction):
        return f"{float(value):g}"
    if isinstance(value, int) and not isinstance(value, bool) and name.endswith(_MONEY):
        return rupees(value)
    return _plain(value)


def _plain(value: object) -> str:
    words = str(value.value if isinstance(value, Enum) else value)
    return words.replace("_", " ") if words.islower() else words


def _number(value: Fraction) -> str:
    return f"{float(value):.10g}"


def _percent(value: Fraction) -> str:
    return f"{float(value):g} %"


def _seconds(length: timedelta) -> str:
    return f"{length.total_seconds():g} s"
