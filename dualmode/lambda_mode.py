"""RUN_MODE=lambda: awslambdaric, started as fast as this Python can."""

import sys

HANDLER = "dualmode.lambda_handler.handler"


def run() -> None:
    """Runs awslambdaric with our handler, for as long as there are events."""
    from dualmode import collector, lazy_imports

    collector.pause()  # `lambda_handler` turns it on again when the application is loaded
    lazy_imports.install()  # before the import of awslambdaric, which gains most from it

    from awslambdaric.__main__ import main

    main([sys.argv[0], HANDLER])


if __name__ == "__main__":
    from dualmode import module_bundle

    module_bundle.install()  # first of all: it finds and reads all later imports
    run()
