"""Loads the application that FLASK_APP names, in every mode by the same rules."""

import os
from typing import Any

DEFAULT = "scripts.server:app"


def load(import_string: str) -> Any:
    from flask.cli import ScriptInfo

    return ScriptInfo(app_import_path=import_string, set_debug_flag=False).load_app()


def import_string() -> str:
    return os.environ.get("FLASK_APP") or DEFAULT
