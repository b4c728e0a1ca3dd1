"""Why Dhan, its risk management or the exchange said no, from their own words.

The phrases are narrow on purpose: some classes park an account or let a placement be tried again,
and a word such as "price" or "token" also stands in refusals for other reasons.
"""

import re

from domain.outcomes import Refused
from domain.shut import says_shut

_SOON = r"\b.{0,40}?\b"


def _phrases(*phrases: str) -> re.Pattern[str]:
    return re.compile("|".join(rf"\b(?:{phrase})\b" for phrase in phrases))


_ANY_REQUEST = (
    (Refused.ADDRESS, _phrases("invalid ip", "ip address", "static ip")),
    (
        Refused.TOKEN,
        _phrases(
            "invalid token",
            "token (?:is |has )?expired",
            "token is invalid",
            "(?:invalid|expired) access token",
        ),
    ),
)
_CHANGES = (
    (Refused.IN_TRANSIT, _phrases("transit state", "in transit")),
    (
        Refused.MODIFICATIONS,
        _phrases(
            "modification limit",
            r"(?:maximum|more than) (?:number of )?(?:\d+ )?modifications?",
            "modifications? (?:is |has been |have been )?(?:exceeded|exhausted)",
        ),
    ),
    (
        Refused.GONE,
        _phrases(
            "already (?:traded|executed|cancelled|rejected|completed?)",
            "order is (?:traded|executed|cancelled|rejected|completed?)",
            "(?:not|no longer) open",
            "incorrect request for order",
        ),
    ),
)
_ORDERS = (
    (Refused.HOLDING, _phrases("holdings?", "edis", "ddpi")),
    (
        Refused.MARGIN,
        _phrases(
            "insufficient (?:funds?|balance|margin)",
            "(?:margin|funds?) (?:limit )?(?:shortfall|exceeds?|exceeded|required|insufficient)",
            "shortfall",
        ),
    ),
    (
        Refused.PRICE,
        _phrases(
            "circuit",
            "price (?:band|range)",
            "tick size",
            f"price{_SOON}(?:should|must|needs?|multiple|outside|beyond|exceeds?|invalid)",
            "invalid (?:trigger )?price",
        ),
    ),
    (
        Refused.QUANTITY,
        _phrases(
            "freeze (?:limit|quantity|qty)",
            "lot size",
            f"(?:quantity|qty){_SOON}(?:should|must|multiple|exceeds?|invalid|minimum|maximum)",
            "(?:invalid|maximum|minimum|exceeds) (?:order )?(?:quantity|qty)",
        ),
    ),
    (Refused.PRODUCT, _phrases(f"product{_SOON}(?:not|invalid)", "invalid product")),
    (
        Refused.SEGMENT,
        _phrases(f"segment{_SOON}(?:not|inactive|disabled)", "(?:invalid|inactive) segment"),
    ),
    (
        Refused.INSTRUMENT,
        _phrases(
            "(?:invalid|unknown) (?:security|instrument|scrip|symbol)",
            f"(?:security|instrument|scrip){_SOON}(?:not|invalid|banned|suspended|expired)",
        ),
    ),
)

_DOUBLE = _phrases(
    "duplicate (?:order|request|tag|correlation ?id)",
    f"(?:order|correlation ?id|tag){_SOON}already (?:exists?|placed|used|in use|received)",
)


def is_double(message: str) -> bool:
    """Whether a placement is refused because there is one like it already: then the first is there,
    or on its way, and it is no refusal of the order."""
    return _DOUBLE.search(message.lower()) is not None


def reason(message: str, change: bool = False) -> Refused | None:
    """The class of a refused request, None where its words fit none.

    `change` is whether an open order was to be changed or cancelled: only then can the order be
    gone, in transit or changed too often.
    """
    if kind := _first(message, _ANY_REQUEST):
        return kind
    if says_shut(message):
        return Refused.MARKET_CLOSED
    return _first(message, (*(_CHANGES if change else ()), *_ORDERS))


def _first(message: str, classes: tuple[tuple[Refused, re.Pattern[str]], ...]) -> Refused | None:
    lowered = message.lower()
    return next((kind for kind, phrases in classes if phrases.search(lowered)), None)
