"""`python -m dualmode.gateway COMMAND…`: a local HTTP API in front of COMMAND, a Lambda function's bootstrap."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence

from dualmode.gateway.api_gateway.http_api import BODY_LIMIT, HttpApi
from dualmode.gateway.api_gateway.request_event import Endpoint
from dualmode.gateway.api_gateway.throttle import Throttle
from dualmode.gateway.http.server import HttpServer, Objection
from dualmode.gateway.lambda_.advice import Advice
from dualmode.gateway.lambda_.environment_pool import EnvironmentPool
from dualmode.gateway.lambda_.execution_environment import Environment
from dualmode.gateway.lambda_.invocation import REQUEST_LIMIT
from dualmode.gateway.lambda_.invoke_api import EventsApi
from dualmode.gateway.lambda_.log_stream import LogStream, to_stdout
from dualmode.gateway.lambda_.platform_log import JsonLog, PlatformLog, TextLog
from dualmode.gateway.lambda_.process_group import reap_orphans
from dualmode.gateway.settings import Settings, SettingsError, settings_from

# Source: sysexits.h, EX_USAGE and EX_UNAVAILABLE.
USAGE, UNAVAILABLE = 64, 69

REAP_SECONDS = 1.0


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Serve until SIGTERM or SIGINT, and return the exit status: 0, 64 for wrong usage, 69 for a port in use.

    `arguments` are the function's bootstrap: the command that starts its process.
    """
    if not arguments:
        return _fail(USAGE, "usage: python -m dualmode.gateway COMMAND [ARGUMENT…], the function's bootstrap.")
    try:
        settings = settings_from(environ, arguments)
    except SettingsError as error:
        return _fail(USAGE, str(error))
    logging.basicConfig(level=logging.WARNING, format="gateway: %(message)s")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    advice = Advice()
    environments = EnvironmentPool(lambda: _environment(settings, advice), settings.workers)
    try:
        servers = _servers(settings, environments, advice)
    except OSError as error:
        return _fail(UNAVAILABLE, str(error))
    for server in servers:
        server.start()
    http, events = (f"http://{settings.host}:{server.port}" for server in servers)
    print(f"gateway: {http} is the HTTP API, {events} takes events", file=sys.stderr, flush=True)  # noqa: T201
    first = os.getpid() == 1
    while not stop.wait(REAP_SECONDS if first else None):
        reap_orphans()
    environments.stop()
    for server in servers:
        server.stop()
    return 0


def _servers(settings: Settings, environments: EnvironmentPool, advice: Advice) -> tuple[HttpServer, HttpServer]:
    throttle = Throttle(*settings.throttle) if settings.throttle else None
    endpoint = Endpoint(
        account_id=settings.function.account_id, api_id=settings.api_id, mapping_key=settings.mapping_key
    )
    api = HttpApi(environments, endpoint=endpoint, options=settings.http_api, throttle=throttle, advice=advice)
    events = EventsApi(environments, version=settings.function.version, hosts=settings.events_hosts)
    return (
        # Any Host is accepted: callers here are only clients, and an application may have any name
        _bound(settings.host, settings.port, "PORT", api, BODY_LIMIT, None),
        _bound(settings.host, settings.events_port, "EVENTS_PORT", events, REQUEST_LIMIT, events.objection),
    )


def _bound(
    host: str, port: int, variable: str, api: HttpApi | EventsApi, body_limit: int, objection: Objection | None
) -> HttpServer:
    try:
        return HttpServer(host, port, api.respond, refuse=api.refuse, objection=objection, body_limit=body_limit)
    except OSError as error:
        number = error.errno or 0
        reason = os.strerror(number) if number > 0 else str(error)  # a name that doesn't resolve has none
        raise OSError(f"{variable} {port} can't be used on {host}: {reason}.") from error


def _environment(settings: Settings, advice: Advice) -> Environment:
    stream = LogStream(to_stdout, settings.log_filter)
    log: PlatformLog = TextLog(stream, settings.function.version)
    if settings.log_format == "JSON":
        function = settings.function
        log = JsonLog(stream, function_name=function.name, version=function.version, level=settings.system_log_level)
    return Environment(settings.function, stream, log, advice)


def _fail(status: int, sentence: str) -> int:
    print(f"gateway: {sentence}", file=sys.stderr)  # noqa: T201 - the one sentence a person gets
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
