"""The control API: steers a running simulator over HTTP, `POST /control/{verb}` with a JSON object
of the verb's arguments, answered by `{"result": ...}` or `{"error": "..."}`.

Prices and amounts are rupees, quantities shares. `GET /control` lists the verbs with their
arguments. `simulator.client.Control` is the same from Python.
"""

import inspect
import json
from collections.abc import Callable
from typing import get_args

from aiohttp import web
from pydantic import ValidationError, validate_call

from simulator.account_verbs import AccountVerbs, FaultVerbs, SocketVerbs
from simulator.ask import Refused
from simulator.box import Box
from simulator.market_verbs import MarketVerbs, OrderVerbs
from simulator.verbs import Unknown

_KINDS = (AccountVerbs, MarketVerbs, OrderVerbs, FaultVerbs, SocketVerbs)
_VERBS = {
    name: (kind, validate_call(function))
    for kind in _KINDS
    for name, function in inspect.getmembers(kind, inspect.isfunction)
    if not name.startswith("_")
}


class ControlRoom:
    """The control API's endpoints."""

    def __init__(self, box: Box) -> None:
        self._kinds = {kind: kind(box) for kind in _KINDS}

    async def serve(self, request: web.BaseRequest, verb: str) -> web.Response:
        """Answer a request for a verb; without one, show them all."""
        if not verb:
            return _result({name: _shown(function) for name, (_, function) in _VERBS.items()})
        if verb not in _VERBS:
            return _error(f"there is no verb {verb}; GET /control lists them", 404)
        kind, function = _VERBS[verb]
        try:
            arguments = json.loads(await request.read() or "{}")
            return _result(function(self._kinds[kind], **arguments))
        except ValidationError as wrong:
            return _error(f"{verb}: {_in_words(wrong)}", 400)
        except Unknown as unknown:
            return _error(f"{verb}: {unknown}", 404)
        except (Refused, ValueError, TypeError) as refused:
            return _error(f"{verb}: {refused}", 400)


def _shown(function: Callable[..., object]) -> dict[str, str]:
    arguments = []
    _, *parameters = inspect.signature(function).parameters.values()
    for parameter in parameters:
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            (changes,) = get_args(parameter.annotation)
            arguments += [f"[{change}]" for change in changes.__annotations__]
        elif parameter.default is inspect.Parameter.empty:
            arguments.append(parameter.name)
        else:
            arguments.append(f"[{parameter.name}={parameter.default!r}]")
    return {"arguments": " ".join(arguments), "does": inspect.getdoc(function) or ""}


def _result(content: object) -> web.Response:
    return web.json_response({"result": content})


def _error(words: str, status: int) -> web.Response:
    return web.json_response({"error": words}, status=status)


def _in_words(wrong: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(str(part) for part in error['loc'])}: {error['msg']}"
        for error in wrong.errors(include_url=False, include_input=False)
    )
