"""The application in the start that `bundle_maker` records: it loads the parts of Flask that a JSON page needs."""

from flask import Flask, request

app = Flask(__name__)


@app.get("/hello")
def hello() -> dict[str, str]:
    """Answers the recorded request."""
    return {"path": request.path}
