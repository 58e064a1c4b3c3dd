"""RUN_MODE=lambda: awslambdaric, started as fast as this Python can."""

import gc
import sys

from scripts import lazy_imports

HANDLER = "scripts.lambda_handler.handler"

if __name__ == "__main__":
    # Nothing that start-up makes is garbage, and looking for it costs milliseconds. The threshold, and not gc.disable():
    # whether the collector is on stays the application's own to say. `lambda_handler` restores it.
    gc.set_threshold(0)
    lazy_imports.install()  # before awslambdaric is imported, which it speeds up most

    from awslambdaric.__main__ import main

    main([sys.argv[0], HANDLER])
