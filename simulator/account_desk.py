"""The REST API's endpoints about an account: money, positions, addresses, tokens."""

from aiohttp import web

from simulator.answers import dead, told
from simulator.ask import MISSING, PRODUCTS, SIDES, Ask, Refused, Terms
from simulator.calls import Call, one_of, paise, whole
from simulator.consent import granted
from simulator.orders import wire_time
from simulator.positions import margin
from simulator.tokens import LIFETIME, good_totp


def positions(call: Call) -> web.Response:
    """GET /positions"""
    last = call.box.exchange.last_price
    return told(
        [
            position.row(call.account.client_id, last(position.listing))
            for position in call.account.held.values()
        ]
    )


def exit_positions(call: Call) -> web.Response:
    """DELETE /positions: closes them at the market, leaves pending orders alone."""
    for position in list(call.account.held.values()):
        if position.net:
            side = "SELL" if position.net > 0 else "BUY"
            terms = Terms("MARKET", abs(position.net))
            ask = Ask(position.listing, side, position.product, terms)
            call.box.exchange.place(call.account, ask)
    return told({"status": "SUCCESS", "message": "All positions exited"})


def holdings(call: Call) -> web.Response:
    """GET /holdings: what earlier days delivered; an empty portfolio is an error 500 at Dhan."""
    if not call.account.holdings:
        raise Refused("No holdings available", "DH-1111", 500)
    last = call.box.exchange.last_price
    return told([holding.row(last(holding.listing)) for holding in call.account.holdings.values()])


def funds(call: Call) -> web.Response:
    """GET /fundlimit, with Dhan's spelling; pledged collateral is in the balance."""
    account = call.account
    blocked = account.blocked()
    return told(
        {
            "dhanClientId": account.client_id,
            "availabelBalance": (account.funds - blocked + account.collateral) / 100,
            "sodLimit": account.funds / 100,
            "collateralAmount": account.collateral / 100,
            "receiveableAmount": 0.0,
            "utilizedAmount": blocked / 100,
            "blockedPayoutAmount": 0.0,
            "withdrawableBalance": (account.funds - blocked) / 100,
        }
    )


def profile(call: Call) -> web.Response:
    """GET /profile"""
    ends = call.account.expires or call.box.exchange.now() + LIFETIME
    return told(
        {
            "dhanClientId": call.account.client_id,
            "tokenValidity": f"{ends:%d/%m/%Y %H:%M}",
            "activeSegment": "E, D, C, M, ",
            "ddpi": "Active",
            "mtf": "Active",
            "dataPlan": "Active",
            "dataValidity": f"{wire_time(ends)}.0",
        }
    )


def margin_of(call: Call) -> web.Response:
    """POST /margincalculator: by the rule that the simulator's risk management uses."""
    body = call.body
    segment, security_id = str(body.get("exchangeSegment")), str(body.get("securityId"))
    listing = call.box.exchange.listing(segment, security_id)
    quantity = whole(body, "quantity")
    if quantity <= 0:
        raise Refused(MISSING, "DH-905")
    value = quantity * (paise(body, "price") or call.box.exchange.last_price(listing))
    product, side = one_of(body, "productType", PRODUCTS), one_of(body, "transactionType", SIDES)
    total = margin(listing, product, side, value)
    available = call.account.available()
    return told(
        {
            "totalMargin": total / 100,
            "spanMargin": 0.0,
            "exposureMargin": 0.0,
            "availableBalance": available / 100,
            "variableMargin": 0.0,
            "insufficientBalance": max(0, total - available) / 100,
            "brokerage": 0.0,
            "leverage": f"{value / total:.2f}" if total not in (0, value) else "1X",
        }
    )


def last_prices(call: Call) -> web.Response:
    """POST /marketfeed/ltp: for accounts with the paid data API; the refusal comes as a 200."""
    if not call.account.quotes:
        return told({"errorCode": 806, "errorMessage": "Data APIs not subscribed"})
    exchange, found = call.box.exchange, dict[str, dict[str, object]]()
    for segment, asked in call.body.items():
        for security_id in asked if isinstance(asked, list) else ():
            key = (segment, str(security_id))
            if key in exchange.quotes:
                price = {"last_price": exchange.quotes[key].price / 100}
                found.setdefault(segment, {})[str(security_id)] = price
    return told({"data": found, "status": "success"})


def kill_switch(call: Call) -> web.Response:
    """GET and POST /killswitch; needs all positions closed and no pending orders."""
    account = call.account
    if call.request.method == "POST":
        activate = call.query.get("killSwitchStatus") == "ACTIVATE"
        if activate and (account.live or any(p.net for p in account.held.values())):
            raise Refused("Kill switch needs all positions closed and no pending orders")
        account.killed = activate
    state = "ACTIVATE" if account.killed else "DEACTIVATE"
    return told({"dhanClientId": account.client_id, "killSwitchStatus": state})


def addresses(call: Call) -> web.Response:
    """GET /ip/getIP: where orders may come from, and whether they may from here."""
    primary, secondary = (*call.account.allowed_ips, "", "")[:2]
    allowed = call.account.admits(call.peer)
    changed = f"{call.account.opened:%Y-%m-%d}"
    return told(
        {
            "modifyDateSecondary": changed if secondary else "",
            "secondaryIP": secondary,
            "modifyDatePrimary": changed if primary else "",
            "primaryIP": primary,
            "detectedIP": call.peer,
            "ipMatchStatus": allowed,
            "ordersAllowed": allowed,
        }
    )


def renew(call: Call) -> web.Response:
    """GET or POST /RenewToken: a new token for one that was made on Dhan's web page and still
    lives; the old one dies at once."""
    if not call.account.by_web:
        raise Refused("Only tokens that were generated on Dhan Web can be renewed", "DH-905")
    call.box.grant(call.account)
    return told(granted(call.account))


def generate(call: Call) -> web.Response:
    """POST /app/generateAccessToken?dhanClientId&pin&totp: a token for who has none."""
    account, query = call.account, call.query
    now = call.box.exchange.now().timestamp()
    if query.get("pin") != account.pin:
        raise dead()
    if not good_totp(account.totp_secret, query.get("totp", ""), now):
        raise dead()
    call.box.grant(account, by_web=False)
    return told(granted(account))
