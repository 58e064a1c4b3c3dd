"""What a build printed: the sentence in it for the application's owner, and the last part of the rest."""

import re
from collections.abc import Sequence

_SENTENCE = re.compile(r"(?:^|\s)dualmode: (.+)$")  # an engine puts a step's number and time before a line
_SHOWN_LINES = 15


def sentence_of(lines: Sequence[str]) -> str:
    """The error from the last step of ours, "" if it has none."""
    found = [match[1] for line in lines if (match := _SENTENCE.search(line))]
    return found[-1] if found else ""


def shown(lines: Sequence[str]) -> str:
    """The last lines before that sentence, or of the whole output, to be shown above it."""
    marked = [number for number, line in enumerate(lines) if _SENTENCE.search(line)]
    last = list(lines[: marked[-1]] if marked else lines)[-_SHOWN_LINES:]
    return "\n".join(f"  | {line}" for line in last)
