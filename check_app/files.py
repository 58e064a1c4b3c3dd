"""What an application's folder holds that Lambda can't send: files over the limit of a response."""

from collections.abc import Iterator
from pathlib import Path

from check_app.finding import Finding

BINARY_LIMIT = 4_500_000
"""Largest binary response in bytes: Lambda's 6 MB, minus what base64 adds."""

_SERVED = {"static", "media", "public", "assets"}


def findings(folder: Path) -> Iterator[Finding]:
    """The files in served folders that are too large for one response."""
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if any(part.startswith(".") for part in parts) or not _SERVED & set(parts[:-1]) or not path.is_file():
            continue
        size = path.stat().st_size
        if size > BINARY_LIMIT:
            yield Finding(
                file=str(path),
                what=f"has {size / 1e6:.1f} MB: a binary response from Lambda has 4.5 MB at most",
                instead="Put it in S3, and link to it there.",
            )
