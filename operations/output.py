"""What the commands print: results on standard output, progress and notes on standard error."""

import json
import sys
from collections.abc import Iterable, Sequence


def say(text: str) -> None:
    """Print progress or a note now."""
    print(printable(text), file=sys.stderr, flush=True)


def show(text: str) -> None:
    """Print a line of the result now."""
    print(printable(text), flush=True)


def show_json(document: object) -> None:
    """Print a result as one line of JSON."""
    print(json.dumps(document, ensure_ascii=False), flush=True)


def show_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows in aligned columns."""
    lines = [tuple(heads), *(tuple(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    for line in lines:
        show("  ".join(f"{cell:{width}}" for cell, width in zip(line, widths, strict=True)).rstrip())


def printable(text: str) -> str:
    """Return text without characters that a terminal obeys: log lines quote what any client sent."""
    return text if text.isprintable() else text.translate(_ESCAPES)


# C0 except tab and line feed, DEL, C1, and characters that change the direction of text.
_CONTROL = (*range(9), *range(11, 32), *range(127, 160), 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_ESCAPES = {code: ascii(chr(code))[1:-1] for code in _CONTROL}
