"""Stands in for Pulumi's host of Python programs, which no package index has: the SDK's own server, as a plugin.

Source: pulumi/pulumi, sdk/python/cmd/pulumi-language-python/main.go: the first line that it prints is its port.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
from concurrent import futures
from typing import Any

import grpc
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2_grpc


class Host(LanguageServer):
    """Runs the program of a folder."""

    def __init__(self) -> None:
        super().__init__(lambda: runpy.run_path("__main__.py", run_name="__main__"))

    def Run(self, request: Any, context: Any) -> Any:  # noqa: N802  the protocol's name
        os.chdir(request.pwd)
        sys.path.insert(0, request.pwd)
        return super().Run(request, context)


def main() -> None:
    server = grpc.server(futures.ThreadPoolExecutor())
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(Host(), server)
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the engine ends it
    server.wait_for_termination()


if __name__ == "__main__":
    main()
