"""The table that a run prints, and what is said below it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from benchmarks import contenders
from benchmarks.cold_start import Where
from benchmarks.figures import BYTES, COLD, CPU, FILES, FIRST, OVERHEAD, TARGETS, WARM, Figures, Target

_NONE = "-"
_MEASURES = (
    (OVERHEAD, 1),
    (FIRST, 1),
    (COLD, 1),
    (CPU, 1),
    (WARM, 0),
)
_HEAD = (
    "µs/request",
    "ours",
    "start → first",
    "ours",
    "from a cold",
    "ours",
    "processor ms",
    "ours",
    "warm round",
    "ours",
    "files",
    "read",
    "modules",
    "added",
)
_UNITS = (
    "over direct",
    "÷ it",
    "response, ms",
    "÷ it",
    "disk, ms",
    "÷ it",
    "to there",
    "÷ it",
    "trip, µs",
    "÷ it",
    "read",
    "MB",
    "loaded",
    "MB",
)
_WIDTHS = (26, 14, 7, 15, 7, 15, 7, 15, 7, 13, 7, 7, 7, 9, 8)


def table(measured: Sequence[Figures], names: Sequence[str]) -> str:
    """Returns one table for all interpreters, one block each."""
    lines = []
    for figures in measured:
        lines += [
            "",
            _row(figures.python, *_HEAD),
            _row(f"{figures.rounds} rounds", *_UNITS),
            "-" * sum(_WIDTHS),
            *(_contender(figures, name) for name in names),
        ]
    return "\n".join(lines[1:])


def _contender(figures: Figures, name: str) -> str:
    cells = [name]
    for measure, digits in _MEASURES:
        figure, ratio = figures.figure(measure, name), figures.ratio(measure, name)
        cells.append(f"{figure.median:.{digits}f} ±{figure.spread:.{digits}f}" if figure else _NONE)
        cells.append(f"{ratio:.2f}" if ratio is not None else _NONE)
    files, read = figures.figure(FILES, name), figures.figure(BYTES, name)
    cells += [f"{files.median:.0f}" if files else _NONE, f"{read.median / 1e6:.1f}" if read else _NONE]
    cells.append(str(figures.modules.get(name) or _NONE))
    size = figures.sizes.get(name)
    cells.append(f"{size / 1e6:.1f}" if size else _NONE)
    return _row(*cells)


def _row(first: str, *cells: str) -> str:
    return first.ljust(_WIDTHS[0]) + "".join(cell.rjust(width) for cell, width in zip(cells, _WIDTHS[1:], strict=True))


def targets(measured: Sequence[Figures]) -> list[str]:
    """Returns a line for each target, with the result under each Python that it applies to."""
    lines = []
    for target in TARGETS:
        reached = []
        for figures in measured:
            ratio = figures.ratio(target.measure, target.against)
            if target.is_of(figures.minor) and ratio is not None:
                verdict = "met" if ratio <= target.at_most else "MISSED"
                reached.append(f"{figures.python}: {ratio:.2f}{_computed(figures, target)}, {verdict}")
        where = f", Python {' and '.join(target.minors)}" if target.minors else ""
        lines.append(f"{target.sentence}{where}: {'; '.join(reached) or 'not measured'}")
    return lines


def _computed(figures: Figures, target: Target) -> str:
    """Returns the same ratio of processor time, which a busy machine changes least."""
    ratio = figures.ratio(CPU, target.against) if target.measure == FIRST else None
    return f" ({ratio:.2f} of its processor time)" if ratio is not None else ""


def missed(figures: Figures) -> bool:
    """Tells whether a start's target was missed under this interpreter."""
    ratios = [(figures.ratio(target.measure, target.against), target) for target in TARGETS if target.measure == FIRST]
    return any(ratio is not None and ratio > target.at_most for ratio, target in ratios if target.is_of(figures.minor))


def where_the_time_goes(python: str, name: str, where: Where, before: Where, most: int = 25) -> str:
    """Returns a cold start's time by package and by module, the largest first, and the time without a bundle."""
    imports = where["imports"]
    by_package: dict[str, list[float]] = defaultdict(list)
    for module, milliseconds in imports.items():
        by_package[module.partition(".")[0]].append(milliseconds)
    packages = sorted(((sum(each), len(each), package) for package, each in by_package.items()), reverse=True)
    modules = sorted(((milliseconds, module) for module, milliseconds in imports.items()), reverse=True)
    rows = [
        f"{total:7.2f} ms  {f'{package} ({count})':<28}{milliseconds:7.2f} ms  {module}"
        for (total, count, package), (milliseconds, module) in zip(packages[:most], modules[:most], strict=False)
    ]
    head = (
        f"{name} on {python}, imports timed: {where['first_ms']:.1f} ms to the first response, of which "
        f"{sum(imports.values()):.1f} ms in {len(imports)} imports; {where['ready_ms']:.1f} ms to the first `next`\n"
        f"without the bundle of its modules: {before['first_ms']:.1f} ms, of which "
        f"{sum(before['imports'].values()):.1f} ms in imports; {before['ready_ms']:.1f} ms to the first `next`"
    )
    return "\n".join((head, "   by package (modules)                 by module, its own code only", *rows))


def failures(measured: Iterable[Figures]) -> list[str]:
    """Returns a line for each contender that could not be measured, with the reason."""
    return [
        f"{figures.python}, {name}: {reason}" for figures in measured for name, reason in sorted(figures.failed.items())
    ]


def names_of(only: Sequence[str]) -> list[str]:
    """Returns the chosen contenders (default: all); ours is always included."""
    return [
        contender.name
        for contender in contenders.ALL
        if not only or contender.module == contenders.OURS.module or contender.name in only
    ]
