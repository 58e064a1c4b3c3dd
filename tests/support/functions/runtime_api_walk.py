"""A runtime that calls the Runtime API in and out of order, and records the answers."""

import http.client
import json
import os
import sys
import time
from pathlib import Path

API = os.environ["AWS_LAMBDA_RUNTIME_API"]
TRANSCRIPT = Path(sys.argv[1])
steps = []


def call(label, method, path, body=None, headers=None):
    connection = http.client.HTTPConnection(API, timeout=30)
    connection.request(method, f"/2018-06-01/runtime{path}", body, headers or {})
    response = connection.getresponse()
    text = response.read().decode()
    fields = {name.lower(): value for name, value in response.getheaders()}
    steps.append({"step": label, "status": response.status, "headers": fields, "body": text, "at": time.time()})
    return fields.get("lambda-runtime-aws-request-id")


def answer(label, request_id, kind, body, headers=None):
    call(label, "POST", f"/invocation/{request_id}/{kind}", body, headers)


answer("a response before the first event", "none", "response", "{}")
first = call("the first event", "GET", "/invocation/next")
answer("a response to another request", "none", "response", "{}")
answer("an error of another request", "none", "error", "{}")
call("an init error after init", "POST", "/init/error", "{}")
call("a path that isn't there", "GET", "/nothing")
call("a response by GET", "GET", f"/invocation/{first}/response")
call("the first event again", "GET", "/invocation/next")
answer("the response", first, "response", '"one"')
answer("a second response", first, "response", '"two"')
answer("an error after the response", first, "error", "{}")
second = call("the second event", "GET", "/invocation/next")
answer("a response to the event before", first, "response", '"late"')
answer("the error", second, "error", '{"errorMessage":"m","errorType":"T"}', {"Content-Type": "application/json"})
answer("a response after the error", second, "response", '"no"')
third = call("the third event", "GET", "/invocation/next")
answer("a response that is too large", third, "response", b'"' + b"x" * (6 * 1024 * 1024 + 100) + b'"')
answer("a small one after it", third, "response", '"small"')

TRANSCRIPT.with_suffix(".partial").write_text(json.dumps(steps))
TRANSCRIPT.with_suffix(".partial").rename(TRANSCRIPT)
call("the fourth event", "GET", "/invocation/next")
