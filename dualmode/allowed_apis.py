"""Which APIs and load balancers may send requests.

An event says itself which API it is from, and a source such as EventBridge's `inputPath` or an IoT rule lets others
choose all of an event's text: it could pose as a request, with an authorizer's claims. What a deployment sets here is
compared with what the event says.
"""

from collections.abc import Mapping

SETTING = "DUALMODE_API_ID"


def allowed(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Returns the ids of APIs and ARNs of target groups whose requests are taken; with none, all are."""
    return tuple(name for part in environ.get(SETTING, "").split(",") if (name := part.strip()))


def refusal(came: object, ids: tuple[str, ...]) -> Exception:
    """Returns the error of a request whose event says that it is from `came`, where only `ids` are allowed."""
    from dualmode.events import EventError

    source = repr(str(came)[:200]) if came else "an API that it doesn't name"
    return EventError(
        f"The event has the shape of a request from {source}, and {SETTING} allows only {', '.join(ids)}: add the id"
        " there if its requests are to be taken."
    )
