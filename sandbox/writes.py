"""Which calls to AWS may change what a request's way through the account depends on."""

from urllib.parse import parse_qs

from dualmode.gateway.http.message import Request
from sandbox import signature

APART = frozenset({"dynamodb", "logs", "monitoring", "s3", "secretsmanager", "sns", "sqs", "ssm", "sts"})
"""Services that functions write to, by their signing names. No call to one of them changes another service's answers.

So their own answers must never be kept.
"""
_READS = ("Get", "List", "Describe", "Head")


def may_write(request: Request) -> bool:
    """Return False for a call of which it is certain that it only reads, or that its service is one of `APART`."""
    if signature.service(request) in APART:
        return False
    path, _, query = request.target.partition("?")
    actions = parse_qs(query).get("Action", [])
    if request.header("x-amz-target"):
        actions.append((request.header("x-amz-target") or "").rpartition(".")[2])
    if signature.is_form(request):
        actions += parse_qs(request.body.decode("latin-1")).get("Action", [])
    reads = all(action.startswith(_READS) for action in actions)
    if request.method == "POST":
        return not (path == "/" and actions and reads)  # the services whose calls are paths read with GET
    return not (request.method in ("GET", "HEAD") and reads)
