"""A pytest plugin that puts a server behind httpbin's test client: what its tests send goes over HTTP.

Only the WSGI application is replaced, by one that forwards each request as it is; client, requests and assertions are
those of httpbin's own tests.
"""

import http.client
import os
from contextlib import closing

import httpbin

PORT = int(os.environ["HTTPBIN_PORT"])


def forward(environ, start_response):
    """Sends a request to the server, byte for byte what its environ says, and returns the answer."""
    headers = [
        (name.removeprefix("HTTP_").replace("_", "-").title(), value)
        for name, value in environ.items()
        if value and (name.startswith("HTTP_") or name in ("CONTENT_TYPE", "CONTENT_LENGTH"))
    ]
    body = environ["wsgi.input"].read()
    if "HTTP_TRANSFER_ENCODING" in environ:  # as every client does, in place of the length that an environ has as well
        headers = [field for field in headers if field[0] != "Content-Length"]
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    with closing(http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)) as connection:
        connection.putrequest(environ["REQUEST_METHOD"], environ["RAW_URI"], skip_host=True, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders(body or None)
        response = connection.getresponse()
        answer = response.read()
    start_response(f"{response.status} {response.reason}", response.getheaders())
    return [answer]


httpbin.app.wsgi_app = forward
