"""An application whose routes for jobs keep what they got, and that any client can ask for it."""

from flask import Flask, jsonify, request

app = Flask(__name__)
seen = []


def keep():
    seen.append([request.method, request.path, request.get_json(silent=True)])


@app.get("/seen")
def answer():
    return jsonify(seen)


@app.post("/jobs/nightly")
def nightly():
    keep()
    return {"kept": len(seen)}


@app.post("/jobs/broken")
def broken():
    keep()
    return "no", 500


@app.post("/jobs/mail")
def mail():
    keep()
    failed = [record["messageId"] for record in request.get_json()["Records"] if record["body"] == "bad"]
    return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}


@app.post("/jobs/paid")
def paid():
    keep()
    return "", 204
