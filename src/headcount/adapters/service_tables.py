"""The tables that only a service fills: keys, requests, webhooks and statistics."""

from dataclasses import fields

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

from headcount.adapters.tables import ByCodePoint, Moment, Word, metadata
from headcount.core.model import Status
from headcount.core.statistics import Kind, Sums

_WAITING = text("due_at IS NOT NULL")
_DONE = text("due_at IS NULL")
_ADDED = text("delta <> ''")

# Who may use the service; of a key only the digest is kept.
api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("digest", Text, nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
    Column("revoked_at", Moment),
)

# What was answered to a request that named an idempotency key.
requests = Table(
    "requests",
    metadata,
    Column("owner", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("status", Integer),  # none while it is being answered
    Column("body", Text),
    Column("location", Text),
    PrimaryKeyConstraint("owner", "key"),
    Index("ix_requests_oldest", "created_at"),
)

# What a webhook's messages are signed with; the previous secret still is for a while.
webhook_secrets = Table(
    "webhook_secrets",
    metadata,
    Column("owner", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("previous", Text),
    Column("previous_until", Moment),
    PrimaryKeyConstraint("owner", "url"),
)

# Messages to webhooks; one that has no due time was delivered or given up.
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Text, primary_key=True),
    Column("job_id", Text, ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("owner", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Moment),
    Column("delivered_at", Moment),
    Column("error", Text),
    Index("ix_deliveries_job", "job_id"),
    Index(
        "ix_deliveries_due", "due_at", sqlite_where=_WAITING, postgresql_where=_WAITING
    ),
    Index(
        "ix_deliveries_done", "created_at", sqlite_where=_DONE, postgresql_where=_DONE
    ),
)

EVERY_KEY = "*"  # closed, it stops all calls of all keys

# The pace and the pauses of a provider's key, for all machines; see `fleet`.
provider_keys = Table(
    "provider_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("next_at", Moment),
    Column("paused_at", Moment),
    Column("reason", Text),
)

# How many calls of a key each process may have out, and how many it has a use for; they
# are free again when they expire. Locked with the key's row in `provider_keys`.
permits = Table(
    "permits",
    metadata,
    Column("key", Text, nullable=False),
    Column("holder", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("wanted", Integer, nullable=False),
    Column("expires_at", Moment, nullable=False),
    PrimaryKeyConstraint("key", "holder"),
)

# What an owner (* is all of them), or an end user where that is not empty, may use, and
# what of it was used on a day and in a month.
allowances = Table(
    "allowances",
    metadata,
    Column("owner", ByCodePoint, nullable=False),
    Column("end_user", ByCodePoint, nullable=False),
    Column("credits_per_day", BigInteger),
    Column("creators_per_month", BigInteger),
    Column("day", Text, nullable=False),
    Column("credits_used", BigInteger, nullable=False),
    Column("month", Text, nullable=False),
    Column("creators_used", BigInteger, nullable=False),
    PrimaryKeyConstraint("owner", "end_user"),
)

# What ended jobs add up to: by place the sum rolled up, whose `delta` is empty, and
# what each change added since. The sum of all rows of a place is always the truth.
figures = Table(
    "figures",
    metadata,
    Column("keyword", ByCodePoint, nullable=False),  # empty: all jobs, once each
    Column("day", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("kind", Word(Kind), nullable=False),
    Column("status", Word(Status), nullable=False),
    Column("size", Integer, nullable=False),
    Column("delta", Text, nullable=False),
    *(Column(field.name, BigInteger, nullable=False) for field in fields(Sums)),
    PrimaryKeyConstraint("keyword", "day", "owner", "kind", "status", "size", "delta"),
    Index("ix_figures_delta", "delta", sqlite_where=_ADDED, postgresql_where=_ADDED),
    sqlite_with_rowid=False,
)
