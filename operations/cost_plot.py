"""Draws the bill against traffic beside what servers cost, as an SVG document, with only the standard library."""

import math
from collections.abc import Callable, Sequence
from xml.sax.saxutils import escape

from operations.servers import Server

_WIDTH, _HEIGHT, _LEFT, _TOP, _RIGHT, _BOTTOM = 860, 480, 70, 46, 240, 60
_FROM, _TO = 4, 8  # requests a month, as powers of ten
_OURS, _INK, _FAINT, _GRID = "#0b6e4f", "#1c2330", "#5b6575", "#e3e7ed"
_THEIRS = ("#b45309", "#7c3aed", "#2563eb")
_POINTS = 160

_Bill = Callable[[float], float]


def plot(ours: _Bill, theirs: Sequence[tuple[Server, float | None, _Bill]]) -> str:
    """Return an SVG document; bills give the US dollars of a month for a number of requests.

    `theirs` are servers, the requests from which on each is cheaper, and its bill.
    """
    requests = [10 ** (_FROM + (_TO - _FROM) * point / _POINTS) for point in range(_POINTS + 1)]
    bills = [[max(usd(each), 0.01) for each in requests] for usd in (ours, *(bill for *_, bill in theirs))]
    low = math.floor(math.log10(min(min(dollars) for dollars in bills)))
    high = math.ceil(math.log10(max(max(dollars) for dollars in bills)))

    def x(value: float) -> float:
        return _LEFT + (math.log10(value) - _FROM) / (_TO - _FROM) * (_WIDTH - _LEFT - _RIGHT)

    def y(value: float) -> float:
        return _HEIGHT - _BOTTOM - (math.log10(value) - low) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)

    def curve(dollars: Sequence[float], colour: str, width: float) -> str:
        points = " ".join(f"{x(each):.1f},{y(usd):.1f}" for each, usd in zip(requests, dollars, strict=True))
        return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{width}"/>'

    end = _WIDTH - _RIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" '
        f'height="{_HEIGHT}" font-family="DejaVu Sans, Helvetica, Arial, sans-serif" font-size="12" fill="{_INK}">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>',
        f'<text x="{_LEFT}" y="24" font-size="14" font-weight="bold">US dollars a month, after the free tier</text>',
        *(_across(y(10.0**power), f"{10.0**power:,.{max(-power, 0)}f}", end) for power in range(low, high + 1)),
        *(_up(x(10.0**power), _short(10.0**power)) for power in range(_FROM, _TO + 1)),
        f'<text x="{(_LEFT + end) / 2}" y="{_HEIGHT - 14}" text-anchor="middle" fill="{_FAINT}">requests a month'
        "</text>",
    ]
    for (_server, at, bill), dollars, colour in zip(theirs, bills[1:], _THEIRS, strict=False):
        parts.append(curve(dollars, colour, 1.5))
        if at and 10**_FROM <= at <= 10**_TO:
            parts.append(f'<circle cx="{x(at):.1f}" cy="{y(bill(at)):.1f}" r="4" fill="{colour}"/>')
    parts.append(curve(bills[0], _OURS, 2.5))
    parts += _names(theirs, end + 12)
    return "\n".join([*parts, "</svg>", ""])


def _names(theirs: Sequence[tuple[Server, float | None, _Bill]], left: float) -> list[str]:
    parts = [f'<text x="{left}" y="{_TOP + 12}" fill="{_OURS}" font-weight="bold">this deployment</text>']
    for place, ((server, at, _bill), colour) in enumerate(zip(theirs, _THEIRS, strict=False), 1):
        top = _TOP + 12 + 44 * place
        cheaper = f", cheaper from {_short(at)} on" if at else ""
        parts += [
            f'<text x="{left}" y="{top}" fill="{colour}" font-weight="bold">{escape(server.name)}</text>',
            f'<text x="{left}" y="{top + 15}" fill="{colour}">${server.usd:,.2f}{cheaper}</text>',
        ]
    return parts


def _across(y: float, text: str, end: float) -> str:
    return (
        f'<path d="M{_LEFT} {y:.1f} H{end}" stroke="{_GRID}"/>'
        f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end" fill="{_FAINT}">{text}</text>'
    )


def _up(x: float, text: str) -> str:
    bottom = _HEIGHT - _BOTTOM
    return (
        f'<path d="M{x:.1f} {_TOP} V{bottom}" stroke="{_GRID}"/>'
        f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle" fill="{_FAINT}">{text}</text>'
    )


def _short(number: float) -> str:
    if number >= 1e6:
        return f"{number / 1e6:,.3g} million"
    return f"{number:,.0f}"
