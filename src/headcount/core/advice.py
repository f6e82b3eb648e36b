"""What would help a job that ended with fewer creators than it was asked for."""

from headcount.core.estimate import expected_calls
from headcount.core.expansion import Expand
from headcount.core.forecast import calls_remaining
from headcount.core.model import Job, Reason

_SLACK = 2  # calls: a suggested cap should be enough
_ADVICE = {
    Reason.SOURCES_EXHAUSTED: (
        "The keywords hold no more creators that qualify: let the job open new sources "
        "(headcount jobs resume {id} --expand all), or start a search with further "
        "keywords or weaker filters."
    ),
    Reason.CALL_LIMIT: (
        "The cap on calls is used up: headcount jobs resume {id} --max-calls {more}"
    ),
    Reason.BUDGET: (
        "The cap on credits is used up: headcount jobs resume {id} --max-credits {more}"
    ),
    Reason.DEADLINE: (
        "The deadline has passed: headcount jobs resume {id} --deadline 10m"
    ),
    Reason.OUT_OF_CREDITS: (
        "The provider says that the key is out of credits: buy more, then "
        "headcount jobs resume {id}"
    ),
    Reason.PROVIDER_BLOCKED: (
        "The provider gave no answer ({detail}). When that is mended: "
        "headcount jobs resume {id}"
    ),
    Reason.FINISHED_BY_USER: "Its owner took what was there.",
}
_ALL_OPENED = (
    "The keywords, and all that may be opened beside them, hold no more creators that "
    "qualify: start a search with further keywords, weaker filters, or a lower least "
    "relevance."
)
_NOT_ENTITLED = (
    "It may deliver no more ({detail}). Next month, or when more is allowed: "
    "headcount jobs resume {id}"
)


def advice(job: Job) -> str:
    """What would help a job that ended short; empty where nothing is missing."""
    outcome = job.outcome
    if outcome is None or not outcome.short_by:
        return ""
    if outcome.reason is None:
        return outcome.detail or ""
    if outcome.reason is Reason.BUDGET and outcome.detail:
        return _NOT_ENTITLED.format(id=job.id, detail=outcome.detail)
    wanted = calls_remaining(job) or expected_calls(job.missing)
    more = max(job.charged, job.credits) + 2 * wanted + _SLACK
    text = _ADVICE[outcome.reason]
    opens = job.search.expansion.expand
    if outcome.reason is Reason.SOURCES_EXHAUSTED and opens is Expand.ALL:
        text = _ALL_OPENED
    return text.format(id=job.id, more=more, detail=outcome.detail or "no detail")
