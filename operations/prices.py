"""The list prices of AWS, from the dated file beside this one, which names a source for each."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("prices.json")

HOURS = 730
"""Hours of a month, as AWS's price calculator has it."""

FALLBACK = "us-east-1"


@dataclass(frozen=True, slots=True)
class Price:
    """What a quantity costs in a month; `tiers` are (up to this quantity, US dollars of one unit), lowest first."""

    unit: str
    tiers: Sequence[tuple[float, float]]
    free_quantity: float = 0

    def of(self, quantity: float) -> float:
        """Return the US dollars of a quantity, at list price."""
        below, usd = 0.0, 0.0
        for limit, each in self.tiers:
            usd += max(0.0, min(quantity, limit) - below) * each
            below = limit
        return usd

    def free_of(self, quantity: float) -> float:
        """Return how many of these US dollars the free tier takes off; it is the account's, for all that runs in it."""
        return self.of(min(quantity, self.free_quantity))


@dataclass(frozen=True, slots=True)
class Prices:
    """The prices of a region."""

    region: str
    dated: str
    _given: Mapping[str, Any]

    def __getitem__(self, name: str) -> Price:
        """Return a price by its name in the file."""
        given = self._given[name]
        usd = given[self.region]["usd"]
        tiers = usd if isinstance(usd, list) else [[None, usd]]
        return Price(
            unit=given["unit"],
            tiers=[(math.inf if limit is None else limit, each / given["per"]) for limit, each in tiers],
            free_quantity=given.get("free", {}).get("quantity", 0),
        )


def prices(region: str) -> Prices:
    """Return the prices of one of the regions in the file."""
    document = _document()
    return Prices(region, document["dated"], document["prices"])


def regions() -> list[str]:
    """Return the regions whose prices are in the file."""
    return [key for key in next(iter(_document()["prices"].values())) if "-" in key]


@cache
def _document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(FILE.read_text())
    return document
