"""X-Ray trace ids, as API Gateway puts them into a request and Lambda passes them to a function."""

import os


def new_trace_root(time: float) -> str:
    """An X-Ray root id made at `time` (seconds since the epoch): `1-8 hex-24 hex`.

    Source: X-Ray Developer Guide, "Sending trace data to X-Ray", trace id format.
    """
    return f"1-{int(time):08x}-{os.urandom(12).hex()}"


def new_trace_id(root: str) -> str:
    """A trace id as Lambda gives it to a function for a request that isn't sampled: `Root=…;Parent=…;Sampled=0`."""
    return f"Root={root};Parent={os.urandom(8).hex()};Sampled=0"
