"""Draws the figures as an SVG bar chart, with only the standard library: installed packages are measured too."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

from benchmarks import contenders
from benchmarks.figures import FIRST, OVERHEAD, WARM, Figures

_PANELS = (
    (FIRST, "Process start to first response", "ms", 0),
    (WARM, "Warm round trip", "µs", 0),
    (OVERHEAD, "Per request over the direct call", "µs", 1),
)
_LABELS, _PANEL, _GAP = 210, 270, 30
_ROW, _BAR, _HEAD = 22, 15, 46
_OUR_NAMES = (contenders.OURS.name, contenders.OURS_LOGGING.name)
_OURS, _THEIRS, _INK, _FAINT = "#0b6e4f", "#a9b4c2", "#1c2330", "#5b6575"


def plot(measured: Sequence[Figures], names: Sequence[str]) -> str:
    """Returns an SVG document: a block for each interpreter, a panel for each measure, a bar for each contender."""
    width = _LABELS + len(_PANELS) * (_PANEL + _GAP)
    block = _HEAD + _ROW * len(names) + 18
    height = block * len(measured) + 34
    scales = {measure: _scale(measured, names, measure) for measure, *_ in _PANELS}
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="DejaVu Sans, Helvetica, Arial, sans-serif" font-size="12" fill="{_INK}">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for number, figures in enumerate(measured):
        parts += _block(figures, names, scales, 10 + number * block)
    parts.append(
        f'<text x="12" y="{height - 12}" font-size="11" fill="{_FAINT}">Medians; whiskers span the middle half of the '
        "rounds; in brackets, how many times ours. Shorter is better.</text>"
    )
    return "\n".join([*parts, "</svg>", ""])


def _scale(measured: Sequence[Figures], names: Sequence[str], measure: str) -> float:
    """Returns the pixels of a unit, the same under every interpreter, so that lengths can be compared."""
    found = [figures.figure(measure, name) for figures in measured for name in names]
    longest = max((figure.median + figure.spread for figure in found if figure), default=1.0)
    return (_PANEL - 95) / longest  # the rest is for the numbers


def _block(figures: Figures, names: Sequence[str], scales: dict[str, float], top: int) -> list[str]:
    parts = [f'<text x="12" y="{top + 18}" font-size="14" font-weight="bold">{escape(figures.python)}</text>']
    for row, name in enumerate(names):
        weight = ' font-weight="bold"' if name in _OUR_NAMES else ""
        parts.append(f'<text x="12" y="{top + _HEAD + row * _ROW + 12}"{weight}>{escape(name)}</text>')
    for column, (measure, title, unit, digits) in enumerate(_PANELS):
        left = _LABELS + column * (_PANEL + _GAP)
        parts.append(f'<text x="{left}" y="{top + 18}" fill="{_FAINT}">{title}, {unit}</text>')
        parts += _panel(figures, names, measure, digits, scales[measure], left, top + _HEAD)
    return parts


def _panel(
    figures: Figures, names: Sequence[str], measure: str, digits: int, scale: float, left: int, top: int
) -> list[str]:
    parts = []
    for row, name in enumerate(names):
        figure, y = figures.figure(measure, name), top + row * _ROW
        if figure is None:
            parts.append(f'<text x="{left}" y="{y + 12}" fill="{_FAINT}">not measured</text>')
            continue
        length, end = figure.median * scale, (figure.median + figure.spread) * scale
        start = max(figure.median - figure.spread, 0) * scale
        ratio = figures.ratio(measure, name)
        times = f" ({1 / ratio:.1f}x)" if ratio and name not in _OUR_NAMES else ""
        parts += [
            f'<rect x="{left}" y="{y}" width="{length:.1f}" height="{_BAR}" rx="2" '
            f'fill="{_OURS if name in _OUR_NAMES else _THEIRS}"/>',
            f'<path d="M{left + start:.1f} {y + _BAR / 2} H{left + end:.1f}" stroke="{_INK}" stroke-width="1"/>',
            f'<text x="{left + end + 6:.1f}" y="{y + 12}">{figure.median:.{digits}f}{times}</text>',
        ]
    return parts
