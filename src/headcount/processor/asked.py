"""What a row of the caller's own job table asks."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from headcount.core.errors import InvalidSearch
from headcount.core.model import Limits, Search
from headcount.core.report import Document
from headcount.core.search import build_search
from headcount.core.sighting import Sighting
from headcount.processor.given import Given, creators_of, fault, parsed, whole
from headcount.settings import Settings


@dataclass(frozen=True, slots=True)
class Asked:
    """A job of theirs: the search, what its metadata holds, and whom they have.

    `creators` is `None` where they did not say whom they have.
    """

    job_id: str
    search: Search
    metadata: Document
    creators: tuple[Sighting, ...] | None

    @property
    def target(self) -> int:
        """How many creators they want in all."""
        return self.search.target


def read_job(
    job: Mapping[str, object], job_id: str, *, settings: Settings, sandbox: bool
) -> Asked:
    """Read a row as people's tables give it.

    Raises:
        InvalidSearch: the first thing that cannot be used, with its field.
    """
    given = Given(job)
    search = build_search(
        _target(given),
        _keywords(given.first("keywords")),
        limits=_limits(settings),
        platform=_text(given, "platform") or "tiktok",
        provider=f"sandbox/{settings.sandbox_seed}" if sandbox else "scrapecreators",
        region=_text(given, "region"),
    )
    return Asked(_id(job_id), search, _metadata(given), _creators(given))


def _id(value: object) -> str:
    if isinstance(value, str) and value.strip():
        return value
    raise fault("job_id", "the id of the job as text", value)


def _target(given: Given) -> int | str:
    value = given.first("targetResults", "target_results")
    number = whole(value)
    if number is not None:
        return number
    if isinstance(value, str):
        return value  # whose faults the search names
    raise fault("targetResults", "the number of creators, such as 100", value)


def _keywords(value: object) -> list[str]:
    """Keywords as a list, as JSON text, or as text with commas between them."""
    if isinstance(value, str):
        if not value.lstrip().startswith("["):
            return [word for word in value.split(",") if word.strip()]
        value = parsed(value, "keywords")
    words = list(value) if isinstance(value, list | tuple) else []
    if not words or not all(isinstance(word, str) for word in words):
        raise fault("keywords", 'a list such as ["apple", "tech"]', value)
    return words


def _text(given: Given, name: str) -> str | None:
    value = given.values.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise fault(name, "text", value)
    return value.strip() or None


def _limits(settings: Settings) -> Limits:
    testing = settings.max_calls_for_testing
    return replace(settings.filled(Limits()), max_calls_for_testing=testing)


def _metadata(given: Given) -> Document:
    found = parsed(given.values.get("metadata"), "metadata")
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise fault("metadata", "an object, as it was returned, or null", found)
    if not all(isinstance(name, str) for name in found):
        raise InvalidSearch("metadata", "metadata: expected names that are text")
    return dict(found)


def _creators(given: Given) -> tuple[Sighting, ...] | None:
    for name in ("creators", "results"):
        if given.values.get(name) is not None:
            return tuple(creators_of(given.values[name], name))
    return None
