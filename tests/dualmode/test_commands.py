"""Management commands: Flask's own command line, by an event that no client can send."""

import sys
from contextlib import redirect_stdout
from functools import partial
from io import StringIO

import click
import pytest
from awslambdaric.lambda_runtime_exception import FaultException
from flask import Flask, current_app

from dualmode import commands
from dualmode.handler import wsgi_handler
from dualmode.logs import AccessLog
from tests.support.events import CONTEXT, make_event


@pytest.fixture
def app():
    app = Flask("shop")
    app.get("/things")(lambda: "things")

    @app.cli.command("greet")
    @click.argument("name")
    @click.option("--loud", is_flag=True)
    def greet(name, loud):
        click.echo(f"hello {name} of {current_app.name}{'!' * loud}")
        click.echo("to you too", err=True)

    @app.cli.command("fail")
    def fail():
        raise ValueError("no such table")

    @app.cli.command("leave")
    def leave():
        sys.exit(3)

    return app


def test_a_command_returns_its_exit_code_and_output(app):
    run = partial(commands.run, app, allowed=True)
    assert run(["greet", "Ada", "--loud"]) == {"exit_code": 0, "output": "hello Ada of shop!\nto you too\n"}
    assert run(["leave"]) == {"exit_code": 3, "output": ""}


def test_the_output_has_what_is_printed_to_streams_that_were_taken_at_import(app, capsys):
    taken = sys.stdout, sys.stderr  # as a default of Alembic's is

    @app.cli.command("current")
    def current():
        click.echo("before")
        taken[0].write("0002 (head)\n")
        taken[1].write("a warning\n")

    expected = {"exit_code": 0, "output": "before\n0002 (head)\na warning\n"}
    assert [commands.run(app, ["current"], allowed=True) for _ in "ab"] == [expected] * 2
    with redirect_stdout(StringIO()):  # nobody's but the one who redirects
        taken[0].write("after\n")
    assert capsys.readouterr() == ("after\n", "")


def test_flask_s_own_commands_are_there(app):
    result = commands.run(app, ["routes"], allowed=True)
    assert (result["exit_code"], "/things" in result["output"]) == (0, True)


def test_a_command_that_fails_returns_its_traceback(app):
    result = commands.run(app, ["fail"], allowed=True)
    assert (result["exit_code"], result["output"].splitlines()[-1]) == (1, "ValueError: no such table")


@pytest.mark.parametrize("name", ["run", "shell", "nothing"])
def test_a_command_that_would_never_end_is_none(name, app):
    result = commands.run(app, [name], allowed=True)
    assert (result["exit_code"], result["output"].splitlines()[-1]) == (2, f"Error: No such command '{name}'.")


def test_only_the_end_of_a_long_output_is_returned(app):
    app.cli.command("talk")(lambda: click.echo("x" * 2_000_000 + "end"))
    output = commands.run(app, ["talk"], allowed=True)["output"]
    assert (len(output), output[-4:]) == (1_000_000, "end\n")


@pytest.mark.parametrize(
    ("event", "is_one"),
    [
        ({"flask": ["db", "upgrade"]}, True),
        ({"flask": []}, True),
        ({"flask": "db upgrade"}, False),
        ({"flask": ["db"], "more": 1}, False),
        ({"flask": [1]}, False),
        (["flask"], False),
        (make_event(), False),
    ],
)
def test_a_command_is_recognised_by_its_shape_alone(event, is_one):
    assert commands.is_command(event) is is_one


def test_commands_are_off_until_they_are_allowed(app):
    access = AccessLog({}, sys.stdout.write)
    handler = wsgi_handler(app, access, run_command=partial(commands.run, app, allowed=False))
    with pytest.raises(FaultException) as failed:
        handler({"flask": ["greet", "Ada"]}, CONTEXT)
    assert (failed.value.exception_type, failed.value.msg, failed.value.trace) == (
        "CommandError",
        "Commands are off: set DUALMODE_ALLOW_COMMANDS=1 to let the function run them.",
        None,
    )


@pytest.mark.parametrize("allowed", [True, False])
def test_an_application_that_is_not_flask_has_no_commands_and_that_is_said(allowed):
    with pytest.raises(commands.CommandError, match="of type object, and only a Flask application has"):
        commands.run(object(), ["greet"], allowed=allowed)


@pytest.mark.parametrize("body", ['{"flask": ["greet", "Ada"]}', b'{"flask": ["greet", "Ada"]}'])
def test_a_client_that_sends_a_command_gets_a_page_as_for_any_body(app, body):
    ran = []
    app.add_url_rule("/", "page", lambda: "page", methods=["POST"])
    handler = wsgi_handler(app, AccessLog({}, lambda line: None), run_command=ran.append)
    assert handler(make_event(method="POST", body=body), CONTEXT)["body"] == "page"
    assert ran == []
