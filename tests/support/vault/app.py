"""An application of the tests: it keeps items in its table, and tells secrets only by their hashes."""

import hashlib
import os

import boto3
from flask import Flask, request

app = Flask(__name__)
TOKEN = os.environ.get("TOKEN", "")
table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"]) if "TABLE_NAME" in os.environ else None


@app.get("/hash/<name>")
def hashed(name):
    """The hash of a variable, as it was when the application was imported or as it is."""
    value = TOKEN if name == "TOKEN" else os.environ.get(name, "")
    return hashlib.sha256(value.encode()).hexdigest() if value else "unset"


@app.route("/items/<key>", methods=["GET", "PUT"])
def item(key):
    """An item of the table."""
    if request.method == "PUT":
        table.put_item(Item={"id": key, "text": request.get_data(as_text=True)})
        return "", 204
    found = table.get_item(Key={"id": key}).get("Item")
    return (found["text"], 200) if found else ("", 404)


@app.get("/buckets")
def buckets():
    """How many buckets there are: for what `policy` allows."""
    return str(len(boto3.client("s3").list_buckets()["Buckets"]))


@app.put("/concurrency/<int:most>")
def concurrency(most):
    """Reserves concurrency for this function: with 0, Lambda runs it no more."""
    name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
    boto3.client("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=most)
    return "", 204
