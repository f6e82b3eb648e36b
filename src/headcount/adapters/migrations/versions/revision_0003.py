"""What owners may spend and be delivered, and how many calls a process may have out."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from headcount.adapters.tables import ByCodePoint, Moment

revision = "0003"
down_revision = "0002"

_DONE = sa.text("due_at IS NULL")


def upgrade() -> None:
    """Add the allowances, what they make of a job, and permits."""
    op.add_column("jobs", sa.Column("entitled", sa.Integer))
    op.add_column("jobs", sa.Column("rest", sa.Text))
    _allowances()
    _permits()
    _expansion()
    _retention()


def _allowances() -> None:
    op.create_table(
        "allowances",
        sa.Column("owner", ByCodePoint, nullable=False),
        sa.Column("end_user", ByCodePoint, nullable=False),
        sa.Column("credits_per_day", sa.BigInteger),
        sa.Column("creators_per_month", sa.BigInteger),
        sa.Column("day", sa.Text, nullable=False),
        sa.Column("credits_used", sa.BigInteger, nullable=False),
        sa.Column("month", sa.Text, nullable=False),
        sa.Column("creators_used", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("owner", "end_user", name=op.f("pk_allowances")),
    )


def _permits() -> None:
    op.create_table(
        "permits",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("wanted", sa.Integer, nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("key", "holder", name=op.f("pk_permits")),
    )


def _retention() -> None:
    """Find what is old enough to be forgotten."""
    op.create_index("ix_requests_oldest", "requests", ["created_at"])
    op.create_index(
        "ix_deliveries_done",
        "deliveries",
        ["created_at"],
        sqlite_where=_DONE,
        postgresql_where=_DONE,
    )


def _expansion() -> None:
    """Say where a source comes from, and what it cost."""
    op.add_column("jobs", sa.Column("hashtags", sa.Text))
    op.add_column("sources", _given("endpoint", sa.Text, "keyword"))
    op.add_column("sources", _given("sweep", sa.Integer, "1"))
    op.add_column("sources", sa.Column("origin", sa.Text))
    op.add_column("sources", _given("relevance", sa.Float, "1"))
    op.add_column("sources", _given("charged", sa.Integer, "0"))
    op.add_column("sources", _given("credits", sa.Integer, "0"))


def _given(name: str, kind: type[Any], default: str) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, server_default=default)
