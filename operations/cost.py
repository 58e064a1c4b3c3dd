"""`cost`: what a month of the deployment costs by its settings and its traffic, and when a server is cheaper."""

import argparse
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from operations import cost_plot, stack_settings
from operations.bill import Line, Traffic, bill, not_counted, total
from operations.errors import OperationError
from operations.output import say, show, show_json, show_table
from operations.prices import FALLBACK, Prices, prices, regions
from operations.servers import Server, crossover, data_out, servers
from operations.stack_settings import StackSettings

_TRAFFIC = (
    ("requests", "1e6", "N", "requests a month"),
    ("ms", "80", "MS", "time that the function takes for one"),
    ("cold", "1", "PERCENT", "share of the requests that wait for a cold start"),
    ("init-ms", "500", "MS", "init of a cold start, which is billed"),
    ("response-kb", "10", "KB", "size of a response"),
    ("log-bytes", "1500", "BYTES", "what both logs get for a request"),
    ("cached", "0", "PERCENT", "share of the requests that CloudFront answers itself, with cdn"),
    ("image-mb", "150", "MB", "size of an image in ECR, compressed"),
    ("layer-mb", "20", "MB", "what each further image adds to it"),
    ("reads", "1", "N", "reads from DynamoDB for a request, with table"),
    ("writes", "1", "N", "writes to DynamoDB for a request, with table"),
    ("table-gb", "1", "GB", "size of the table"),
)
_FIELDS = {"cold": "cold_percent", "cached": "cached_percent"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    for name, default, unit, text in _TRAFFIC:
        kind = _percent if unit == "PERCENT" else _amount
        parser.add_argument(f"--{name}", type=kind, default=default, metavar=unit, help=f"{text} ({default})")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the bill against traffic into an SVG file")
    which = parser.add_argument_group("which deployment")
    which.add_argument("--stack", default="dev", metavar="NAME", help="stack whose settings are read (dev)")
    which.add_argument(
        "--set", type=_setting, action="append", default=[], metavar="KEY=VALUE", help="another value of a setting"
    )
    which.add_argument("--region", choices=regions(), help="region of the prices, if it is not the stack's")


def run(options: argparse.Namespace) -> bool:
    """Print the bill."""
    settings = stack_settings.read(Path.cwd(), options.stack, dict(options.set))
    if (architecture := settings.text("architecture")) not in ("x86_64", "arm64"):
        raise OperationError(f"architecture is {architecture!r}, but Lambda has x86_64 and arm64: set one of them.")
    region = options.region or settings.region or FALLBACK
    if region not in regions():
        say(f"Prices of {FALLBACK}: those of {region} are not in operations/prices.json, and differ a little.")
        region = FALLBACK
    of_region, traffic = prices(region), _traffic(options)
    lines = bill(settings, traffic, of_region)
    ours = _ours(settings, traffic, of_region)
    crossovers = {server: crossover(ours, _theirs(server, traffic, of_region)) for server in servers(of_region)}
    if options.plot:
        theirs = [(server, at, _theirs(server, traffic, of_region)) for server, at in crossovers.items()]
        _write(options.plot, cost_plot.plot(ours, theirs))
    if options.json:
        show_json(_document(traffic, of_region, lines, settings, crossovers))
    else:
        _print(options, traffic, of_region, lines, settings, crossovers)
    return True


def _traffic(options: argparse.Namespace) -> Traffic:
    given = {name: getattr(options, name.replace("-", "_")) for name, *_ in _TRAFFIC}
    return Traffic(**{_FIELDS.get(name, name.replace("-", "_")): value for name, value in given.items()})


def _ours(settings: StackSettings, traffic: Traffic, of_region: Prices) -> Callable[[float], float]:
    return lambda requests: total(bill(settings, replace(traffic, requests=requests), of_region))


def _theirs(server: Server, traffic: Traffic, of_region: Prices) -> Callable[[float], float]:
    return lambda requests: server.usd + data_out(of_region, requests, traffic.response_kb)


def _print(
    options: argparse.Namespace,
    traffic: Traffic,
    of_region: Prices,
    lines: Sequence[Line],
    settings: StackSettings,
    crossovers: dict[Server, float | None],
) -> None:
    show(
        f"A month of stack {options.stack}: {traffic.requests:,.0f} requests of {traffic.ms:g} ms, "
        f"{traffic.cold_percent:g} % with an init of {traffic.init_ms:g} ms"
    )
    show(f"US dollars, list prices of {of_region.region} of {of_region.dated}; the free tier is your account's, once")
    show("")
    rows = [
        (line.name, f"{line.quantity:,.{_digits(line)}f} {line.unit}", line.list_usd, line.free_usd) for line in lines
    ]
    rows.append(("Total", "", sum(row[2] for row in rows), sum(row[3] for row in rows)))
    show_table(
        ("LINE", "QUANTITY", f"{'LIST':>9}", f"{'FREE TIER':>9}", f"{'TO PAY':>9}"),
        ((name, much, f"{usd:9,.2f}", f"{-free or 0:9,.2f}", f"{usd - free:9,.2f}") for name, much, usd, free in rows),
    )
    show("")
    for server, requests in crossovers.items():
        show(f"{server.name}, ${server.usd:,.2f}: {_cheaper(requests, traffic)}")
    if left := not_counted(settings):
        show(f"Not counted: {'; '.join(left)}.")


def _cheaper(requests: float | None, traffic: Traffic) -> str:
    if requests is None:
        return "never cheaper"
    if requests == 0:
        return "cheaper at any traffic"
    at_once = replace(traffic, requests=requests).at_once
    return f"cheaper from {requests:,.0f} requests a month on, if it manages {at_once:.2g} at once on average"


def _digits(line: Line) -> int:
    return 0 if line.quantity >= 100 or line.quantity == int(line.quantity) else 2


def _document(
    traffic: Traffic,
    of_region: Prices,
    lines: Sequence[Line],
    settings: StackSettings,
    crossovers: dict[Server, float | None],
) -> dict[str, Any]:
    return {
        "region": of_region.region,
        "prices": of_region.dated,
        "traffic": asdict(traffic),
        "lines": [{**asdict(line), "to_pay": line.to_pay} for line in lines],
        "list_usd": sum(line.list_usd for line in lines),
        "to_pay": total(lines),
        "servers": [{**asdict(server), "cheaper_from": requests} for server, requests in crossovers.items()],
        "not_counted": not_counted(settings),
    }


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text)
    except OSError as error:
        raise OperationError(f"{file} can't be written ({error.strerror}): give --plot another file.") from None
    say(f"Wrote {file}")


def _amount(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < 1e15:
        raise argparse.ArgumentTypeError(f"{text!r} is not an amount: give a number from 0 on, such as 1e6")
    return number


def _percent(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number <= 100:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share in percent: give a number from 0 to 100")
    return number


def _setting(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} has no value: give KEY=VALUE, such as memorySize=1024")
    return key, value
