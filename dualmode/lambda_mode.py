"""RUN_MODE=lambda: awslambdaric, started as fast as this Python can."""

import sys

HANDLER = "dualmode.lambda_handler.handler"


def run() -> None:
    """Runs awslambdaric with our handler, for as long as there are events."""
    from dualmode import collector, lazy_imports

    collector.pause()  # `lambda_handler` resumes it, when the application is there
    lazy_imports.install()  # before awslambdaric is imported, which it speeds up most

    from awslambdaric.__main__ import main

    main([sys.argv[0], HANDLER])


if __name__ == "__main__":
    from dualmode import module_bundle

    module_bundle.install()  # before all else is imported, which it finds and reads at once
    run()
