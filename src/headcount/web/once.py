"""POST requests that name an `Idempotency-Key` are carried out once.

The same request again gets the same answer. What failed is not remembered, so it may
be tried again under the same key.
"""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request, Response

from headcount.adapters.requests import Kept, Taken
from headcount.web.problems import Problem
from headcount.web.site import Here, Site, Writer

_Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern="^[!-~]{1,255}$",
        description="Any text of your own, kept for a day: the same request under the "
        "same key is carried out once, and answered the same again.",
        examples=["campaign-17-first-try"],
    ),
]


@dataclass(frozen=True, slots=True)
class Once:
    """Carries a request out, or gives the answer that it got before."""

    site: Site
    owner: str
    key: str | None
    fingerprint: str

    @property
    def job_id(self) -> str | None:
        """The id of the job that this request makes: the same one after a crash."""
        if self.key is None:
            return None
        text = f"{self.owner}\n{self.key}\n{self.fingerprint}"
        return hashlib.sha256(text.encode()).hexdigest()[:20]

    async def __call__(self, work: Callable[[], Awaitable[Kept]]) -> Response:
        """The answer to the request.

        Raises:
            Problem: the key is taken.
        """
        if self.key is None:
            return _response(await work())
        requests = self.site.requests
        found = await requests.claim(self.owner, self.key, self.fingerprint)
        if isinstance(found, Kept):
            return _response(found)
        if isinstance(found, Taken):
            raise _conflict(found)
        try:
            answer = await work()
            await requests.keep(self.owner, self.key, answer)
        except BaseException:
            await requests.release(self.owner, self.key)
            raise
        return _response(answer)


async def once_of(
    request: Request, site: Here, caller: Writer, key: _Key = None
) -> Once:
    """What tells this request from others."""
    body = await request.body()
    head = f"{request.method} {request.url.path}?{request.url.query}\n"
    fingerprint = hashlib.sha256(head.encode() + body).hexdigest()
    return Once(site, caller.owner, key, fingerprint)


ByKey = Annotated[Once, Depends(once_of)]


def _response(answer: Kept) -> Response:
    headers = {"Location": answer.location} if answer.location else {}
    return Response(
        answer.body, answer.status, headers=headers, media_type="application/json"
    )


def _conflict(taken: Taken) -> Problem:
    if taken is Taken.UNDER_WAY:
        text = "the same request is being answered: try again in a moment"
        return Problem(409, text, headers={"Retry-After": "1"})
    return Problem(
        409, "another request has used this Idempotency-Key: choose a new one"
    )
