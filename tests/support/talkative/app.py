"""An application of the tests: it logs at every level, and tells the size of its disk."""

import os

from flask import Flask

app = Flask(__name__)


@app.get("/log")
def log():
    """One line of each kind."""
    app.logger.debug("said at DEBUG")
    app.logger.info("said at INFO")
    app.logger.warning("said at WARN")
    app.logger.error("said at ERROR")
    return ""


@app.get("/storage")
def storage():
    """Size of /tmp in MB."""
    disk = os.statvfs("/tmp")
    return str(disk.f_blocks * disk.f_frsize // 2**20)
