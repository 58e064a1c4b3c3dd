"""An application of the tests: it tells what API Gateway said of the client, and answers CORS itself."""

import os

from flask import Flask, request

app = Flask(__name__)


@app.after_request
def with_own_cors(response):
    """CORS headers of the application's own."""
    response.headers["Access-Control-Allow-Origin"] = "https://the-application.example"
    return response


@app.get("/event/<path:path>")
def event(path):
    """The event itself."""
    return request.environ["lambda.event"]


@app.get("/exit")
def leave():
    """No answer: the process ends."""
    os._exit(1)


@app.route("/", defaults={"path": ""}, methods=["GET", "POST", "OPTIONS"])
@app.route("/<path:path>", methods=["GET", "POST", "OPTIONS"])
def told(path):
    """The method and path as the function got them, and the authorizer's claims."""
    return {"asked": f"{request.method} /{path}", "authorizer": request.environ.get("lambda.authorizer")}
