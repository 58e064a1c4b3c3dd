import io
from dataclasses import replace

from dualmode.gateway.http.message import Response
from sandbox.edge.answer import Answer
from sandbox.function_log import LogPart
from sandbox.output import Terminal, document, print_answer, print_pairs, print_tree
from sandbox.pulumi_drivers.resources import ROOT_TYPE, Resource
from walk.trace import Trace, not_found


def answer(status=200, headers=(), body=b"", refusal=None):
    trace = Trace()
    trace.add("domain", "app.sandbox.test", "A alias to d-1")
    trace.add("stage", "$default", "API shop (abcd1234)")
    if refusal:
        trace.hops.append(refusal.hop)
    else:
        trace.add("image", "sha256:" + "0123456789abcdef" * 4, "repository shop, in a process")
    return Answer(response=Response(status=status, headers=headers, body=body), trace=trace, duration=12.34)


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self):
        return True


def printed(shown, screen=None):
    screen = screen or io.StringIO()
    print_answer(Terminal(screen, environ={}), shown)
    return screen.getvalue()


def test_an_answer_is_printed_with_its_way_as_a_table():
    shown = answer(headers=(("content-type", "text/plain"),), body=b"Hi.\n")
    assert printed(shown) == (
        "  ✓ domain  app.sandbox.test     A alias to d-1\n"
        "  ✓ stage   $default             API shop (abcd1234)\n"
        "  ✓ image   sha256:0123456789ab  repository shop, in a process\n"
        "\n"
        "200 OK  12 ms\n"
        "content-type: text/plain\n"
        "\n"
        "Hi.\n"
    )


def test_what_refuses_is_marked_and_says_why():
    shown = answer(404, refusal=not_found("route", "GET /x", "no route of API shop takes it"))
    assert "  ✗ route   GET /x            no route of API shop takes it\n" in printed(shown)
    assert "404 Not Found" in printed(shown)


def test_a_long_name_of_what_refuses_does_not_widen_the_table():
    arn = "arn:aws:lambda:us-east-1:000000000000:function:shop:live"
    shown = answer(500, refusal=not_found("permission", arn, "nobody may"))
    lines = printed(shown).splitlines()
    assert lines[1] == "  ✓ stage       $default          API shop (abcd1234)"
    assert lines[2] == f"  ✗ permission  {arn}"
    assert lines[3].strip() == "nobody may"


def test_colours_are_for_terminals_that_want_them():
    assert "\x1b[" in printed(answer(), Screen())
    assert "\x1b[" not in printed(answer())
    screen = Screen()
    print_answer(Terminal(screen, environ={"NO_COLOR": "1"}), answer())
    assert "\x1b[" not in screen.getvalue()


def test_a_body_that_is_no_text_is_not_printed():
    assert printed(answer(body=b"\xff\xfe")).splitlines()[-1] == (
        "(2 bytes that are not text; --json prints them as base64)"
    )


def test_json_output_is_status_headers_body_trace_and_duration():
    shown = answer(201, (("Content-Type", "text/plain"), ("x-a", "1"), ("X-A", "2")), "é".encode())
    assert document(shown) == {
        "status": 201,
        "headers": {"content-type": "text/plain", "x-a": "1, 2"},
        "body": "é",
        "trace": [
            {"hop": "domain", "id": "app.sandbox.test", "detail": "A alias to d-1"},
            {"hop": "stage", "id": "$default", "detail": "API shop (abcd1234)"},
            {
                "hop": "image",
                "id": "sha256:" + "0123456789abcdef" * 4,
                "detail": "repository shop, in a process",
            },
        ],
        "duration_ms": 12.3,
    }


def test_a_refusal_in_a_document_says_that_it_is_one():
    shown = document(answer(404, refusal=not_found("route", "GET /x", "no route takes it")))
    assert shown["trace"][-1] == {"hop": "route", "id": "GET /x", "detail": "refused: no route takes it"}


def test_cookies_in_a_document_stay_apart():
    cookies = ("a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT", "b=2")
    shown = document(answer(headers=tuple(("set-cookie", cookie) for cookie in cookies)))
    assert shown["headers"] == {"set-cookie": "\n".join(cookies)}


def test_a_body_that_is_no_text_is_base64_in_a_document():
    shown = document(answer(body=b"\xff\xfe"))
    assert (shown["body"], shown["body_is_base64"]) == ("//4=", True)


def test_resources_are_printed_as_a_tree():
    def resource(kind, name, parent="", identity=""):
        return Resource(type=kind, name=name, urn=name, parent_urn=parent, id=identity)

    screen = io.StringIO()
    print_tree(
        Terminal(screen, environ={}),
        [
            resource(ROOT_TYPE, "shop-dev"),
            resource("pulumi:providers:aws", "default", "shop-dev", "x"),
            resource("dualmode:index:HttpApi", "api", "shop-dev"),
            resource("aws:apigatewayv2/api:Api", "api-api", "api", "abcd1234"),
            resource("aws:apigatewayv2/stage:Stage", "api-stage", "api", "$default"),
            resource("aws:iam/role:Role", "role", "shop-dev", "r"),
        ],
    )
    assert screen.getvalue() == (
        "shop-dev\n"
        "├─ dualmode:index:HttpApi api\n"
        "│  ├─ aws:apigatewayv2:Api api-api      abcd1234\n"
        "│  └─ aws:apigatewayv2:Stage api-stage  $default\n"
        "└─ aws:iam:Role role                    r\n"
    )


def test_a_failure_is_explained_above_its_response(tmp_path):
    log = tmp_path / "shop-1.log"
    lines = ["Traceback (most recent call last):", '  File "/var/task/shop.py", line 3, in f', "ValueError: no"]
    log.write_text("".join(f"{line}\n" for line in lines))
    failed = replace(answer(500, body=b"{}"), log=LogPart(path=log, begin=0))
    shown = printed(failed).splitlines()
    assert shown[4:] == [*lines, f"The function's log is {log}", "", "500 Internal Server Error  12 ms", "", "{}"]
    document_of_it = document(failed)
    assert (document_of_it["traceback"], document_of_it["log"]) == ("\n".join(lines), str(log))


def test_a_failure_without_a_traceback_names_the_log(tmp_path):
    log = tmp_path / "shop-1.log"
    log.write_text("nothing of interest\n")
    failed = replace(answer(500), log=LogPart(path=log, begin=0))
    assert printed(failed).splitlines()[4] == f"The function logged no traceback; its log is {log}"


def test_what_succeeds_needs_no_explanation(tmp_path):
    succeeded = replace(answer(404), log=LogPart(path=tmp_path / "log", begin=0))
    assert "log" not in printed(succeeded)
    assert sorted(document(succeeded)) == ["body", "duration_ms", "headers", "status", "trace"]


def test_a_list_of_records_is_printed_as_a_table():
    screen = io.StringIO()
    records = [
        {"name": "_a.example.com", "type": "CNAME", "value": "b.acm.test"},
        {"name": "example.com", "type": "ALIAS", "value": "d-1.test"},
    ]
    outputs = {"url": "https://example.com", "dns_records": records, "none": [], "numbers": [1, 2]}
    print_pairs(Terminal(screen, environ={}), "Outputs", outputs)
    assert screen.getvalue() == (
        "Outputs\n"
        "  url          https://example.com\n"
        "  dns_records  _a.example.com  CNAME  b.acm.test\n"
        "               example.com     ALIAS  d-1.test\n"
        "  none         []\n"
        "  numbers      [1, 2]\n"
    )
