"""The page's buttons that set and clear faults: which there are, which are set, and what a click does."""

import json
import threading
from collections.abc import Callable

from dualmode.gateway.http.message import Request, Response, json_response
from sandbox.errors import SandboxError
from sandbox.faults import IN_THE_ACCOUNT, IN_THE_FUNCTION, NAMES, SENTENCES, Faults

_PLACES = {"In the function's process, one at a time": IN_THE_FUNCTION, "In the account": IN_THE_ACCOUNT}


class FaultButtons:
    """Answers clicks, and tells every page of each change: `tell` gets the places, each with its faults."""

    def __init__(self, faults: Faults, tell: Callable[[object], None]) -> None:
        self._faults = faults
        self._tell = tell
        self._lock = threading.Lock()
        self._told: object = None

    def look(self) -> None:
        """Tell pages of the faults if one was set or cleared since the last time, by whomever."""
        with self._lock:  # of two changes at once, the later one is told last
            standing = self._faults.standing()
            if standing != self._told:
                self._told = standing
                self._tell(_document(standing))

    def clicked(self, request: Request) -> Response:
        """Set or clear what the request names, and answer with `{}`, or with a sentence that says why not."""
        try:
            form = json.loads(request.body)
            wanted, names = form["set"], form["names"]
            valid = (
                isinstance(wanted, bool) and isinstance(names, list) and all(isinstance(each, str) for each in names)
            )
        except (ValueError, KeyError, TypeError):
            valid = False
        if not valid:
            return _said(400, 'The form is JSON: {"set": true, "names": ["timeout"]}, with false to clear them.')
        unknown = next((name for name in names if name not in NAMES), None)
        if unknown is not None:
            return _said(400, f"There is no fault '{unknown}': use {', '.join(NAMES)}.")
        try:
            for name in names:
                (self._faults.set if wanted else self._faults.clear)(name)
        except SandboxError as error:
            return _said(409, str(error))
        finally:
            self.look()
        return json_response(200, {})


def _document(standing: tuple[str, ...]) -> list[dict[str, object]]:
    return [
        {
            "place": place,
            "faults": [{"name": name, "sentence": SENTENCES[name], "set": name in standing} for name in names],
        }
        for place, names in _PLACES.items()
    ]


def _said(status: int, sentence: str) -> Response:
    return json_response(status, {"message": sentence})
