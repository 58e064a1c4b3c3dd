"""The sample Flask application, which users replace with their own: every answer is JSON, errors too."""

from flask import Flask, request
from werkzeug.exceptions import BadRequest, HTTPException, UnsupportedMediaType

app = Flask(__name__)


@app.get("/")
def index() -> dict[str, bool]:
    """Answers that the application is running."""
    return {"ok": True}


@app.get("/hello")
def hello() -> dict[str, str]:
    """Answers with a greeting."""
    return {"message": "Hello from Flask!"}


@app.post("/echo")
def echo() -> dict[str, str]:
    """Answers with the message of the JSON request body, reversed."""
    try:
        body = request.get_json()
    except UnsupportedMediaType:
        raise UnsupportedMediaType("Content-Type must be application/json") from None
    except (BadRequest, RecursionError):  # the JSON parser recurses: a deeply nested body exhausts it
        raise BadRequest("Invalid JSON in request body") from None
    if not isinstance(body, dict):
        raise BadRequest("Request body must be a JSON object")
    if "message" not in body:
        raise BadRequest("Missing required field: message")
    if not isinstance(body["message"], str):
        raise BadRequest("Field message must be a string")
    return {"reversed": body["message"][::-1]}


@app.get("/health")
def health() -> dict[str, str]:
    """Answers that the application can take requests."""
    return {"status": "healthy"}


_SENTENCES = {404: "Not found", 405: "Method not allowed", 500: "Internal server error"}


@app.errorhandler(HTTPException)
def error(exception: HTTPException) -> tuple[dict[str, str | None], int, list[tuple[str, str]]]:
    """Answers an error as JSON, with the error's headers (405's Allow) but without the exception's text."""
    status = exception.code or 500
    headers = [(name, value) for name, value in exception.get_headers() if name != "Content-Type"]
    return {"error": _SENTENCES.get(status, exception.description)}, status, headers
