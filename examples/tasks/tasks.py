"""An API of tasks, which are kept in DynamoDB. README.md says which settings deploy it."""

import time

from flask import Flask, request
from werkzeug.exceptions import HTTPException

import fields
import store
from decimal_json import DecimalJson

SECONDS_A_DAY = 86_400

app = Flask(__name__)
app.json = DecimalJson(app)


@app.get("/tasks")
def index() -> dict[str, object]:
    """Lists tasks, a page at a time: `next` is there if there are more, for the query of the next request."""
    asked = fields.asked(request.args)
    tasks, following = store.listed(**asked)
    answer: dict[str, object] = {"tasks": tasks, "count": len(tasks)}
    return answer | ({"next": following} if following else {})


@app.post("/tasks")
def add() -> tuple[dict[str, object], int, dict[str, str]]:
    """Adds a task."""
    task = store.add(fields.of_new_task(request.get_json(silent=True)))
    return task, 201, {"Location": f"/tasks/{task['id']}"}


@app.get("/tasks/<task_id>")
def show(task_id: str) -> dict[str, object]:
    """Shows a task."""
    return store.get(task_id)


@app.put("/tasks/<task_id>")
def change(task_id: str) -> dict[str, object]:
    """Changes the fields that are sent. With the task's `version`, only if nobody else has changed it since."""
    values, version = fields.of_change(request.get_json(silent=True))
    return store.change(task_id, values, version)


@app.delete("/tasks/<task_id>")
def remove(task_id: str) -> tuple[str, int]:
    """Removes a task."""
    store.remove(task_id)
    return "", 204


@app.post("/jobs/clean-up")
def clean_up() -> dict[str, int]:
    """Removes the tasks that were done more than `days` ago. Only the schedule reaches this path."""
    days = request.get_json()["days"]
    removed = store.clean_up(done_before=int(time.time()) - days * SECONDS_A_DAY)
    app.logger.info("%d tasks were done more than %d days ago, and are removed", removed, days)
    return {"removed": removed}


@app.errorhandler(fields.InvalidFieldError)
def refuse_field(error: fields.InvalidFieldError) -> tuple[dict[str, str], int]:
    """Answers what is wrong with what a client sent."""
    return {"error": str(error)}, 400


@app.errorhandler(store.NoTaskError)
def refuse_missing(error: store.NoTaskError) -> tuple[dict[str, str], int]:
    """Answers that there is no such task."""
    return {"error": "Task not found"}, 404


@app.errorhandler(store.ChangedMeanwhileError)
def refuse_outdated(error: store.ChangedMeanwhileError) -> tuple[dict[str, str], int]:
    """Answers that a client has changed an old version of a task."""
    return {"error": "Another request has changed the task: get it again"}, 409


@app.errorhandler(HTTPException)
def refuse(error: HTTPException) -> tuple[dict[str, str | None], int]:
    """Answers Flask's own errors as JSON too."""
    return {"error": error.description}, error.code or 500
