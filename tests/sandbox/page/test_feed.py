"""The page's events: none is lost between two answers, none comes twice, and a new run begins anew."""

import json
import threading

from sandbox.page.feed import Feed


def told(answer):
    """The kind and the document of each event in an answer, and the id of the last one."""
    found, last = [], ""
    for block in answer.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines())
        if "event" in fields:
            found.append((fields["event"], json.loads(fields["data"])))
            last = fields["id"]
    return found, last


def test_a_page_gets_each_event_once_in_the_order_in_which_it_happened():
    feed = Feed()
    feed.add("start", {"url": "u"})
    feed.add("log", {"lines": ["one"]})
    first, last = told(feed.after("", 0))
    feed.add("request", {"status": 200})
    feed.add("log", {"lines": ["two"]})
    second, last = told(feed.after(last, 0))
    assert first == [("start", {"url": "u"}), ("log", {"lines": ["one"]})]
    assert second == [("request", {"status": 200}), ("log", {"lines": ["two"]})]
    assert told(feed.after(last, 0)) == ([], "")


def test_a_page_that_is_opened_later_gets_the_last_picture_and_the_newest_requests():
    feed = Feed()
    for number in range(60):
        feed.add("picture", number)
        feed.add("request", number)
    found, _ = told(feed.after("", 0))
    assert [document for kind, document in found if kind == "picture"] == [59]
    assert [document for kind, document in found if kind == "request"] == list(range(10, 60))


def test_a_page_of_an_earlier_sandbox_gets_everything_of_the_one_that_runs_now():
    earlier, feed = Feed(), Feed()
    for _ in range(5):
        earlier.add("log", {})
    _, last = told(earlier.after("", 0))
    feed.add("start", {"url": "new"})
    assert told(feed.after(last, 0))[0] == [("start", {"url": "new"})]


def test_a_page_that_waits_is_told_at_once():
    feed = Feed()
    answers = []
    reader = threading.Thread(target=lambda: answers.append(feed.after("", 60)))
    reader.start()
    feed.add("log", {"lines": ["now"]})
    reader.join(30)
    assert told(answers[0])[0] == [("log", {"lines": ["now"]})]
