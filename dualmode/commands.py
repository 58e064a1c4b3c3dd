"""Flask's own command line in the deployed image: the event {"flask": ["db", "upgrade"]} runs `flask db upgrade`."""

import contextlib
import sys
from collections.abc import Iterator
from typing import Any, TypeGuard

SETTING = "DUALMODE_ALLOW_COMMANDS"

# Only the last characters of the output are returned: even escaped, the result must stay below Lambda's limit.
_MOST_OUTPUT = 1_000_000


class CommandError(Exception):
    """A command can't be run: the invocation fails with this sentence."""


def is_command(event: object) -> TypeGuard[dict[str, list[str]]]:
    """Tells whether an event is a command: an object with only one key, `flask`, which is a list of strings."""
    if not isinstance(event, dict) or len(event) != 1 or "flask" not in event:
        return False
    return isinstance(event["flask"], list) and all(isinstance(argument, str) for argument in event["flask"])


def run(app: Any, arguments: list[str], *, allowed: bool) -> dict[str, Any]:
    """Runs a command of a Flask application and returns its `exit_code` and `output` (both streams together).

    Raises:
        CommandError: commands are not allowed here, or the application is not Flask's.
    """
    from dualmode.kinds import describe, is_flask

    if not is_flask(app):
        raise CommandError(f"The application is {describe(app)}, and only a Flask application has commands to run.")
    if not allowed:
        raise CommandError(f"Commands are off: set {SETTING}=1 to let the function run them.")

    import traceback

    from click.testing import CliRunner
    from flask.cli import FlaskGroup

    group = FlaskGroup(create_app=lambda: app, load_dotenv=False, set_debug_flag=False)
    for name in ("run", "shell"):  # they would wait for a client or a person until the function times out
        del group.commands[name]
    with _followed("stdout"), _followed("stderr"):
        result = CliRunner().invoke(group, arguments, prog_name="flask")
    output = result.output
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        output += "".join(traceback.format_exception(result.exception))
    return {"exit_code": result.exit_code, "output": output[-_MOST_OUTPUT:]}


@contextlib.contextmanager
def _followed(name: str) -> Iterator[None]:
    """Passes on what is written to a stream of `sys` by who took it at import: another one stands in for it by then.

    Alembic does so for all that `flask db current`, `db history` and `db check` print.
    """
    taken = getattr(sys, name)
    own = taken.write

    def write(text: str) -> Any:
        current = getattr(sys, name)
        return own(text) if current is taken else current.write(text)

    taken.write = write
    try:
        yield
    finally:
        taken.write = own
