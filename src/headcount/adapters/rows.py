"""Between values and rows: what a table holds of a value, and the value of a row.

The column lists are in the order of a value's fields, so that a row is its arguments.
"""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

import msgspec
from sqlalchemy import Column

from headcount.adapters.tables import calls, creators, events, jobs, sources
from headcount.core.calls import Call
from headcount.core.model import Finding, Job, Label, Lease, Source
from headcount.core.webhooks import message, message_id
from headcount.ports import Event

Row = dict[str, Any]

_JOB_FIELDS = [field.name for field in fields(Job) if field.name in jobs.c]
_LABEL_FIELDS = [field.name for field in fields(Label)]
_LEASE_FIELDS = [field.name for field in fields(Lease)]
_SOURCE_FIELDS = [field.name for field in fields(Source)]
_CALL_FIELDS = [field.name for field in fields(Call)]
_EVENT_FIELDS = [field.name for field in fields(Event)]

JOB: list[Column[Any]] = [
    *(jobs.c[f"lease_{name}"] for name in _LEASE_FIELDS),
    *(jobs.c[name] for name in _LABEL_FIELDS),
    *(jobs.c[name] for name in _JOB_FIELDS),
]
SOURCE: list[Column[Any]] = [sources.c[name] for name in _SOURCE_FIELDS]
CALL: list[Column[Any]] = [calls.c[name] for name in _CALL_FIELDS]
_TOLD_ELSEWHERE: dict[str, Column[Any]] = {
    "key": creators.c.creator_key,
    "source": calls.c.source,
    "found_at": calls.c.closed_at,
}
FINDING: list[Column[Any]] = [
    _TOLD_ELSEWHERE[field.name]
    if field.name in _TOLD_ELSEWHERE
    else creators.c[field.name]
    for field in fields(Finding)
]
EVENT: list[Column[Any]] = [events.c[name] for name in _EVENT_FIELDS]


def job_row(job: Job) -> Row:
    """A job's own row; its sources and calls have tables of their own."""
    row = {name: getattr(job, name) for name in _JOB_FIELDS}
    row["target"], row["delivered"] = job.target, job.delivered
    row |= {name: getattr(job.label, name) for name in _LABEL_FIELDS}
    for name in _LEASE_FIELDS:
        row[f"lease_{name}"] = getattr(job.lease, name) if job.lease else None
    return row


def job_of(row: Sequence[Any], sources: Iterable[Source], calls: Iterable[Call]) -> Job:
    """A job of its row `JOB`, its sources and its open calls."""
    token, holder, expires_at, *values = row
    label, values = values[: len(_LABEL_FIELDS)], values[len(_LABEL_FIELDS) :]
    return Job(
        **dict(zip(_JOB_FIELDS, values, strict=True)),
        label=Label(*label),
        lease=None if token is None else Lease(token, holder, expires_at),
        sources=tuple(sources),
        open_calls=tuple(calls),
    )


def source_rows(job_id: str, sources: Iterable[Source]) -> list[Row]:
    """The rows of a job's sources."""
    return [_row(job_id, source, _SOURCE_FIELDS) for source in sources]


def call_rows(job_id: str, calls: Iterable[Call]) -> list[Row]:
    """The rows of ledger lines."""
    return [_row(job_id, call, _CALL_FIELDS) for call in calls]


def event_rows(job_id: str, events: Iterable[Event]) -> list[Row]:
    """The rows of a job's events."""
    return [_row(job_id, event, _EVENT_FIELDS) for event in events]


def delivery_rows(job: Job, events: Iterable[Event]) -> list[Row]:
    """The messages that tell a job's webhook of events; each is due at once."""
    return [
        {
            "id": message_id(job.id, event.id),
            "job_id": job.id,
            "owner": job.label.owner,
            "url": job.label.webhook,
            "type": event.type,
            "body": msgspec.json.encode(message(job, event.type, event.at)).decode(),
            "created_at": event.at,
            "attempts": 0,
            "due_at": event.at,
            "delivered_at": None,
            "error": None,
        }
        for event in events
    ]


def creator_rows(job_id: str, findings: Iterable[Finding]) -> list[Row]:
    """The rows of a job's creators."""
    return [
        {
            "job_id": job_id,
            "number": finding.number,
            "creator_key": finding.key,
            "verdict": finding.verdict,
            "sighting": finding.sighting,
            "call": finding.call,
            "ordinal": finding.ordinal,
            "reason": finding.reason,
        }
        for finding in findings
    ]


def post_rows(job_id: str, posts: Iterable[tuple[int, int, str]]) -> list[Row]:
    """The rows of the posts that showed creators: their number, source and video."""
    return [
        {"job_id": job_id, "number": number, "source": source, "video_id": video}
        for number, source, video in posts
    ]


def _row(job_id: str, value: object, names: list[str]) -> Row:
    return {"job_id": job_id} | {name: getattr(value, name) for name in names}
