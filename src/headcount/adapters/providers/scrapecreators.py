"""ScrapeCreators' TikTok endpoints: search, feed of a hashtag, suggestions.

`GET /v1/tiktok/search/keyword` and its neighbours, a credit for each call, documented
at https://docs.scrapecreators.com.
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from difflib import get_close_matches
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx2

from headcount.adapters.http import NotReceived, Received, exchange
from headcount.adapters.tiktok import NoPage, beginning, read_page, spent
from headcount.adapters.tiktok_json import decode
from headcount.core.calls import (
    Answer,
    Call,
    CallKind,
    Endpoint,
    Failure,
    FailureKind,
)
from headcount.core.errors import InvalidSearch, InvalidSetting
from headcount.core.model import Source

URL = "https://api.scrapecreators.com"
SORTS = ("relevance", "most-liked", "date-posted")
PERIODS = (
    "yesterday",
    "this-week",
    "this-month",
    "last-3-months",
    "last-6-months",
    "all-time",
)

_SEARCH = "/v1/tiktok/search/keyword"
_PATHS = {
    Endpoint.KEYWORD: _SEARCH,
    Endpoint.HASHTAG: "/v1/tiktok/search/hashtag",
    Endpoint.SUGGESTIONS: "/v1/tiktok/search/suggestions",
}
_BALANCE = "/v1/account/credit-balance"
_QUOTED = 200  # characters of the provider's own words in a message
_LONGEST_REST = 86_400.0  # seconds; a longer Retry-After is cut to a day
_OUT_OF_CREDITS = re.compile("out of credits", re.IGNORECASE)
_CONTROLS = re.compile(r"[\x00-\x20\x7f-\x9f\ud800-\udfff]+")
_KEY_ADVICE = (
    "check SCRAPECREATORS_API_KEY: whole, without quotes or blanks, and still listed "
    "at https://app.scrapecreators.com"
)
_URL_ADVICE = f"check SCRAPECREATORS_API_URL: it is normally {URL}"
_CREDITS_ADVICE = "buy credits at https://app.scrapecreators.com, then resume the job"


def check_variant(*, sort: str | None, period: str | None) -> None:
    """Accept a variant of a keyword that the search knows.

    Raises:
        InvalidSearch: a value it does not know, with the nearest one it does.
    """
    for field, value, known in (("sort", sort, SORTS), ("period", period, PERIODS)):
        if value is None or value in known:
            continue
        near = get_close_matches(value.lower(), known, n=1, cutoff=0.4)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise InvalidSearch(
            field, f"{field}: expected one of {', '.join(known)}, not {value!r}{hint}"
        )


class ScrapeCreators:
    """The TikTok search of ScrapeCreators, for one API key.

    `url` is an origin, with a path before the API's own where there is a proxy, or
    the whole address of the search. The key is never shown in any message.

    Raises:
        InvalidSetting: a URL or a key that cannot be used.
    """

    def __init__(
        self,
        client: httpx2.AsyncClient,
        *,
        key: str,
        url: str = URL,
        trim: bool = True,
        total_timeout: float = 120.0,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._client = client
        self._key = _usable_key(key)
        self._base = _base(url)
        self._trim = trim
        self._total_timeout = total_timeout
        self._timer = timer

    def price(self, kind: CallKind) -> int:
        """One credit, whatever is asked."""
        del kind
        return 1

    async def fetch(self, call: Call, source: Source) -> Answer:
        """Ask a source for its next page; whatever goes wrong is a `Failure`."""
        asked = {k: v for k, v in self._question(call, source).items() if v}
        start = self._timer()
        got = await self._get(_PATHS[source.endpoint], asked)
        answer = self._answer(got, call.cursor, source.endpoint)
        return replace(
            answer,
            size=len(got.body) if isinstance(got, Received) else 0,
            duration_ms=round((self._timer() - start) * 1000),
        )

    def _question(self, call: Call, source: Source) -> dict[str, str | None]:
        """The parameters of a request, as its endpoint calls them."""
        if source.endpoint is Endpoint.SUGGESTIONS:
            return {"query": source.keyword, "region": source.region}
        page = {
            "cursor": call.cursor,
            "trim": "true" if self._trim else None,
            "region": source.region,
        }
        if source.endpoint is Endpoint.HASHTAG:
            return {"hashtag": source.keyword, **page}
        return {
            "query": source.keyword,
            **page,
            "sort_by": source.sort,
            "date_posted": source.period,
        }

    async def credit_balance(self) -> int | Failure:
        """The credits left with this key; asking costs none."""
        got = await self._get(_BALANCE, {})
        if isinstance(got, NotReceived):
            return self._unreceived(got)
        if got.status != 200:
            return self._refused(got)
        body = decode(got.body)
        left = (body.credit_count, body.credits_remaining) if body else ()
        balance = next((number for number in left if number is not None), None)
        if balance is None:
            told = self._told("named no balance", beginning(got.body))
            return Failure(FailureKind.UNAVAILABLE, told, charged=False)
        return balance

    async def _get(self, path: str, params: dict[str, str]) -> Received | NotReceived:
        request = self._client.build_request(
            "GET", self._base + path, params=params, headers={"x-api-key": self._key}
        )
        return await exchange(self._client, request, total_timeout=self._total_timeout)

    # -------------------------------------------------------------- what an answer says
    def _answer(
        self, got: Received | NotReceived, asked: str, endpoint: Endpoint
    ) -> Answer:
        if isinstance(got, NotReceived):
            return self._unreceived(got)
        if got.status != 200:
            return self._refused(got)
        page = read_page(got.body, asked, endpoint)
        if not isinstance(page, NoPage):
            return page
        if _OUT_OF_CREDITS.search(page.said or ""):
            return self._out_of_credits(page.said, page.credits)
        told = self._told(f"answered 200, but {page.problem}", page.said)
        return _charging(Failure(FailureKind.UNAVAILABLE, told), page.credits)

    def _refused(self, got: Received) -> Failure:
        """What an answer that is not a 200 asks of us."""
        body = decode(got.body)
        said = body.said if body else beginning(got.body)
        cost = spent(body) if body else None
        if got.status == 402 or _OUT_OF_CREDITS.search(said or ""):
            return self._out_of_credits(said, cost)
        kind, charged, advice = _meaning(got.status)
        told = self._told(f"answered {got.status}", said, advice)
        rest = retry_after(got.headers) if got.status in {429, 503} else None
        failure = Failure(kind, told, charged=charged, retry_after=rest)
        return _charging(failure, cost)

    def _out_of_credits(self, said: str | None, cost: int | None) -> Failure:
        told = self._told("has no credits left for this key", said, _CREDITS_ADVICE)
        failure = Failure(FailureKind.OUT_OF_CREDITS, told, charged=False)
        return _charging(failure, cost)

    def _unreceived(self, got: NotReceived) -> Failure:
        advice = None if got.sent else _URL_ADVICE
        told = self._told("gave no answer", got.problem, advice)
        return Failure(FailureKind.UNAVAILABLE, told, charged=got.sent)

    def _told(self, event: str, said: str | None, advice: str | None = None) -> str:
        """A message: what happened, in the other side's words too, and what to do."""
        quote = _CONTROLS.sub(" ", said or "").replace(self._key, "[key]").strip()
        if len(quote) > _QUOTED:
            quote = f"{quote[:_QUOTED]}..."
        text = f"ScrapeCreators {event}" + (f": {quote}" if quote else "")
        return f"{text}; {advice}" if advice else text


def _charging(failure: Failure, cost: int | None) -> Failure:
    """The failure with what the provider itself says that it cost, where it does."""
    if cost is None:
        return failure
    return replace(failure, credits=cost, charged=cost > 0)


def _meaning(status: int) -> tuple[FailureKind, bool, str | None]:
    """What a status asks of us, whether it may have been charged, and the advice."""
    if status == 401:
        return FailureKind.KEY_REFUSED, False, _KEY_ADVICE
    if status == 404:
        return FailureKind.UNAVAILABLE, True, _URL_ADVICE
    if status == 429:
        return FailureKind.THROTTLED, False, None
    if 300 <= status < 400:
        return FailureKind.UNAVAILABLE, False, _URL_ADVICE
    if 400 <= status < 500:
        return FailureKind.UNAVAILABLE, True, None
    return FailureKind.UNAVAILABLE, True, None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds of a `Retry-After`, given as such or as a date; at most a day."""
    given = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", given):
        return min(float(given), _LONGEST_REST)
    until = _http_date(given)
    if until is None:
        return None
    # Counted from the server's own time where it tells it: clocks differ.
    now = _http_date(headers.get("date", "")) or datetime.now(UTC)
    return min(max((until - now).total_seconds(), 0.0), _LONGEST_REST)


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC)


# --------------------------------------------------------------------- the two settings
def _usable_key(key: str) -> str:
    key = key.strip()
    if not re.fullmatch("[!-~]+", key):
        raise InvalidSetting(
            "SCRAPECREATORS_API_KEY: expected the key as ScrapeCreators shows it, but "
            + ("it has blanks or other odd characters" if key else "it is empty")
        )
    return key


def _base(url: str) -> str:
    """What comes before the API's own paths, of an origin or a whole address."""
    try:
        parts = urlsplit(url.strip())
        parsed = httpx2.URL(url.strip())
        _ = parts.port  # raises for one that is no number
    except (ValueError, httpx2.InvalidURL):
        raise _unusable_url("it cannot be read") from None
    if parts.scheme not in {"http", "https"}:
        raise _unusable_url("it does not begin with https:// or http://")
    if not parsed.host:
        raise _unusable_url("it names no host")
    if "@" in parts.netloc:
        raise _unusable_url(
            "it has a user or password in it; the key goes into SCRAPECREATORS_API_KEY"
        )
    path = parts.path.rstrip("/").removesuffix(_SEARCH).rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{path}"


def _unusable_url(why: str) -> InvalidSetting:
    return InvalidSetting(
        f"SCRAPECREATORS_API_URL: expected an address such as {URL}, but {why}"
    )
