"""The first tables."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from headcount.adapters.tables import Moment

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the first tables."""
    _jobs()
    _sources()
    _calls()
    _creators()
    _posts()
    _events()


def downgrade() -> None:
    """Drop them."""
    for table in ("events", "posts", "creators", "calls", "sources", "jobs"):
        op.drop_table(table)


def _text(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, Moment, nullable=nullable)


def _counts(*names: str, nullable: bool = False) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Integer, nullable=nullable) for name in names]


def _of_job(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_jobs")
    return sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name, ondelete="CASCADE")


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=op.f(f"pk_{table}"))


def _check(name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{name}"))


def _jobs() -> None:
    op.create_table(
        "jobs",
        _text("id"),
        *_counts("version"),
        _text("status"),
        _text("search"),
        _moment("created_at"),
        _moment("started_at", nullable=True),
        _moment("ended_at", nullable=True),
        _moment("due_at", nullable=True),
        *_counts("fence"),
        *_counts("lease_token", nullable=True),
        _text("lease_holder", nullable=True),
        _moment("lease_expires_at", nullable=True),
        *_counts("target", "delivered", "qualified", "rejected", "pending"),
        *_counts("pages", "items", "duplicates", "rejections", "unusable"),
        *_counts("lines", "charged", "attempts", "credits"),
        _text("halt", nullable=True),
        _text("outcome", nullable=True),
        _key("jobs", "id"),
        _check("jobs_never_too_many", "delivered <= target"),
        _check("jobs_delivered_qualify", "delivered <= qualified"),
        _check(
            "jobs_no_negative_count",
            "qualified >= 0 AND rejected >= 0 AND pending >= 0",
        ),
    )
    op.create_index("ix_jobs_newest", "jobs", ["created_at", "id"])
    op.create_index("ix_jobs_status_newest", "jobs", ["status", "created_at", "id"])


def _sources() -> None:
    op.create_table(
        "sources",
        _text("job_id"),
        *_counts("id"),
        _text("keyword"),
        _text("region", nullable=True),
        _text("sort", nullable=True),
        _text("period", nullable=True),
        _text("state"),
        _text("cursor"),
        *_counts("evidence", "failures", "throttles", "refusals"),
        _moment("retry_at", nullable=True),
        *_counts("set_aside", nullable=True),
        sa.Column("error", sa.Text),
        *_counts("pages", "items", "found", "once"),
        sa.Column("recent", sa.Float, nullable=False),
        _key("sources", "job_id", "id"),
        _of_job("sources"),
        sqlite_with_rowid=False,
    )


def _calls() -> None:
    op.create_table(
        "calls",
        _text("job_id"),
        *_counts("id", "source"),
        _text("cursor"),
        *_counts("held"),
        _moment("opened_at"),
        _text("kind"),
        _text("creator_key", nullable=True),
        _text("state"),
        *_counts("number", nullable=True),
        *_counts("attempts", "credits", "items", "new", "duplicates", "rejected"),
        *_counts("pending", "unusable", "size", "duration_ms"),
        _moment("closed_at", nullable=True),
        _text("error", nullable=True),
        _key("calls", "job_id", "id"),
        _of_job("calls"),
        sa.UniqueConstraint("job_id", "number", name=op.f("uq_calls_job_id_number")),
        sqlite_with_rowid=False,
    )
    still_open = sa.text("state = 'open'")
    op.create_index(
        "ix_calls_open",
        "calls",
        ["job_id", "id"],
        sqlite_where=still_open,
        postgresql_where=still_open,
    )


def _creators() -> None:
    op.create_table(
        "creators",
        _text("job_id"),
        *_counts("number"),
        _text("creator_key"),
        _text("verdict"),
        *_counts("ordinal", nullable=True),
        _text("reason", nullable=True),
        *_counts("call"),
        _text("sighting"),
        _key("creators", "job_id", "number"),
        _of_job("creators"),
        sa.UniqueConstraint(
            "job_id", "creator_key", name=op.f("uq_creators_job_id_creator_key")
        ),
        sa.UniqueConstraint(
            "job_id", "ordinal", name=op.f("uq_creators_job_id_ordinal")
        ),
        _check(
            "creators_qualified_are_numbered",
            "(verdict = 'qualified') = (ordinal IS NOT NULL)",
        ),
        _check("creators_ordinals_from_1", "ordinal >= 1"),
    )


def _posts() -> None:
    op.create_table(
        "posts",
        _text("job_id"),
        *_counts("number", "source"),
        _text("video_id"),
        _key("posts", "job_id", "number", "source", "video_id"),
        sa.ForeignKeyConstraint(
            ["job_id", "number"],
            ["creators.job_id", "creators.number"],
            op.f("fk_posts_creators"),
            ondelete="CASCADE",
        ),
        sqlite_with_rowid=False,
    )


def _events() -> None:
    op.create_table(
        "events",
        _text("job_id"),
        *_counts("id"),
        _text("type"),
        _moment("at"),
        _text("data"),
        _key("events", "job_id", "id"),
        _of_job("events"),
        sqlite_with_rowid=False,
    )
