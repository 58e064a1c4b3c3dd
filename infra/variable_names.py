"""The names that a function's environment variables may have."""

import re

from infra.rules import refuse

VARIABLE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]+")
"""Names that Lambda takes for a variable. Source: `Environment`, Lambda API Reference."""

RESERVED_NAMES = frozenset(
    {
        *("_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV"),
        *("AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION"),
        *("AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME"),
        *("AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
        *("AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR"),
    }
)
"""Variables that Lambda sets itself. Source: "Defined runtime environment variables", Lambda Developer Guide."""


def check_name(key: str, name: str, text: object = "...") -> None:
    """A variable must have a name that Lambda accepts and that the image doesn't reserve.

    `text` is what the message shows as its value, where that can't be a secret.

    Raises:
        ConfigError: it has another one.
    """
    if name in RESERVED_NAMES:
        refuse(key, "...", "Lambda sets that variable itself", "rename it")
    if not VARIABLE_NAME.fullmatch(name):
        refuse(key, "...", "a name is a letter, followed by letters, digits or _", "rename it")
    if name == "RUN_MODE":
        refuse(key, text, "a deployed image always runs in lambda mode", "remove it")
