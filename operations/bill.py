"""What a deployment costs in a month, line by line, from its settings and its traffic."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from operations.prices import HOURS, Prices
from operations.schedule_runs import DAYS, runs_a_month
from operations.stack_settings import StackSettings

SECONDS = HOURS * 3600
_MB, _KB, _BYTES = 1024, 1024**2, 1024**3  # of a GB
_LOGS_COMPRESSED = 0.15  # Source: CloudWatch's price page counts this for stored logs in its examples
_IMAGES_KEPT = 20  # what the repository's lifecycle policy leaves while keepVersions is 0
_ALARMS = 4  # of alarmEmail: errors, throttles, slow requests, 5xx of the API
_SCALING_ALARMS = 2  # of provisionedConcurrencyMax: Application Auto Scaling makes one for more, one for fewer
_KEEP_WARM_MS = 1

_Quantity = tuple[str, str, float]
"""A line's name, its price in the file, and how much of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """The requests of a month, and what one of them takes."""

    requests: float
    ms: float
    cold_percent: float = 1
    init_ms: float = 500
    response_kb: float = 10
    log_bytes: float = 1500
    cached_percent: float = 0
    image_mb: float = 150
    layer_mb: float = 20
    reads: float = 1
    writes: float = 1
    table_gb: float = 1

    @property
    def at_once(self) -> float:
        """The requests that are worked on at once, on average."""
        return self.requests * self.ms / 1000 / SECONDS


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the bill, in US dollars."""

    name: str
    quantity: float
    unit: str
    list_usd: float
    free_usd: float

    @property
    def to_pay(self) -> float:
        """What is left after the free tier."""
        return self.list_usd - self.free_usd


def bill(settings: StackSettings, traffic: Traffic, prices: Prices) -> list[Line]:
    """Return the lines of a month that aren't nothing."""

    def line(name: str, price_name: str, quantity: float) -> Line:
        price = prices[price_name]
        return Line(name, quantity, price.unit, price.of(quantity), price.free_of(quantity))

    quantities = (
        *_function(settings, traffic),
        *_front(settings, traffic),
        *_operations(settings, traffic),
        *_data(settings, traffic),
    )
    return [line(*given) for given in quantities if given[2] > 0]


def total(lines: Sequence[Line]) -> float:
    """Return what is to pay after the free tier, in US dollars."""
    return sum(line.to_pay for line in lines)


def not_counted(settings: StackSettings) -> list[str]:
    """Return what costs money by these settings and is in no line."""
    reasons = {
        "snapStart": "the snapshots of snapStart",
        "tracing": "the traces of X-Ray",
        "provisionedConcurrencyMax": "the environments that provisionedConcurrencyMax adds while they are needed",
        "webAclArn": "the web ACL of WAF",
        "queues": "the requests to SQS, which Lambda's polling makes too, and the batches",
        "events": "the events of EventBridge and the requests they make",
        "vpcSubnets": "the NAT gateway or the endpoints of the VPC",
        "imageUri": "an image that another repository keeps",
    }
    return [text for key, text in reasons.items() if settings.is_on(key)]


def _function(settings: StackSettings, traffic: Traffic) -> Iterator[_Quantity]:
    """What Lambda bills: milliseconds, rounded up, and init; with provisioned environments there is no free tier.

    Source: Lambda's price page; "AWS Lambda standardizes billing for INIT Phase", AWS Compute Blog.
    """
    architecture = settings.text("architecture") or "x86_64"
    gigabytes = settings.number("memorySize", 512) / _MB
    provisioned = settings.number("provisionedConcurrency")
    requests, scheduled, warm = _reaching(settings, traffic), _scheduled(settings), _kept_warm(settings)
    calls = requests + scheduled + warm
    seconds = ((requests + scheduled) * math.ceil(traffic.ms) + warm * _KEEP_WARM_MS) / 1000
    yield "Lambda requests", "provisioned_request" if provisioned else "lambda_request", calls
    if provisioned:
        name = f"provisioned_duration_gb_second_{architecture}"
        yield "Lambda duration, provisioned", name, seconds * gigabytes
        yield (
            "Lambda provisioned environments",
            f"provisioned_gb_second_{architecture}",
            provisioned * gigabytes * SECONDS,
        )
    else:
        init = requests * traffic.cold_percent / 100 * math.ceil(traffic.init_ms) / 1000
        # One line: the free tier and the tiers of the price are of the sum.
        yield "Lambda duration, init included", f"lambda_gb_second_{architecture}", (seconds + init) * gigabytes
        seconds += init
    disk = max(0.0, settings.number("ephemeralStorage", 512) - 512) / _MB
    yield "Lambda disk over 512 MB", "ephemeral_gb_second", seconds * disk


def _front(settings: StackSettings, traffic: Traffic) -> Iterator[_Quantity]:
    gigabytes = traffic.requests * traffic.response_kb / _KB
    if not settings.is_on("functionUrl"):
        yield "API Gateway requests", "http_api_request", _reaching(settings, traffic)
    if settings.is_on("cdn"):
        yield "CloudFront requests", "cdn_request", traffic.requests
        yield "CloudFront function", "cdn_function_call", traffic.requests
        yield "CloudFront data out", "cdn_out_gb", gigabytes
    else:
        yield "Data out", "data_out_gb", gigabytes
    if settings.is_on("domainName") and settings.text("dnsProvider") != "external":
        yield "Route 53 zone", "hosted_zone", 1


def _operations(settings: StackSettings, traffic: Traffic) -> Iterator[_Quantity]:
    logged = (_reaching(settings, traffic) + _scheduled(settings) + _kept_warm(settings)) * traffic.log_bytes / _BYTES
    yield "Logs, written", "log_ingested_gb", logged
    kept = settings.number("logRetention", 14) / DAYS
    yield "Logs, kept", "log_stored_gb_month", logged * _LOGS_COMPRESSED * kept
    images = 1 if settings.is_on("imageUri") else settings.number("keepVersions") or _IMAGES_KEPT
    yield "ECR images", "ecr_gb_month", (traffic.image_mb + (images - 1) * traffic.layer_mb) / _MB
    dead_letters = len(settings.entries("queues")) + bool(settings.entries("schedules") or settings.entries("events"))
    scaling = _SCALING_ALARMS * settings.is_on("provisionedConcurrencyMax")
    yield "Alarms", "alarm", dead_letters + _ALARMS * settings.is_on("alarmEmail") + scaling
    yield "Dashboard", "dashboard", settings.is_on("dashboard")
    yield "Metric of cold starts", "metric", settings.is_on("dashboard")
    yield "Schedules", "schedule_run", _scheduled(settings) + _kept_warm(settings)


def _data(settings: StackSettings, traffic: Traffic) -> Iterator[_Quantity]:
    places = [str(place) for place in settings.entries("secrets")]
    in_manager = [place for place in places if not place.startswith(("/", "ssm:")) and ":ssm:" not in place]
    yield "Secrets Manager", "secret", len(in_manager)
    if settings.is_on("table"):
        requests = _reaching(settings, traffic)
        yield "DynamoDB writes", "table_write", requests * traffic.writes
        yield "DynamoDB reads", "table_read", requests * traffic.reads
        yield "DynamoDB storage", "table_gb_month", traffic.table_gb
        yield "DynamoDB backups", "table_backup_gb_month", traffic.table_gb


def _reaching(settings: StackSettings, traffic: Traffic) -> float:
    """The requests that the CDN doesn't answer itself."""
    return traffic.requests * (1 - traffic.cached_percent / 100 * settings.is_on("cdn"))


def _scheduled(settings: StackSettings) -> float:
    entries = [entry for entry in settings.entries("schedules") if isinstance(entry, dict)]
    on = (entry for entry in entries if str(entry.get("enabled", True)).lower() != "false")
    return sum(runs_a_month(str(entry.get("rate") or entry.get("cron") or "")) or 0 for entry in on)


def _kept_warm(settings: StackSettings) -> float:
    minutes = settings.number("keepWarm")
    return HOURS * 60 / minutes if minutes else 0
