"""The broker's risk management: why an order does not get into the market."""

from simulator.accounts import Account
from simulator.orders import BrokerOrder


def objection(account: Account, order: BrokerOrder) -> str:
    """Why the order is not let in, empty when it is."""
    if account.killed:
        return "Kill switch is active"
    return _about_instrument(order) or _about_shares(account, order) or _about_funds(account, order)


def _about_instrument(order: BrokerOrder) -> str:
    listing, terms = order.listing, order.terms
    if terms.quantity % listing.lot:
        return f"Quantity is not a multiple of lot size {listing.lot}"
    if listing.freeze and terms.quantity >= listing.freeze:
        return f"Quantity exceeds freeze quantity {listing.freeze - 1}"
    for price in (terms.price, terms.trigger):
        if price % listing.tick:
            return f"Price is not a multiple of tick size {listing.tick / 100:.2f}"
        if price and listing.upper and not listing.lower <= price <= listing.upper:
            low, high = listing.lower / 100, listing.upper / 100
            return f"Order Price needs to be Circuit Limits of {low:.2f} to {high:.2f}"
    return ""


def _about_shares(account: Account, order: BrokerOrder) -> str:
    if (order.product, order.side) != ("CNC", "SELL"):
        return ""
    there = max(0, account.deliverable(order))
    if order.remaining > there:
        return f"Insufficient holdings, Available:{there}, Required:{order.remaining}"
    return ""


def _about_funds(account: Account, order: BrokerOrder) -> str:
    needed, available = account.needed(order)
    if needed > max(0, available):
        return (
            f"Fund Limit Insufficient, Available:{available / 100:.2f}, Required:{needed / 100:.2f}"
        )
    return ""
