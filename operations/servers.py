"""What a server costs in a month that answers the same requests, and from how many on it is cheaper."""

from collections.abc import Callable
from dataclasses import dataclass

from operations.prices import HOURS, Prices

MOST = 1e10
"""Requests a month up to which a crossover is looked for."""

_DISK_GB = 8
_ZONES = 2  # a load balancer has an address in each of at least two


@dataclass(frozen=True, slots=True)
class Server:
    """A server that always runs; without the data it sends."""

    name: str
    usd: float


def servers(prices: Prices) -> list[Server]:
    """Return the smallest Fargate task, the same behind a load balancer, and a small EC2 instance.

    Each has a public IPv4 address, which is paid by the hour too.
    """
    address = prices["public_ipv4_hour"].of(HOURS)
    task = prices["fargate_vcpu_hour"].of(0.25 * HOURS) + prices["fargate_gb_hour"].of(0.5 * HOURS) + address
    balancer = prices["load_balancer_hour"].of(HOURS) + _ZONES * address
    instance = prices["t3_small_hour"].of(HOURS) + prices["disk_gb_month"].of(_DISK_GB) + address
    return [
        Server("Fargate, 0.25 vCPU and 0.5 GB", task),
        Server("the same behind a load balancer", task + balancer),
        Server(f"EC2 t3.small, {_DISK_GB} GB disk", instance),
    ]


def data_out(prices: Prices, requests: float, response_kb: float) -> float:
    """Return the US dollars of what a server sends to the internet, after the free tier."""
    gigabytes = requests * response_kb / 1024**2
    price = prices["data_out_gb"]
    return price.of(gigabytes) - price.free_of(gigabytes)


def crossover(ours: Callable[[float], float], theirs: Callable[[float], float]) -> float | None:
    """Return the requests a month from which on theirs is cheaper, or None if it never is; 0 if it always is.

    Both give US dollars for a number of requests, and ours grows faster.
    """
    low, high = 0.0, MOST
    if ours(low) > theirs(low):
        return 0.0
    if ours(high) <= theirs(high):
        return None
    while high - low > 1:
        middle = (low + high) / 2
        low, high = (low, middle) if ours(middle) > theirs(middle) else (middle, high)
    return high
