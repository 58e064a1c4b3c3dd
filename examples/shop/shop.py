"""A shop on PostgreSQL, with customers who log in. README.md says which settings deploy it."""

import os

from flask import Flask
from werkzeug.exceptions import HTTPException

import customers
import database
import orders
import products


def create_app() -> Flask:
    """Makes the application of the variables SECRET_KEY, DATABASE_URL and DATABASE_PASSWORD."""
    app = Flask(__name__)
    app.config.from_mapping(
        SECRET_KEY=os.environ["SECRET_KEY"],
        SESSION_COOKIE_SECURE=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SQLALCHEMY_DATABASE_URI=database.address(os.environ),
        SQLALCHEMY_ENGINE_OPTIONS=database.ENGINE_OPTIONS,
    )
    database.db.init_app(app)
    database.migrate.init_app(app, database.db)
    for part in (products.blueprint, customers.blueprint, orders.blueprint):
        app.register_blueprint(part)
    app.register_error_handler(HTTPException, _refuse)
    return app


def _refuse(error: HTTPException) -> tuple[dict[str, str | None], int]:
    return {"error": error.description}, error.code or 500
