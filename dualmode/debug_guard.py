"""Keeps debugging out of lambda mode: it shows source code and variables to anyone who causes an error."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

_logger = logging.getLogger("dualmode")


def before_import(environ: MutableMapping[str, str]) -> None:
    """Removes FLASK_DEBUG from the environment before an application can read it."""
    if environ.pop("FLASK_DEBUG", "0").lower() not in ("0", "false", "no"):  # the values that mean "off" to Flask
        _logger.warning("FLASK_DEBUG is ignored in lambda mode: debugging would show the application's source code")


def after_import(app: Any) -> None:
    """Turns off the debugging that the application itself turned on. `app` is a Flask application."""
    if app.debug:
        app.debug = False
        _logger.warning("app.debug is off in lambda mode: debugging would show the application's source code")
    if app.config["PROPAGATE_EXCEPTIONS"] or (app.config["PROPAGATE_EXCEPTIONS"] is None and app.testing):
        app.config["PROPAGATE_EXCEPTIONS"] = False
        _logger.warning("PROPAGATE_EXCEPTIONS is off in lambda mode: the error handlers answer an exception")


def warn_of(app: Any) -> None:
    """Warns if debugging is on in an application that isn't Flask's: only its owner can turn it off there."""
    if getattr(app, "debug", False) is True or _django_debugs():
        _logger.warning(
            "The application's own debugging is on, which shows source code to anyone who causes an error: lambda mode"
            " turns it off only in Flask, so turn it off yourself, such as by a variable in the setting environment"
        )


def _django_debugs() -> bool:
    """Tells whether the application uses Django's settings and has DEBUG on in them."""
    settings = getattr(sys.modules.get("django.conf"), "settings", None)
    return settings is not None and settings.configured and settings.DEBUG is True
