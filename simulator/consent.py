"""Logging in with an API key, as Dhan's login host has it: an app asks for a consent, the account's
owner gives it in a browser, and what the browser is led to buys the app a token.

The owner is played here by whoever opens the page. How Dhan words its refusals is not known.
"""

import secrets
from urllib.parse import urlencode

from aiohttp import web

from simulator.accounts import Account
from simulator.answers import dead, told
from simulator.ask import Refused
from simulator.calls import Call

CONSENTS_A_DAY = 25
REDIRECT = "http://127.0.0.1:9/done"


def ask(call: Call) -> web.Response:
    """POST /app/generate-consent?client_id"""
    account = call.account
    _know(call)
    if account.consents_asked >= CONSENTS_A_DAY:
        raise Refused("Too many consents today", "DH-904", 429)
    account.consents_asked += 1
    consent_id = secrets.token_urlsafe(16)
    account.consents[consent_id] = ""
    answer = {"consentAppId": consent_id, "consentAppStatus": "GENERATED", "status": "success"}
    return told(answer)


def page(call: Call) -> web.Response:
    """GET /login/consentApp-login?consentAppId: the owner logs in, and is led on."""
    consent_id = call.query.get("consentAppId", "")
    if call.account.consents.get(consent_id) != "":
        raise dead()
    token_id = call.account.consents[consent_id] = f"tokenid-{secrets.token_urlsafe(16)}"
    place = f"{REDIRECT}?{urlencode({'tokenId': token_id})}"
    return web.Response(status=302, headers={"Location": place})


def consume(call: Call) -> web.Response:
    """GET /app/consumeApp-consent?tokenId: a token for a consent, once."""
    account = call.account
    _know(call)
    token_id = call.query.get("tokenId", "")
    if not token_id or token_id not in account.consents.values():
        raise Refused("Invalid tokenId", "DH-905")
    account.consents = {key: one for key, one in account.consents.items() if one != token_id}
    call.box.grant(account, by_web=False)
    return told({"givenPowerOfAttorney": True, **granted(account)})


def granted(account: Account) -> dict[str, str]:
    """The account's new token, as Dhan tells of one."""
    ends = account.expires
    return {
        "dhanClientId": account.client_id,
        "accessToken": account.token,
        "expiryTime": f"{ends:%Y-%m-%dT%H:%M:%S}" if ends else "",
    }


def _know(call: Call) -> None:
    """Raises Refused unless the account's own app asks."""
    headers, account = call.request.headers, call.account
    said = headers.get("app_id", ""), headers.get("app_secret", "")
    if not account.api_key or said != (account.api_key, account.api_secret):
        raise Refused("Invalid app_id or app_secret", "DH-901", 401)
