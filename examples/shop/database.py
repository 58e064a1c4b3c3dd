"""The database: one connection for each copy of the function, which is frozen between requests."""

from collections.abc import Mapping
from pathlib import Path

from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import URL, make_url

ENGINE_OPTIONS = {
    # A copy of the function has one request at a time. A hundred copies are a hundred connections all the same:
    # `reservedConcurrency` is the limit.
    "pool_size": 1,
    "max_overflow": 0,
    # While the function was frozen, the server may have closed the connection.
    "pool_pre_ping": True,
    # Seconds. A NAT gateway drops what was idle for 350 without a word, and a ping would wait for its answer.
    "pool_recycle": 300,
    "connect_args": {"connect_timeout": 5},
}

db = SQLAlchemy()
migrate = Migrate(directory=str(Path(__file__).with_name("migrations")))


def address(environ: Mapping[str, str]) -> URL:
    """Returns where the database is. The password alone is a secret, so the rest can be read in the settings."""
    return make_url(environ["DATABASE_URL"]).set(password=environ["DATABASE_PASSWORD"])
