"""The views, which are there once this module has been imported."""

from app import app


@app.get("/")
def index() -> dict[str, str]:
    """Answers that the views were registered."""
    return {"registered": "by import"}
