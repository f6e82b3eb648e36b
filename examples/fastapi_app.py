"""A FastAPI app that has Headcount behind its QStash route.

    uvicorn fastapi_app:web

Jobs are Headcount's, in its database; messages for other jobs stay with the app.
"""

import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from pydantic import BaseModel
from standardwebhooks import Webhook, WebhookVerificationError

from headcount import InvalidSearch, Limits, UsageError
from headcount.app import App
from headcount.bootstrap import open_app
from headcount.core.model import Label
from headcount.core.report import job_document
from headcount.core.rows import guide_row
from headcount.core.search import build_search
from headcount.serverless import FAILED, PROCESS, SWEEP, Answer, Receiver
from headcount.settings import load_settings

HOOK = os.environ["PUBLIC_URL"] + "/hooks/headcount"
SECRET = os.environ["HEADCOUNT_WEBHOOK_SECRET"]


@asynccontextmanager
async def lifespan(web: FastAPI) -> AsyncIterator[None]:
    """Keep Headcount's store open as long as the app serves."""
    async with open_app(load_settings(runner="qstash")) as headcount:
        web.state.headcount = headcount
        web.state.receiver = Receiver(headcount)
        yield


web = FastAPI(lifespan=lifespan)
results: dict[str, list[dict[str, Any]]] = {}  # in earnest a table


async def headcount_of(request: Request) -> App:
    """The Headcount of this app."""
    headcount: App = request.app.state.headcount
    return headcount


Headcount = Annotated[App, Depends(headcount_of)]


# ------------------------------------------------------------------- QStash's messages
@web.post(PROCESS)
@web.post(SWEEP)
@web.post(FAILED)
async def qstash(request: Request) -> Response:
    """Answer a message of QStash: Headcount's, or one of the app's own."""
    receiver: Receiver = request.app.state.receiver
    status, headers, body = await receiver.handle(
        await request.body(),  # as it came: the signature is over these bytes
        request.headers,
        path=request.url.path,
        fallback=scrape,
    )
    return Response(body, status, headers=headers)


async def scrape(body: bytes, _headers: Mapping[str, str]) -> Answer:
    """Do the app's own work for a message that is signed, and of no job of ours."""
    done = {"scraped": json.loads(body)["jobId"]}
    return 200, {"Content-Type": "application/json"}, json.dumps(done).encode()


# ------------------------------------------------------------------- the app's own work
class Campaign(BaseModel):
    """What the app's users ask for."""

    name: str
    keywords: list[str]
    target: int


@web.post("/campaigns", status_code=201)
async def begin(campaign: Campaign, headcount: Headcount) -> dict[str, str]:
    """Begin a job; its first message is published before this answers."""
    try:
        search = build_search(
            campaign.target,
            campaign.keywords,
            limits=headcount.settings.filled(Limits()),  # the caps of the environment
        )
    except InvalidSearch as error:
        raise HTTPException(422, str(error)) from None
    label = Label(campaign=campaign.name, webhook=HOOK)
    job = await headcount.create(search, label)
    return {"id": job.id}


@web.get("/campaigns/{job_id}")
async def show(job_id: str, headcount: Headcount) -> dict[str, Any]:
    """Show how far a job is, and its creators once the webhook has brought them."""
    try:
        job = await headcount.store.load(job_id)
    except UsageError as error:
        raise HTTPException(404, str(error)) from None
    return {**job_document(job), "creators": results.get(job_id, [])}


# --------------------------------------------------------------------------- webhooks
@web.post("/hooks/headcount", status_code=204)
async def receive(request: Request, headcount: Headcount) -> None:
    """Take the result of a job, when Headcount says that it has ended."""
    try:
        message = Webhook(SECRET).verify(await request.body(), dict(request.headers))
    except WebhookVerificationError as error:
        raise HTTPException(401, "unauthorized") from error
    if message["type"] != "job.progress":
        job = await headcount.store.load(message["data"]["id"])
        found = headcount.store.delivered(job.id)
        results[job.id] = [guide_row(job, finding) async for finding, _ in found]
