"""AWS's service models, read once in a process of the tests.

botocore reads them again for each session, and each account of a test has one.
"""

from __future__ import annotations

import os
from typing import Any

from botocore.loaders import JSONFileLoader

_read: dict[str, Any] = {}
_load_file = JSONFileLoader.load_file


def _load_once(self: JSONFileLoader, file_path: str) -> Any:
    if f"{os.sep}s3{os.sep}" in file_path:  # botocore changes this model before its calls
        return _load_file(self, file_path)
    if file_path not in _read:
        _read[file_path] = _load_file(self, file_path)
    return _read[file_path]


def read_once() -> None:
    """Let all sessions share a model, as the clients of one session do."""
    JSONFileLoader.load_file = _load_once
