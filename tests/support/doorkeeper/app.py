"""An application of the tests: it knows one user, and tells what API Gateway said of the client."""

from flask import Flask, request

app = Flask(__name__)


def user_of(authorization):
    """The name of the user with this token."""
    return {"Bearer of-ann": "ann"}.get(authorization)


@app.route("/<path:path>", methods=["GET", "POST"])
def told(path):
    """The method and path as the function got them, and what the authorizer said."""
    return {"asked": f"{request.method} /{path}", "authorizer": request.environ["lambda.authorizer"]}
