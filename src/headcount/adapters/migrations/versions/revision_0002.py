"""Owners, what is due, and the tables of a service."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from headcount.adapters.tables import ByCodePoint, Moment

revision = "0002"
down_revision = "0001"

_DUE = sa.text("due_at IS NOT NULL")
_ADDED = sa.text("delta <> ''")


def upgrade() -> None:
    """Say whose a job is, find what is due, and make the service's tables."""
    owner = sa.Column("owner", sa.Text, nullable=False, server_default="local")
    op.add_column("jobs", owner)
    for name in ("campaign", "end_user", "webhook"):
        op.add_column("jobs", _text(name, nullable=True))
    op.add_column("jobs", _moment("told_at", nullable=True))
    idle = sa.Column("idle_ms", sa.BigInteger, nullable=False, server_default="0")
    op.add_column("jobs", idle)
    op.create_index("ix_jobs_owner_newest", "jobs", ["owner", "created_at", "id"])
    _index_of_due("jobs")
    _keys_and_requests()
    _webhooks()
    _fleet()
    _figures()


def _text(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, Moment, nullable=nullable)


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=op.f(f"pk_{table}"))


def _index_of_due(table: str) -> None:
    name = f"ix_{table}_due"
    op.create_index(name, table, ["due_at"], sqlite_where=_DUE, postgresql_where=_DUE)


def _keys_and_requests() -> None:
    op.create_table(
        "api_keys",
        *(_text(name) for name in ("id", "owner", "scope", "digest")),
        _moment("created_at"),
        _moment("revoked_at", nullable=True),
        _key("api_keys", "id"),
        sa.UniqueConstraint("digest", name=op.f("uq_api_keys_digest")),
    )
    op.create_table(
        "requests",
        *(_text(name) for name in ("owner", "key", "fingerprint")),
        _moment("created_at"),
        sa.Column("status", sa.Integer),
        _text("body", nullable=True),
        _text("location", nullable=True),
        _key("requests", "owner", "key"),
    )


def _webhooks() -> None:
    op.create_table(
        "webhook_secrets",
        *(_text(name) for name in ("owner", "url", "secret")),
        _text("previous", nullable=True),
        _moment("previous_until", nullable=True),
        _key("webhook_secrets", "owner", "url"),
    )
    op.create_table(
        "deliveries",
        *(_text(name) for name in ("id", "job_id", "owner", "url", "type", "body")),
        _moment("created_at"),
        sa.Column("attempts", sa.Integer, nullable=False),
        _moment("due_at", nullable=True),
        _moment("delivered_at", nullable=True),
        _text("error", nullable=True),
        _key("deliveries", "id"),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], op.f("fk_deliveries_jobs"), ondelete="CASCADE"
        ),
    )
    op.create_index("ix_deliveries_job", "deliveries", ["job_id"])
    _index_of_due("deliveries")


def _fleet() -> None:
    op.create_table(
        "provider_keys",
        _text("id"),
        _moment("next_at", nullable=True),
        _moment("paused_at", nullable=True),
        _text("reason", nullable=True),
        _key("provider_keys", "id"),
    )


def _figures() -> None:
    place = ("keyword", "day", "owner", "kind", "status", "size", "delta")
    op.create_table(
        "figures",
        sa.Column("keyword", ByCodePoint, nullable=False),
        *(_text(name) for name in ("day", "owner", "kind", "status", "delta")),
        sa.Column("size", sa.Integer, nullable=False),
        *(
            sa.Column(name, sa.BigInteger, nullable=False)
            for name in ("jobs", "exact", "calls", "credits", "creators")
        ),
        *(
            sa.Column(name, sa.BigInteger, nullable=False)
            for name in ("duplicates", "timed", "processing_ms")
        ),
        _key("figures", *place),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_figures_delta",
        "figures",
        ["delta"],
        sqlite_where=_ADDED,
        postgresql_where=_ADDED,
    )
