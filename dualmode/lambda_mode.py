"""RUN_MODE=lambda: awslambdaric, started as fast as this Python can."""

import sys

from dualmode import collector, lazy_imports

HANDLER = "dualmode.lambda_handler.handler"

if __name__ == "__main__":
    collector.pause()  # `lambda_handler` resumes it, when the application is there
    lazy_imports.install()  # before awslambdaric is imported, which it speeds up most

    from awslambdaric.__main__ import main

    main([sys.argv[0], HANDLER])
