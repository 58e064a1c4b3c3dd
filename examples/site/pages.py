"""A site of pages and files behind CloudFront. README.md says which settings deploy it."""

import functools
import hashlib
from pathlib import Path

from flask import Flask, Response, abort, render_template, request
from werkzeug.exceptions import NotFound
from werkzeug.security import safe_join

import notes

A_YEAR = 31_536_000  # seconds


class Site(Flask):
    """An application whose files may be kept for a year, because a changed file has another address."""

    def get_send_file_max_age(self, filename: str | None) -> int | None:
        """Returns a year for a file that is the one its address means.

        While a new version gets a share of the requests, the old one may be asked for a new file: its own isn't kept.
        """
        return A_YEAR if filename and request.args.get("v") == fingerprint(filename) else None


app = Site(__name__)


@app.get("/")
def index() -> str:
    """Lists the notes, or those with a word."""
    word = request.args.get("word", "").strip()
    return render_template("index.html", notes=notes.with_word(word), word=word)


@app.get("/notes/<name>")
def note(name: str) -> str:
    """Shows a note."""
    found = notes.NOTES.get(name)
    if found is None:
        abort(404)
    return render_template("note.html", note=found)


@app.errorhandler(404)
def missing(error: NotFound) -> tuple[str, int]:
    """Shows that there is no such page."""
    return render_template("missing.html"), 404


@app.url_defaults
def add_version(endpoint: str, values: dict[str, object]) -> None:
    """Ends the address of a file with a fingerprint of its content."""
    if endpoint == "static":
        values["v"] = fingerprint(str(values["filename"]))


@app.after_request
def ask_about_pages(response: Response) -> Response:
    """Lets browsers ask each time whether a page has changed: a deployment is then seen at once."""
    if not response.headers.get("Cache-Control"):
        response.cache_control.no_cache = True
    return response


@functools.lru_cache(maxsize=256)  # not for ever: anybody can ask for any name
def fingerprint(filename: str) -> str:
    """Returns the first digits of a file's SHA-256, and nothing for a file that isn't there."""
    file = Path(safe_join(str(app.static_folder), filename) or "")
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12] if file.is_file() else ""
