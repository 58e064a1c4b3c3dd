"""A request as if sent over https to the API's public name, not to an address on this machine."""

from dualmode.gateway.http.message import Request

# In these headers a browser names the page that sends a request; an application compares it with its own address.
_NAMING_ORIGIN = frozenset(("origin", "referer"))


def sent_to(request: Request, name: str | None = None) -> Request:
    """The request with `name` as its Host (None keeps what was sent), and its page's address made to match.

    Without that, protection against cross-site forgery, which compares both, refuses every form from a browser.
    """
    served = next((value for key, value in request.headers if key.lower() == "host"), "")
    local, public = f"http://{served}", f"https://{name or served}"

    def renamed(key: str, value: str) -> str:
        if key == "host":
            return name or value
        if key in _NAMING_ORIGIN and f"{value}/".startswith(f"{local}/"):
            return public + value.removeprefix(local)
        return value

    headers = tuple((key, renamed(key.lower(), value)) for key, value in request.headers)
    if name and not served:
        headers = (("Host", name), *headers)
    return Request(
        method=request.method, target=request.target, headers=headers, body=request.body, client=request.client
    )
