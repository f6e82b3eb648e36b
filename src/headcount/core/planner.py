"""Which pages to ask next, and how many at once.

The yardstick is the number of new qualified creators a call is expected to bring.
Asks are added, best first, only while those already out are not expected to bring
all that is missing: a call that the target does not need is never made on purpose.
"""

from collections.abc import Iterable
from datetime import datetime

from headcount.core.estimate import expected_yield
from headcount.core.model import Job, Source, SourceState


def askable(job: Job, now: datetime) -> list[Source]:
    """The open sources that have no call out and need not wait."""
    busy = {call.source for call in job.open_calls}
    return [
        source
        for source in job.sources
        if source.state is SourceState.OPEN
        and source.id not in busy
        and (source.retry_at is None or source.retry_at <= now)
    ]


def choose(job: Job, candidates: Iterable[Source], *, room: int) -> tuple[Source, ...]:
    """Pick at most `room` sources to ask now, the most promising first."""
    ranked = sorted(candidates, key=lambda s: (-expected_yield(job, s), s.id))
    out = sum(expected_yield(job, job.source(call.source)) for call in job.open_calls)
    chosen: list[Source] = []
    for source in ranked[:room]:
        if out >= job.missing:
            break
        chosen.append(source)
        out += expected_yield(job, source)
    return tuple(chosen)
