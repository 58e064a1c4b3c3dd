"""The application of the start that `bundle_maker` records: it loads what one page in JSON needs of Flask."""

from flask import Flask, request

app = Flask(__name__)


@app.get("/hello")
def hello() -> dict[str, str]:
    """Answers the recorded request."""
    return {"path": request.path}
