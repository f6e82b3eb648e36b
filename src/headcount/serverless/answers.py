"""What a message is answered with, in no framework's words."""

import json
from collections.abc import Mapping

from headcount.core.model import Job

Answer = tuple[int, dict[str, str], bytes]  # status, headers, body
LAST = {"Upstash-NonRetryable-Error": "true"}


def progress(job: Job, *, advanced: bool) -> Answer:
    """How a job stands, and whether this message has changed that."""
    return said(
        200,
        handled=True,
        advanced=advanced,
        status=job.status.value,
        found=job.delivered,
        target=job.target,
    )


def never(text: str) -> Answer:
    """The answer to what can never succeed: QStash tries it no more."""
    return said(489, LAST, error=text)


def said(
    code: int, more: Mapping[str, str] | None = None, **document: object
) -> Answer:
    """A status with a JSON object, and further headers."""
    headers = {"Content-Type": "application/json", **(more or {})}
    return code, headers, json.dumps(document).encode()
