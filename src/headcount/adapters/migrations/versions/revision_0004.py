"""How fast a job goes."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add what tells how long the rest of a job will take."""
    op.add_column("jobs", sa.Column("tempo", sa.Text))
