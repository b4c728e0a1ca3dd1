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


class ControlRoom:
    """The control API's endpoints."""

    def __init__(self, box: Box) -> None:
        self._verbs = {
            name: validate_call(method)
            for kind in _KINDS
            for name, method in inspect.getmembers(kind(box), inspect.ismethod)
            if not name.startswith("_")
        }

    async def serve(self, request: web.BaseRequest, verb: str) -> web.Response:
        """Answer a request for a verb; without one, show them all."""
        if not verb:
            return _result({name: _shown(method) for name, method in self._verbs.items()})
        method = self._verbs.get(verb)
        if method is None:
            return _error(f"there is no verb {verb}; GET /control lists them", 404)
        try:
            return _result(method(**json.loads(await request.read() or "{}")))
        except ValidationError as wrong:
            return _error(f"{verb}: {_in_words(wrong)}", 400)
        except Unknown as unknown:
            return _error(f"{verb}: {unknown}", 404)
        except (Refused, ValueError, TypeError) as refused:
            return _error(f"{verb}: {refused}", 400)


def _shown(method: Callable[..., object]) -> dict[str, str]:
    arguments = []
    for name, parameter in inspect.signature(method).parameters.items():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            (changes,) = get_args(parameter.annotation)
            arguments += [f"[{change}]" for change in changes.__annotations__]
        else:
            needed = parameter.default is inspect.Parameter.empty
            arguments.append(name if needed else f"[{name}={parameter.default!r}]")
    return {"arguments": " ".join(arguments), "does": inspect.getdoc(method) or ""}


def _result(content: object) -> web.Response:
    return web.json_response({"result": content})


def _error(words: str, status: int) -> web.Response:
    return web.json_response({"error": words}, status=status)


def _in_words(wrong: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(str(part) for part in error['loc'])}: {error['msg']}"
        for error in wrong.errors(include_url=False, include_input=False)
    )
