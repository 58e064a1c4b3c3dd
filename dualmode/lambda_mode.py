"""RUN_MODE=lambda: awslambdaric, started as fast as this Python can.

The image starts this file, with the entrypoint as its argument: a shell before it takes a hundredth of a cold start.
The entrypoint starts this file as well, without an argument.
"""

import posix
import sys

HANDLER = "dualmode.lambda_handler.handler"


def is_plain() -> bool:
    """Tells whether nothing is left for the entrypoint to do: another mode, a sentence, or the path of the modules."""
    told = posix.environ
    root = __file__.rpartition("/dualmode/")[0]
    in_lambda = (told.get(b"RUN_MODE") or b"lambda") == b"lambda" and bool(told.get(b"AWS_LAMBDA_RUNTIME_API"))
    return in_lambda and sys.path[:2] == [root, posix.getcwd()]


def run() -> None:
    """Runs awslambdaric with our handler, for as long as there are events."""
    from dualmode import collector, lazy_imports

    collector.pause()  # `lambda_handler` turns it on again when the application is loaded
    lazy_imports.install()  # before the import of awslambdaric, which gains most from it

    from awslambdaric.__main__ import main

    main([sys.argv[0], HANDLER])


if __name__ == "__main__":
    if sys.argv[1:] and not is_plain():
        posix.execv(sys.argv[1], sys.argv[1:])
    del sys.argv[1:]

    from dualmode import module_bundle

    module_bundle.install()  # first of all: it finds and reads all later imports
    run()
