"""What the client asks: paths, parameters and bodies as the HTTP API names them."""

import secrets
from collections.abc import Mapping
from dataclasses import asdict

from headcount.client.wire import Ask
from headcount.core.errors import NoSuchJob
from headcount.core.expansion import Expansion
from headcount.core.model import Limits
from headcount.core.report import moment
from headcount.core.statistics import Coverage


def once(path: str, body: object = None, key: str | None = None) -> Ask:
    """A request that is carried out once, however often it arrives."""
    headers = {"Idempotency-Key": key or secrets.token_hex(16)}
    return Ask("POST", path, headers=headers, json=body)


def covered(path: str, coverage: Coverage) -> Ask:
    """A request for the figures of these jobs."""
    return Ask("GET", path, given(asdict(coverage)))


def given(params: Mapping[str, object]) -> dict[str, str]:
    """The parameters that are set, as text."""
    return {name: str(value) for name, value in params.items() if value is not None}


def limits(limits: Limits) -> dict[str, object]:
    """The limits that were set, as the API names them; the others are the server's."""
    usual = Limits()
    asked = {
        "maxCalls": limits.max_calls,
        "maxCredits": limits.max_credits,
        "deadline": moment(limits.deadline),
        "attempts": None if limits.attempts == usual.attempts else limits.attempts,
        "speed": None if limits.speed is usual.speed else limits.speed.value,
    }
    return {name: value for name, value in asked.items() if value is not None}


def plan(limits: Limits) -> dict[str, object] | None:
    """How far the job shall look around, if it shall do no more at first."""
    return None if limits.look is None else {"calls": limits.look.calls}


def expansion(expansion: Expansion | None) -> dict[str, object]:
    """What a job may open; where nothing is said, it is the server's settings."""
    if expansion is None:
        return {}
    return {
        "expand": expansion.expand.value,
        "expandExclude": list(expansion.exclude),
        "relevanceMin": expansion.relevance_min,
    }


def at(job_id: str, part: str = "") -> str:
    """The path of a job.

    Raises:
        NoSuchJob: no job can have this id.
    """
    if job_id.isascii() and job_id.isalnum():
        return f"/api/jobs/{job_id}{part}"
    raise NoSuchJob(f"no job has the id {job_id[:40]!a}")
