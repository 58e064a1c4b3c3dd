"""What was measured under one interpreter, and the results: medians, their spread, and ratios."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import NamedTuple

from benchmarks import contenders

OVERHEAD = "overhead"
READY = "ready"
FIRST = "first"
CPU = "cpu"
WARM = "warm"
COLD = "cold"
FILES = "files"
BYTES = "bytes"


class Figure(NamedTuple):
    """A median, and half of the range in which the middle half of the samples lies."""

    median: float
    spread: float


@dataclass(kw_only=True)
class Figures:
    """One interpreter's samples, by measure, contender and round (a failed one is missing)."""

    python: str
    minor: str
    samples: dict[str, dict[str, dict[int, float]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(dict))
    )
    direct: list[float] = field(default_factory=list)  # µs of the direct WSGI call
    rounds: int = 0
    modules: dict[str, int] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)  # bytes
    lines: dict[str, int] = field(default_factory=dict)  # logged for each request
    failed: dict[str, str] = field(default_factory=dict)

    def add_calls(self, number: int, taken: Mapping[str, float]) -> None:
        """Keep a round of µs per request; the name "" is the direct call's."""
        for name, microseconds in taken.items():
            if name:
                self.samples[OVERHEAD][name][number] = microseconds
            else:
                self.direct.append(microseconds)

    def add_start(self, number: int, name: str, times: Mapping[str, float]) -> None:
        """Keep one start's times."""
        self.lines[name] = int(times["lines"])
        for measure, key in ((READY, "ready_ms"), (FIRST, "first_ms"), (CPU, "cpu_ms"), (WARM, "warm_us")):
            self.samples[measure][name][number] = times[key]

    def add_cold_start(self, number: int, name: str, taken: Mapping[str, float]) -> None:
        """Keep one start from a cold disk cache: its time, and the files and bytes that it read."""
        for measure, key in ((COLD, "first_ms"), (FILES, "files"), (BYTES, "bytes")):
            self.samples[measure][name][number] = taken[key]

    def figure(self, measure: str, name: str) -> Figure | None:
        """Returns a contender's median, or None where it wasn't measured."""
        values = list(self.samples[measure][name].values())
        if not values:
            return None
        low, _, high = quantiles(values, n=4) if len(values) > 1 else (values[0],) * 3
        return Figure(median(values), (high - low) / 2)

    def ratio(self, measure: str, name: str) -> float | None:
        """Returns ours divided by a contender's: the median over the rounds, each compared within itself."""
        mine, theirs = self.samples[measure][contenders.OURS.name], self.samples[measure][name]
        ratios = [mine[number] / theirs[number] for number in mine if theirs.get(number)]
        return median(ratios) if ratios else None


class Target(NamedTuple):
    """What ours must be, as a ratio to a contender's; `minors` are the Pythons it applies to; empty means all."""

    sentence: str
    measure: str
    against: str
    at_most: float
    minors: tuple[str, ...] = ()

    def is_of(self, minor: str) -> bool:
        """Tells whether it applies to this Python."""
        return not self.minors or minor in self.minors


_APIG, _WEB = contenders.APIG_WSGI.name, contenders.WEB_ADAPTER.name
_START, _OF = "start to first response at most", "apig-wsgi's"
TARGETS = (
    Target(f"overhead at most {_OF}", OVERHEAD, _APIG, 1.0),
    Target(f"{_START} 0.50 of {_OF}", FIRST, _APIG, 0.5, ("3.15",)),
    Target(f"{_START} 0.55 of {_OF} from a cold disk cache", COLD, _APIG, 0.55, ("3.15",)),
    Target(f"{_START} 0.40 of the Web Adapter's", FIRST, _WEB, 0.4, ("3.15",)),
    Target(f"{_START} 0.85 of {_OF}", FIRST, _APIG, 0.85, ("3.13", "3.14")),
)
