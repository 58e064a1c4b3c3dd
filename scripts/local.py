"""RUN_MODE=local: the application on Flask's own server."""

import os

from scripts import application

if __name__ == "__main__":
    from werkzeug.serving import run_simple

    run_simple(
        os.environ.get("FLASK_RUN_HOST", "0.0.0.0"),
        int(os.environ.get("PORT", "3000")),
        application.load(application.import_string()),
        threaded=True,
    )
