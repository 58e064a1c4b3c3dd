"""A task that an ASGI application leaves running is said once: Lambda runs it only while there are requests."""

import asyncio
import contextlib
import logging
import sys

import pytest
from fastapi import BackgroundTasks, FastAPI

from dualmode.asgi import as_wsgi
from dualmode.handler import wsgi_handler
from dualmode.logs import AccessLog
from tests.support.events import CONTEXT, make_event

SENTENCE = (
    "A task goes on after the response: Lambda freezes it until the next request, which may be never. Finish the work "
    "before you respond, or send it to a queue such as SQS."
)


@pytest.fixture
def said(caplog):
    """Sends requests to an application, and returns what is said about its tasks."""
    caplog.set_level(logging.WARNING, "dualmode")
    made = []

    def run(app, *paths):
        handler = wsgi_handler(as_wsgi(app), AccessLog({"AWS_LAMBDA_LOG_LEVEL": "CRITICAL"}, sys.stdout.write))
        made.append(asyncio.get_event_loop())
        for path in paths:
            assert handler(make_event(path=path), CONTEXT)["statusCode"] == 200
        return [record.getMessage() for record in caplog.records]

    yield run
    for loop in made:
        for task in asyncio.all_tasks(loop):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                loop.run_until_complete(task)
        loop.close()
    asyncio.set_event_loop(None)


@pytest.fixture
def app():
    """An application whose routes leave different things behind."""
    kept = set()

    @contextlib.asynccontextmanager
    async def lifespan(_app):
        work = asyncio.Queue()
        kept.add(asyncio.create_task(work.get()))  # a worker that has nothing to do
        yield

    app = FastAPI(lifespan=lifespan)

    @app.get("/sleeping")
    async def sleeping():
        kept.add(asyncio.create_task(asyncio.sleep(60)))

    @app.get("/ended")
    async def ended():
        kept.add(asyncio.create_task(asyncio.sleep(0)))

    @app.get("/cancelled")
    async def cancelled():
        task = asyncio.create_task(asyncio.sleep(60))
        await asyncio.sleep(0)
        task.cancel()
        kept.add(task)

    @app.get("/background")
    async def background(tasks: BackgroundTasks):
        tasks.add_task(asyncio.sleep, 0.01)

    @app.get("/awaited")
    async def awaited():
        await asyncio.gather(*(asyncio.sleep(0.01) for _ in range(3)))

    return app


def test_a_task_that_goes_on_is_said_once(said, app):
    assert said(app, "/sleeping", "/sleeping") == [SENTENCE]


@pytest.mark.parametrize("path", ["/ended", "/cancelled", "/background", "/awaited"])
def test_work_that_ends_with_the_response_is_not_said(said, app, path):
    assert said(app, path, path) == []


def test_background_tasks_of_starlette_end_before_the_response(said, app):
    done = []

    @app.get("/order")
    async def order(tasks: BackgroundTasks):
        async def work():
            await asyncio.sleep(0.01)
            done.append("work")

        tasks.add_task(work)

    assert (said(app, "/order"), done) == ([], ["work"])
