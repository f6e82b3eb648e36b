"""The tables: what a store holds of jobs, in the words of the core.

Columns are named like the fields they hold, and their types know how to hold them:
times as ISO 8601 text in UTC, states as their word, nested values as JSON.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeEngine

from headcount.core.calls import CallKind, CallState, Endpoint
from headcount.core.hashtags import Hashtags
from headcount.core.model import Outcome, Rest, Search, SourceState, Status
from headcount.core.sighting import Sighting, Verdict
from headcount.core.tempo import Tempo

HEAD = "0004"  # the revision of the schema below; see `migrations/versions`


class Moment(TypeDecorator[datetime]):
    """A time; on SQLite as text of fixed width in UTC, so that it sorts as it reads."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Take the type for times where there is one."""
        has_none = dialect.name == "sqlite"
        return dialect.type_descriptor(Text() if has_none else DateTime(timezone=True))

    def process_bind_param(
        self, value: datetime | None, dialect: Dialect
    ) -> str | datetime | None:
        """Write a time down."""
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(
        self, value: str | datetime | None, dialect: Dialect
    ) -> datetime | None:
        """Read a time back."""
        del dialect
        if isinstance(value, str):
            return datetime.fromisoformat(value)
        return value and value.astimezone(UTC)


# Text that sorts the same everywhere, whatever the language of the database.
ByCodePoint = Text().with_variant(Text(collation="C"), "postgresql")


class Word(TypeDecorator[StrEnum]):
    """One of a fixed set of words, as text."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: type[StrEnum]) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: StrEnum | None, dialect: Dialect) -> str | None:
        """Write a word down."""
        del dialect
        return None if value is None else value.value

    def process_result_value(
        self, value: str | None, dialect: Dialect
    ) -> StrEnum | None:
        """Read a word back."""
        del dialect
        return None if value is None else self.kind(value)


class Json(TypeDecorator[Any]):
    """A value of the core, or a plain document, as JSON text."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: type[object]) -> None:
        super().__init__()
        self.kind = kind
        self._decode = msgspec.json.Decoder(kind).decode

    def process_bind_param(self, value: object, dialect: Dialect) -> str | None:
        """Write a value down."""
        del dialect
        return None if value is None else msgspec.json.encode(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> object:
        """Read a value back."""
        del dialect
        return None if value is None else self._decode(value)


def _counts(*names: str) -> list[Column[Any]]:
    return [Column(name, Integer, nullable=False) for name in names]


def _of_job() -> Column[Any]:
    jobs_id = ForeignKey("jobs.id", ondelete="CASCADE")
    return Column("job_id", Text, jobs_id, nullable=False)


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

_DUE = text("due_at IS NOT NULL")

jobs = Table(
    "jobs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("status", Word(Status), nullable=False),
    Column("search", Json(Search), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("started_at", Moment),
    Column("ended_at", Moment),
    Column("due_at", Moment),
    Column("fence", Integer, nullable=False),
    Column("lease_token", Integer),
    Column("lease_holder", Text),
    Column("lease_expires_at", Moment),
    *_counts("target", "delivered", "qualified", "rejected", "pending"),
    *_counts("pages", "items", "duplicates", "rejections", "unusable"),
    *_counts("lines", "charged", "attempts", "credits"),
    Column("halt", Json(Outcome)),
    Column("outcome", Json(Outcome)),
    Column("owner", Text, nullable=False, server_default="local"),
    *(Column(name, Text) for name in ("campaign", "end_user", "webhook")),
    Column("told_at", Moment),
    Column("idle_ms", BigInteger, nullable=False, server_default="0"),
    Column("entitled", Integer),
    Column("rest", Json(Rest)),
    Column("hashtags", Json(Hashtags)),
    Column("tempo", Json(Tempo)),
    CheckConstraint("delivered <= target", name="never_too_many"),
    CheckConstraint("delivered <= qualified", name="delivered_qualify"),
    CheckConstraint(
        "qualified >= 0 AND rejected >= 0 AND pending >= 0", name="no_negative_count"
    ),
    Index("ix_jobs_newest", "created_at", "id"),
    Index("ix_jobs_status_newest", "status", "created_at", "id"),
    Index("ix_jobs_owner_newest", "owner", "created_at", "id"),
    Index("ix_jobs_due", "due_at", sqlite_where=_DUE, postgresql_where=_DUE),
)

sources = Table(
    "sources",
    metadata,
    _of_job(),
    Column("id", Integer, nullable=False),
    Column("keyword", Text, nullable=False),
    Column("region", Text),
    Column("sort", Text),
    Column("period", Text),
    Column("state", Word(SourceState), nullable=False),
    Column("cursor", Text, nullable=False),
    *_counts("evidence", "failures", "throttles", "refusals"),
    Column("retry_at", Moment),
    Column("set_aside", Integer),
    Column("error", Text),
    *_counts("pages", "items", "found", "once"),
    Column("recent", Float, nullable=False),
    Column("endpoint", Word(Endpoint), nullable=False, server_default="keyword"),
    Column("sweep", Integer, nullable=False, server_default="1"),
    Column("origin", Text),
    Column("relevance", Float, nullable=False, server_default="1"),
    Column("charged", Integer, nullable=False, server_default="0"),
    Column("credits", Integer, nullable=False, server_default="0"),
    PrimaryKeyConstraint("job_id", "id"),
    sqlite_with_rowid=False,
)

calls = Table(
    "calls",
    metadata,
    _of_job(),
    Column("id", Integer, nullable=False),
    Column("source", Integer, nullable=False),
    Column("cursor", Text, nullable=False),
    Column("held", Integer, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("kind", Word(CallKind), nullable=False),
    Column("creator_key", Text),
    Column("state", Word(CallState), nullable=False),
    Column("number", Integer),
    *_counts("attempts", "credits", "items", "new", "duplicates", "rejected"),
    *_counts("pending", "unusable", "size", "duration_ms"),
    Column("closed_at", Moment),
    Column("error", Text),
    PrimaryKeyConstraint("job_id", "id"),
    UniqueConstraint("job_id", "number"),
    Index(
        "ix_calls_open",
        "job_id",
        "id",
        sqlite_where=text("state = 'open'"),
        postgresql_where=text("state = 'open'"),
    ),
    sqlite_with_rowid=False,
)

creators = Table(
    "creators",
    metadata,
    _of_job(),
    Column("number", Integer, nullable=False),
    Column("creator_key", Text, nullable=False),
    Column("verdict", Word(Verdict), nullable=False),
    Column("ordinal", Integer),
    Column("reason", Text),
    Column("call", Integer, nullable=False),  # which tells the source and the time
    Column("sighting", Json(Sighting), nullable=False),
    PrimaryKeyConstraint("job_id", "number"),
    UniqueConstraint("job_id", "creator_key"),
    UniqueConstraint("job_id", "ordinal"),
    CheckConstraint(
        "(verdict = 'qualified') = (ordinal IS NOT NULL)", name="qualified_are_numbered"
    ),
    CheckConstraint("ordinal >= 1", name="ordinals_from_1"),
)

# Which creator was seen in which post by which source.
posts = Table(
    "posts",
    metadata,
    Column("job_id", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("source", Integer, nullable=False),
    Column("video_id", Text, nullable=False),
    PrimaryKeyConstraint("job_id", "number", "source", "video_id"),
    ForeignKeyConstraint(
        ["job_id", "number"],
        ["creators.job_id", "creators.number"],
        ondelete="CASCADE",
    ),
    sqlite_with_rowid=False,
)

events = Table(
    "events",
    metadata,
    _of_job(),
    Column("id", Integer, nullable=False),
    Column("type", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("data", Json(dict[str, object]), nullable=False),
    PrimaryKeyConstraint("job_id", "id"),
    sqlite_with_rowid=False,
)

# Alembic's own, declared here so that a fresh store is made without Alembic.
revision = Table(
    "alembic_version",
    metadata,
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
