"""The routes that QStash calls: a step of a job, the sweep, and what failed."""

from fastapi import APIRouter, Request, Response

from headcount.app import App
from headcount.serverless import FAILED, PROCESS, SWEEP, Receiver
from headcount.web.site import only_from_here


def qstash_routes(app: App, *, dev: bool) -> APIRouter:
    """The routes over an app that is open; with `dev` for this machine only.

    Raises:
        InvalidSetting: a key or address is missing, or cannot be used.
    """
    routes = APIRouter(tags=["QStash"])
    receiver = Receiver(app, dev=dev)

    async def answer(request: Request, path: str) -> Response:
        if dev:
            only_from_here(request)
        names = set(request.headers)
        headers = {name: ", ".join(request.headers.getlist(name)) for name in names}
        body = await request.body()
        status, told, content = await receiver.handle(body, headers, path=path)
        return Response(content, status, headers=told)

    @routes.post(PROCESS, include_in_schema=False)
    async def take_job_forward(request: Request) -> Response:
        """Take a job forward by a time slice."""
        return await answer(request, PROCESS)

    @routes.post(SWEEP, include_in_schema=False)
    async def sweep(request: Request) -> Response:
        """Publish what was lost, and do the chores."""
        return await answer(request, SWEEP)

    @routes.post(FAILED, include_in_schema=False)
    async def note_failure(request: Request) -> Response:
        """Write down that QStash gave up on a job."""
        return await answer(request, FAILED)

    return routes
