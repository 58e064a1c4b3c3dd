"""A Flask application whose views are in a module of their own, imported for what that does: it registers them."""

from flask import Flask

app = Flask(__name__)

import views  # noqa: E402, F401 - needs `app`, and nothing here uses its name
