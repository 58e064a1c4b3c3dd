"""A payload format 2.0 event (HTTP API, Function URL) as a WSGI environ.

Source: the HTTP API developer guide, "Create AWS Lambda proxy integrations for HTTP APIs"; PEP 3333.
"""

import sys
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Callable
from io import BytesIO
from typing import Any

Event = dict[str, Any]
Environ = dict[str, Any]

# A client chooses its header names: this limits how many of them the process remembers.
_MOST_NAMES = 1024

# A table for bytes.translate, not a pattern: compiling a pattern would take longer than this whole module.
_IN_PATHS = b"/!$&'()*+,;=:@-._~abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def make_environ_from_event(base_path: str = "") -> Callable[[Event, object], Environ]:
    """Returns the environ for a payload 2.0 event and its context.

    Args:
        base_path: the mapping key of a custom domain, as "/key", or "". The event doesn't contain it.
    """
    # Length and cookies come from other parts of the event; None marks a name that is dropped.
    keys: dict[str, str | None] = {"content-type": "CONTENT_TYPE", "content-length": None, "cookie": None}

    def key_of(name: str) -> str | None:
        canonical = name.lower()
        if "_" in name or not name.isascii():
            # X_User would get the key of X-User, which a proxy may have checked. So would a name with a letter
            # beyond ASCII that lower() or upper() turns into ASCII, such as the Kelvin sign.
            key = None
        elif canonical in keys:
            key = keys[canonical]
        else:
            key = "HTTP_" + name.upper().replace("-", "_")
        if len(keys) < _MOST_NAMES:
            keys[name] = key
        return key

    def environ_from_event(event: Event, context: object) -> Environ:
        request: dict[str, Any] = event["requestContext"]
        http: dict[str, Any] = request["http"]
        headers: dict[str, str] = event.get("headers") or {}
        domain: str = request.get("domainName") or ""

        path: str = event.get("rawPath") or "/"
        if not path.isascii():
            path = _as_latin_1(path)
        if "%" in path and ".lambda-url." in domain:
            path = _unquoted(path)  # HTTP APIs have decoded it already
        script_name = ""
        stage = request.get("stage") or "$default"
        if stage != "$default":
            prefix = "/" + stage
            if begins(path, prefix):
                script_name, path = prefix, path[len(prefix) :]
        if base_path and ".execute-api." not in domain and ".lambda-url." not in domain:
            script_name = base_path  # what the client typed, instead of the stage that it was mapped to

        query: str = event.get("rawQueryString") or ""
        if not query.isascii():
            query = _as_latin_1(query)

        body = body_of(event)
        method: str = http.get("method") or "GET"
        scheme = headers.get("x-forwarded-proto") or "https"
        if scheme != "https":
            scheme = "http" if scheme.rpartition(",")[2].strip().lower() == "http" else "https"
        port = headers.get("x-forwarded-port") or ""
        if port != "443":
            port = port.rpartition(",")[2].strip()
            if not (len(port) <= 5 and port.isascii() and port.isdigit() and 0 < int(port) <= 65535):
                port = "443" if scheme == "https" else "80"
        client: str = http.get("sourceIp") or ""
        uri = script_name + path
        if uri.encode("latin-1").translate(None, _IN_PATHS):
            uri = _quoted(uri)
        if query:
            uri = f"{uri}?{query}"

        environ: Environ = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": script_name,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": domain or "localhost",
            "SERVER_PORT": port,
            "SERVER_PROTOCOL": http.get("protocol") or "HTTP/1.1",
            "REMOTE_ADDR": _address(client) if ":" in client else client,
            # Not in PEP 3333, but Flask's own server sets both; the path came decoded, so it is encoded again.
            "REQUEST_URI": uri,
            "RAW_URI": uri,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": scheme,
            "wsgi.input": BytesIO(body),
            "wsgi.input_terminated": True,
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,  # execution environments don't share memory or disk
            "wsgi.run_once": False,
            "lambda.event": event,
            "lambda.context": context,
            "lambda.authorizer": request.get("authorizer") or {},
        }
        # The event's own length is "0" also for a request without a body. A client sends that only if the method
        # usually has a body (RFC 9110, 8.6).
        if body or method in ("POST", "PUT", "PATCH"):
            environ["CONTENT_LENGTH"] = str(len(body))
        for name, value in headers.items():
            try:
                key = keys[name]
            except KeyError:
                key = key_of(name)
            if key is not None:
                environ[key] = value if value.isascii() else _header_as_latin_1(value)
        cookies = event.get("cookies")
        cookie = "; ".join(cookies) if cookies else headers.get("cookie") or ""
        if cookie:
            environ["HTTP_COOKIE"] = cookie if cookie.isascii() else _header_as_latin_1(cookie)
        return environ

    return environ_from_event


def begins(path: str, prefix: str) -> bool:
    """Tells whether a path begins with another one, in whole segments."""
    return path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] in ("", "/")


def body_of(event: Event) -> bytes:
    """Returns the bytes that the client sent.

    Raises:
        binascii.Error: the event says that its body is base64, but it isn't.
    """
    body: str | None = event.get("body")
    if not body:
        return b""
    if event.get("isBase64Encoded"):
        if not body.isascii():
            raise Base64Error("Only ASCII characters are base64")
        return a2b_base64(body, strict_mode=True)
    return body.encode("utf-8", "surrogatepass")


def _as_latin_1(text: str) -> str:
    """Returns the text's UTF-8 bytes as a WSGI string (latin-1)."""
    return text.encode("utf-8", "replace").decode("latin-1")


def _header_as_latin_1(value: str) -> str:
    """Returns a header's value as a WSGI string (latin-1); it may already be one."""
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        return _as_latin_1(value)
    return value


def _unquoted(path: str) -> str:
    from urllib.parse import unquote_to_bytes

    return unquote_to_bytes(path.encode("latin-1")).decode("latin-1")


def _quoted(path: str) -> str:
    from urllib.parse import quote

    return quote(path, "/!$&'()*+,;=:@", encoding="latin-1")


def _address(client: str) -> str:
    """Returns the address without a port: with mutual TLS, API Gateway adds the port (docs/http-api.md, R40)."""
    if client.startswith("["):
        return client[1:].partition("]")[0]
    return client.partition(":")[0] if client.count(":") == 1 else client
