"""When something was bought, and an index for the purchases of a customer."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Adds a column that the version before this one needn't know: it may still have requests."""
    ordered = sa.Column("ordered", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now())
    op.add_column("purchase", ordered)
    op.create_index("ix_purchase_customer_id", "purchase", ["customer_id"])


def downgrade() -> None:
    """Removes both."""
    op.drop_index("ix_purchase_customer_id", "purchase")
    op.drop_column("purchase", "ordered")
