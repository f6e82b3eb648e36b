"""A client of the HTTP API: a method for each route, and lists without their pages."""

from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from types import TracebackType
from typing import Self

import httpx2

from headcount.adapters.http import open_client
from headcount.client import asks
from headcount.client.documents import (
    CallDetail,
    CallPage,
    JobDocument,
    JobEvent,
    JobPage,
    JobSheet,
    PlanDocument,
)
from headcount.client.events import follow
from headcount.client.lists import creators, pages
from headcount.client.results import (
    AllowanceDocument,
    AllowancePage,
    ExactCountStatus,
    GuideRow,
    Row,
    StatisticsDocument,
    WebhookSecret,
)
from headcount.client.wire import READ_TIMEOUT, Ask, Wire, check_key, check_server
from headcount.core.errors import NoSuchJob, WrongServer
from headcount.core.expansion import Expansion
from headcount.core.filters import Filters, build_filters, filters_as_given
from headcount.core.model import Limits
from headcount.core.report import moment
from headcount.core.selection import ALL_JOBS, Selection
from headcount.core.statistics import EVERYTHING, Coverage

PATIENCE = 30.0  # seconds that a request is tried again for


class Client:
    """A Headcount server from afar: takes searches, and answers about jobs.

    Use it as an `async with` block. `key` is made by `headcount keys create`; over
    plain HTTP it is sent to this machine only, unless `allow_http` is set. A request
    that gets no answer is sent again for up to `patience` seconds, and carried out once
    however often it arrives.

    Raises:
        InvalidSetting: the address or the key cannot be used.
    """

    def __init__(
        self,
        server: str,
        key: str | None = None,
        *,
        allow_http: bool = False,
        patience: float = PATIENCE,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        key = check_key(key)
        server = check_server(server, key, allow_http=allow_http)
        self._http = open_client(read_timeout=READ_TIMEOUT, transport=transport)
        if key:
            self._http.headers["Authorization"] = f"Bearer {key}"
        self._wire = Wire(server, self._http, patience)

    def __repr__(self) -> str:
        return f"Client({self.server!r})"

    @property
    def server(self) -> str:
        """The address of the server."""
        return self._wire.server

    async def __aenter__(self) -> Self:
        """Nothing is asked yet."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go of all connections."""
        await self._http.aclose()

    async def check(self) -> None:
        """See, without a second try, whether a server that this client knows is there.

        Raises:
            ServerError: nobody answers.
            WrongServer: what answers is no such server.
        """
        try:
            await self._wire.knock(Ask("GET", "/healthz"))
        except NoSuchJob:  # there is a server, and nothing at this path of it
            raise WrongServer(
                f"expected the address of a Headcount server, and {self.server} leads "
                "to a path within one: leave the path out"
            ) from None

    # --------------------------------------------------------------------------- jobs
    async def create(  # noqa: PLR0913 - a search has as many parts as a user may name
        self,
        target: int,
        keywords: Iterable[str],
        *,
        filters: Filters | Mapping[str, object] | None = None,
        limits: Limits | None = None,
        sandbox: bool = False,
        platform: str = "tiktok",
        region: str | None = None,
        sort: str | None = None,
        period: str | None = None,
        expansion: Expansion | None = None,
        campaign: str | None = None,
        end_user: str | None = None,
        webhook: str | None = None,
        idempotency_key: str | None = None,
    ) -> JobDocument:
        """Begin a search; what `limits` leaves out comes from the server's settings.

        With the same `idempotency_key`, the same search is begun once; each call has a
        key of its own unless one is given.

        Raises:
            InvalidSearch: the search cannot be taken; `field` says where.
        """
        if not isinstance(filters, Filters):
            filters = build_filters(filters or {})
        asked = {
            "targetResults": target,
            "keywords": list(keywords),
            "filters": filters_as_given(filters),
            "limits": asks.limits(limits or Limits()),
            "sandbox": sandbox,
            "platform": platform,
            "region": region,
            "sort": sort,
            "period": period,
            **asks.expansion(expansion),
            "plan": asks.plan(limits or Limits()),
            "campaign": campaign,
            "endUser": end_user,
            "webhook": webhook,
        }
        body = {name: value for name, value in asked.items() if value is not None}
        return await self._post("/api/jobs", body, idempotency_key)

    async def jobs(
        self, selection: Selection = ALL_JOBS
    ) -> AsyncGenerator[JobDocument, None]:
        """The jobs that the key may see, the newest first; the owner is the key's."""
        asked: dict[str, object] = {
            "status": selection.status,
            "campaign": selection.campaign,
            "endUser": selection.end_user,
            "keyword": selection.keyword,
            "createdFrom": moment(selection.created_from),
            "createdTo": moment(selection.created_to),
        }
        async for page in pages(self._wire, "/api/jobs", JobPage, asks.given(asked)):
            for job in page.jobs:
                yield job

    async def job(self, job_id: str) -> JobSheet:
        """A job with its statistics.

        Raises:
            NoSuchJob: no job that the key may see has this id.
        """
        return await self._wire.fetch(Ask("GET", asks.at(job_id)), JobSheet)

    async def plan(self, job_id: str) -> PlanDocument:
        """What the rest of a job is expected to take, by all that it has seen.

        A job that was created with a `look` among its limits has looked around when it
        is paused; `resume` lets it go on.

        Raises:
            NoSuchJob: no job that the key may see has this id.
        """
        return await self._wire.fetch(
            Ask("GET", asks.at(job_id, "/plan")), PlanDocument
        )

    async def creators(self, job_id: str) -> AsyncGenerator[Row, None]:
        """The delivered creators by ordinal, as they come."""
        path = asks.at(job_id, "/creators")
        async with aclosing(creators(self._wire, path, "rows", Row)) as rows:
            async for row in rows:
                yield row

    async def guide_rows(self, job_id: str) -> AsyncGenerator[GuideRow, None]:
        """The same creators in the shape that existing front ends read."""
        path = asks.at(job_id, "/creators")
        async with aclosing(creators(self._wire, path, "guide", GuideRow)) as rows:
            async for row in rows:
                yield row

    async def calls(self, job_id: str) -> AsyncGenerator[CallDetail, None]:
        """The closed calls of a job, in the order in which they were held."""
        async for page in pages(self._wire, asks.at(job_id, "/calls"), CallPage, {}):
            for call in page.calls:
                yield call

    def events(
        self, job_id: str, after: int | None = None
    ) -> AsyncGenerator[JobEvent, None]:
        """What happens to a job until it has ended, whatever happens to connections.

        It begins with how the job stands now; or, where the last event seen is named,
        with what came `after` it, 0 being before all.
        """
        return follow(self._wire, asks.at(job_id, "/events"), after)

    async def pause(self, job_id: str) -> JobDocument:
        """Ask nothing more for now; what is out is still counted."""
        return await self._post(asks.at(job_id, "/pause"))

    async def resume(self, job_id: str) -> JobDocument:
        """Let a paused, failed or partial job go on; others are left as they are."""
        return await self._post(asks.at(job_id, "/resume"))

    async def cancel(self, job_id: str) -> JobDocument:
        """End a job for good; what it found stays."""
        return await self._post(asks.at(job_id, "/cancel"))

    async def finish(self, job_id: str) -> JobDocument:
        """Take what a job has as its result; it can be topped up later."""
        return await self._post(asks.at(job_id, "/finish"))

    async def top_up(
        self,
        job_id: str,
        target: int | None = None,
        *,
        limits: Limits | None = None,
        expansion: Expansion | None = None,
    ) -> JobDocument:
        """Raise the target or limits to absolute values; what is left out stays.

        `expansion` is what the job may open from now on.
        """
        body: dict[str, object] = {"limits": asks.limits(limits or Limits())}
        body |= asks.expansion(expansion)
        if target is not None:
            body["targetResults"] = target
        return await self._post(asks.at(job_id, "/topup"), body)

    async def delete(self, job_id: str) -> None:
        """Forget a job and all that it found; one at work is cancelled first."""
        await self._wire.send(Ask("DELETE", asks.at(job_id)))

    # ------------------------------------------------------------------ everything else
    async def statistics(self, coverage: Coverage = EVERYTHING) -> StatisticsDocument:
        """The key figures of the jobs that have ended."""
        return await self._wire.fetch(
            asks.covered("/api/stats", coverage), StatisticsDocument
        )

    async def exact_count_status(
        self, coverage: Coverage = EVERYTHING
    ) -> ExactCountStatus:
        """How the service does, in one flat value; for keys of scope admin."""
        ask = asks.covered("/admin/exact-count-status", coverage)
        return await self._wire.fetch(ask, ExactCountStatus)

    async def allowances(self) -> list[AllowanceDocument]:
        """What the key's owner and their users may use, and have used."""
        ask = Ask("GET", "/api/allowances")
        return (await self._wire.fetch(ask, AllowancePage)).allowances

    async def allow(
        self,
        *,
        owner: str | None = None,
        end_user: str | None = None,
        credits_per_day: int | None = None,
        creators_per_month: int | None = None,
    ) -> AllowanceDocument:
        """Set both limits of a holder; one that is left out is lifted.

        Without `owner` it is the key's own, whose users it may limit; whole owners, and
        all of them as `*`, take a key of scope admin.
        """
        body = {
            "owner": owner,
            "endUser": end_user,
            "creditsPerDay": credits_per_day,
            "creatorsPerMonth": creators_per_month,
        }
        ask = Ask("PUT", "/api/allowances", json=body)
        return await self._wire.fetch(ask, AllowanceDocument)

    async def set_webhook_secret(
        self, url: str, secret: str | None = None
    ) -> WebhookSecret:
        """Set the secret of an endpoint, a new one unless given, and tell it once."""
        body = {"url": url} if secret is None else {"url": url, "secret": secret}
        ask = asks.once("/api/webhooks/secret", body)
        return await self._wire.fetch(ask, WebhookSecret)

    async def _post(
        self, path: str, body: object = None, key: str | None = None
    ) -> JobDocument:
        ask = asks.once(path, body, key)
        return await self._wire.fetch(ask, JobDocument)
