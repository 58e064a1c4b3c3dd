"""examples/site, deployed by the settings of its README: templates, and files in CloudFront's caches."""

import hashlib
import html
import re

import pytest

from sandbox.presets import DOMAIN
from tests.support.examples import EXAMPLES, Client, running_example

STATIC = EXAMPLES / "site" / "static"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    # The sandbox has no zone example.com: `./sandbox.sh` too takes a domain of its own instead.
    with running_example("site", tmp_path_factory.mktemp("site"), domainName=DOMAIN) as found:
        yield found


@pytest.fixture
def ask(sandbox):
    return Client(sandbox)


def addresses(page):
    """The addresses of the files that a page names."""
    found = re.findall(r'(?:href|src)="(/static/[^"]+)"', page.body.decode())
    return sorted({html.unescape(address) for address in found})


def test_a_page_names_each_file_by_its_content(ask):
    assert addresses(ask("GET", "/")) == [
        f"/static/{name}?v={hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]}"
        for name in ("mark.svg", "style.css")
    ]


def test_a_file_is_kept_by_cloudfront_and_the_function_is_not_asked_again(ask):
    for address, kind in zip(addresses(ask("GET", "/")), ("image/svg+xml", "text/css"), strict=True):
        content = (STATIC / address.split("?")[0].rpartition("/")[2]).read_bytes()
        first, second = ask("GET", address), ask("GET", address, Cookie="visitor=2")
        for answer in (first, second):
            assert (answer.status, answer.body) == (200, content)
            assert answer.headers["content-type"].startswith(kind)
            assert answer.headers["cache-control"] == "public, max-age=31536000"
        assert (first.hops["cache"], first.headers["x-cache"], "image" in first.hops) == (
            "Miss",
            "Miss from cloudfront",
            True,
        )
        assert (second.hops["cache"], second.headers["x-cache"], "image" in second.hops) == (
            "Hit",
            "Hit from cloudfront",
            False,
        )


def test_a_page_is_made_for_each_request(ask):
    for target in ("/", "/notes/pages", "/?word=files"):
        for _ in range(2):
            page = ask("GET", target)
            assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
            assert (page.hops["cache"], "image" in page.hops) == ("Miss", True)
            assert page.headers["cache-control"] == "no-cache"


def test_a_file_that_has_another_content_than_its_address_says_is_not_kept(ask):
    for address in ("/static/style.css", "/static/style.css?v=000000000000"):
        answers = [ask("GET", address) for _ in range(2)]
        assert [(answer.status, answer.headers["cache-control"]) for answer in answers] == [(200, "no-cache")] * 2
        assert "image" in answers[1].hops  # asked whether it has changed


def test_a_page_has_what_its_visitor_asked_for(ask):
    found = ask("GET", "/?word=FILES").body.decode()
    assert re.findall(r'href="/notes/([^"]+)"', found) == ["files"]
    nothing = ask("GET", "/?word=<script>").body.decode()
    assert "No note has the word &lt;script&gt;." in nothing
    assert "<script>" not in nothing
    assert "<h1>Cold starts</h1>" in ask("GET", "/notes/cold-starts").body.decode()


def test_a_page_or_file_that_is_not_there_is_a_page_that_leads_back_and_is_not_kept(ask):
    for target in ("/notes/nothing", "/nothing", "/static/nothing.css"):
        for _ in range(2):
            answer = ask("GET", target)
            assert (answer.status, "image" in answer.hops) == (404, True)
            assert '<a href="/">the first page</a>' in answer.body.decode()
