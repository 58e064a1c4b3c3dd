"""A function of the tests whose answer is its event."""

from __future__ import annotations

import json


class Echo:
    """A function whose result is its event, which API Gateway sends as it is."""

    failure = None

    def describe(self, version):
        return "here"

    def invoke(self, version, event, *, qualifier, timeout, logged):
        if self.failure:
            raise self.failure
        self.called = (version.version, qualifier, timeout)
        return json.dumps({"statusCode": 200, "body": event.decode()}).encode()
