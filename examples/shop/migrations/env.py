"""How Alembic reaches the database: by the application's own engine.

Flask-Migrate's own file also sets up logging, which would end the log of the function that runs the command.
"""

from alembic import context
from flask import current_app

migrate = current_app.extensions["migrate"]

with migrate.db.engine.connect() as connection:
    context.configure(connection=connection, target_metadata=migrate.db.metadata, **migrate.configure_args)
    with context.begin_transaction():
        context.run_migrations()
