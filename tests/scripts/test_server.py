"""The sample: its routes, and every wrong request answered with a sentence as JSON."""

import pytest

from scripts.server import app


@pytest.fixture
def client():
    return app.test_client()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/", b'{"ok":true}\n'),
        ("/hello", b'{"message":"Hello from Flask!"}\n'),
        ("/health", b'{"status":"healthy"}\n'),
    ],
)
def test_each_page_of_the_sample_is_json(path, body, client):
    response = client.get(path)
    assert (response.status_code, response.mimetype, response.data) == (200, "application/json", body)


@pytest.mark.parametrize(
    ("message", "reversed_message"), [("abc", "cba"), ("", ""), ("é😀", "😀é"), ("a" * 100_000, "a" * 100_000)]
)
def test_an_echo_is_the_message_reversed(message, reversed_message, client):
    response = client.post("/echo", json={"message": message})
    assert (response.status_code, response.json) == (200, {"reversed": reversed_message})


INVALID = "Invalid JSON in request body"
NOT_JSON = "Content-Type must be application/json"
NO_OBJECT = "Request body must be a JSON object"
WRONG = {
    "no body": (b"", "application/json", 400, INVALID),
    "half a body": (b'{"message":', "application/json", 400, INVALID),
    "no text": (b"\xff\xfe\xfa", "application/json", 400, INVALID),
    "too deep": (b"[" * 200_000, "application/json", 400, INVALID),
    "too large a number": (b'{"message": ' + b"9" * 5000 + b"}", "application/json", 400, INVALID),
    "another type": (b"message=abc", "application/x-www-form-urlencoded", 415, NOT_JSON),
    "no type": (b'{"message": "abc"}', None, 415, NOT_JSON),
    "null": (b"null", "application/json", 400, NO_OBJECT),
    "a list": (b'["message"]', "application/json", 400, NO_OBJECT),
    "a string": (b'"message"', "application/json", 400, NO_OBJECT),
    "no message": (b'{"text": "abc"}', "application/json", 400, "Missing required field: message"),
    "a number": (b'{"message": 1}', "application/json", 400, "Field message must be a string"),
    "null for a message": (b'{"message": null}', "application/json", 400, "Field message must be a string"),
    "not a number": (b'{"message": NaN}', "application/json", 400, "Field message must be a string"),
}


@pytest.mark.parametrize(("body", "content_type", "status", "sentence"), WRONG.values(), ids=WRONG)
def test_a_wrong_body_is_told_in_a_sentence(body, content_type, status, sentence, client):
    response = client.post("/echo", data=body, content_type=content_type)
    assert (response.status_code, response.json) == (status, {"error": sentence})


def test_what_is_not_there_is_told_as_json(client):
    response = client.get("/nowhere")
    assert (response.status_code, response.json) == (404, {"error": "Not found"})
    response = client.get("/echo")
    assert (response.status_code, response.json) == (405, {"error": "Method not allowed"})
    assert set(response.headers["Allow"].split(", ")) == {"POST", "OPTIONS"}


def test_an_exception_is_told_without_its_text_and_logged_with_it(client, monkeypatch, caplog):
    monkeypatch.setitem(app.view_functions, "hello", lambda: 1 / 0)
    response = client.get("/hello")
    assert (response.status_code, response.json) == (500, {"error": "Internal server error"})
    assert [record.exc_info[0] for record in caplog.records] == [ZeroDivisionError]
