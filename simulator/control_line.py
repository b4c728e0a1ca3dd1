"""How `simulator.client.Control` asks: one HTTP request for each verb."""

import http.client
import json
from typing import cast
from urllib.parse import urlsplit

_TIMEOUT_SECONDS = 30.0


class ControlError(Exception):
    """The simulator refused a control request, or could not be reached."""


class ControlLine:
    """The way to the control API at `url`."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._path = parts.path.rstrip("/")

    def _ask(self, verb: str, **arguments: object) -> object:
        """The result of a verb. Raises ControlError."""
        given = {name: value for name, value in arguments.items() if value is not None}
        body = json.dumps(given, default=str)
        line = http.client.HTTPConnection(self._host, self._port, timeout=_TIMEOUT_SECONDS)
        try:
            line.request("POST", f"{self._path}/{verb}", body, {"Connection": "close"})
            answer = json.loads(line.getresponse().read())
        except (OSError, http.client.HTTPException, ValueError) as trouble:
            raise ControlError(f"{verb}: no answer ({type(trouble).__name__})") from trouble
        finally:
            line.close()
        if "error" in answer:
            raise ControlError(str(answer["error"]))
        return cast("object", answer["result"])
