"""Which APIs and load balancers may send requests.

The event itself says which API it is from. With a source such as EventBridge's `inputPath` or an IoT rule, others can
choose the whole text of an event: it could look like a request, with an authorizer's claims. So the event's API is
compared with the setting of the deployment.
"""

from collections.abc import Mapping

SETTING = "DUALMODE_API_ID"


def allowed(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Returns the API ids and target group ARNs whose requests are accepted; if it is empty, all are."""
    return tuple(name for part in environ.get(SETTING, "").split(",") if (name := part.strip()))


def refusal(came: object, ids: tuple[str, ...]) -> Exception:
    """Returns the error for a request whose event says it is from `came`, when only `ids` are allowed."""
    from dualmode.events import EventError

    source = repr(str(came)[:200]) if came else "an API without an id"
    return EventError(
        f"The event has the shape of a request from {source}, but {SETTING} allows only {', '.join(ids)}: to"
        " accept its requests, add its id there."
    )
