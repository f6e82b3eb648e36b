"""The stand-in QStash server: a bare ASGI application that delivers what it gets."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict

from headcount.sandbox import serve
from headcount.sandbox.qstash import flow_routes, message_routes, setting_routes
from headcount.sandbox.qstash.answers import Answer, RefusedError, refusal
from headcount.sandbox.qstash.clock import Clock
from headcount.sandbox.qstash.courier import Courier, Delivery
from headcount.sandbox.qstash.destinations import App, Destinations
from headcount.sandbox.qstash.faults import Faults, RequestFault
from headcount.sandbox.qstash.intake import Intake
from headcount.sandbox.qstash.messages import Limits
from headcount.sandbox.qstash.office import Office
from headcount.sandbox.qstash.routing import Request, answered
from headcount.sandbox.qstash.signing import Keys
from headcount.sandbox.server import AnswerLostError, Receive, Scope, Send

ROUTES = (flow_routes, message_routes, setting_routes)  # importing them registers them
TOKEN = "sandbox-qstash-token"  # noqa: S105 - opens nothing but a sandbox
_TAKES = ("/v2/publish/", "/v2/enqueue/", "/v2/batch")  # requests that faults can hit
_MALFORMED = (KeyError, TypeError, ValueError, AttributeError)
_DOWN = RequestFault("down", "switched off by `down`")


class QStashSandbox:
    """Takes messages as QStash does, delivers them on the loopback, and misbehaves.

    Args:
        destinations: from a public URL to a URL of the loopback, or to an ASGI
            application of this process. URLs on the loopback need no entry.
        keys: what deliveries are signed with.
        clock: the time that delays and retries go by.
        faults: what goes wrong.
        limits: what the plan allows.
        strict: refuse destinations that are themselves on the loopback, as QStash does.

    While `down` is set, every connection is closed without an answer.
    """

    def __init__(
        self,
        destinations: Mapping[str, str | App] | None = None,
        *,
        keys: Keys = Keys(),  # noqa: B008 - a frozen value
        clock: Clock | None = None,
        faults: Faults = Faults(),  # noqa: B008 - a frozen value
        limits: Limits = Limits(),  # noqa: B008 - a frozen value
        strict: bool = False,
    ) -> None:
        self.down = False
        self.clock = clock or Clock()
        self._faults = faults
        self._requests = 0
        self._courier = Courier(
            Destinations(destinations or {}, strict=strict),
            keys=keys,
            clock=self.clock,
            faults=faults,
            limits=limits,
        )
        self._office = Office(
            self._courier, clock=self.clock, limits=limits, faults=faults
        )
        self._intake = Intake(self._office)

    @property
    def keys(self) -> Keys:
        """What deliveries are signed with now."""
        return self._courier.keys

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """Every request that a destination got, in the order they ended."""
        return tuple(self._courier.deliveries)

    def environment(self, url: str) -> dict[str, str]:
        """What a program that shall use this sandbox finds in its environment."""
        return {
            "QSTASH_URL": url,
            "QSTASH_TOKEN": TOKEN,
            "QSTASH_CURRENT_SIGNING_KEY": self.keys.current,
            "QSTASH_NEXT_SIGNING_KEY": self.keys.next,
        }

    async def settled(self) -> None:
        """Skips from delivery to delivery, until nothing is left to deliver.

        What is paused stays; schedules fire only if their time comes on the way.
        """
        await self._office.settled()

    async def skip(self, seconds: float) -> None:
        """Lets this much time pass at once, with all that falls due on the way."""
        await self._office.skip(seconds)

    async def close(self) -> None:
        """Stops the deliveries that are under way, and starts none any more."""
        await self._office.close()

    # -------------------------------------------------------------------------- ASGI
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, or follows the server's life."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._serve(await _request(scope, receive), send)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await self.close()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return

    async def _serve(self, request: Request, send: Send) -> None:
        fault = self._fault_of(request)
        if fault and not fault.refusal and not fault.accepted:
            await _hang_up(send)
        refused = fault.refusal if fault else None
        answer = refused or await self._answer(request)
        if fault and fault.accepted:
            await _hang_up(send)
        await _send(answer, send)

    def _fault_of(self, request: Request) -> RequestFault | None:
        if self.down:
            return _DOWN
        if request.method != "POST" or not request.path.startswith(_TAKES):
            return None
        self._requests += 1
        return self._faults.at(RequestFault, self._requests)

    async def _answer(self, request: Request) -> Answer:
        if request.path.startswith("/sandbox/"):
            return await self._own(request)
        if request.token != TOKEN:
            return refusal(401, "unable to authenticate: invalid token")
        try:
            return answered(self._intake, request)
        except RefusedError as error:
            return error.answer
        except _MALFORMED as error:
            return refusal(400, f"malformed request: {error!r}")

    async def _own(self, request: Request) -> Answer:
        """What only a sandbox has: the witness of its deliveries, and leaps in time."""
        match request.method, request.path:
            case "GET", "/sandbox/deliveries":
                return Answer(
                    {"deliveries": [asdict(each) for each in self.deliveries]}
                )
            case "POST", "/sandbox/skip":
                (seconds,) = request.query.get("seconds", ["0"])
                await self.skip(float(seconds))
                return Answer({"now": self.clock.now()})
        return refusal(404, "known are GET /sandbox/deliveries, POST /sandbox/skip")


async def _request(scope: Scope, receive: Receive) -> Request:
    body, more = bytearray(), True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return Request(
        method=scope["method"],
        path=scope["raw_path"].decode("latin-1"),
        raw_query=scope["query_string"].decode("latin-1"),
        headers={
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in scope["headers"]
        },
        body=bytes(body),
        caller_ip=scope["client"][0] if scope.get("client") else "",
    )


async def _send(answer: Answer, send: Send) -> None:
    headers = {"content-type": "application/json", "x-sandbox": "headcount"}
    headers |= {name.lower(): value for name, value in answer.headers}
    headers["content-length"] = str(len(answer.content))
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    start = {"type": "http.response.start", "status": answer.status, "headers": raw}
    await send(start)
    await send({"type": "http.response.body", "body": answer.content})


async def _hang_up(send: Send) -> None:
    """Closes the connection on an answer that is promised and never comes."""
    headers = [(b"content-length", b"1")]
    start = {"type": "http.response.start", "status": 200, "headers": headers}
    await send(start)
    raise AnswerLostError("the sandbox closes this connection without an answer")


@asynccontextmanager
async def serving(sandbox: QStashSandbox, port: int = 0) -> AsyncIterator[str]:
    """Serves on the loopback while the block runs, and yields the base URL.

    Raises:
        OSError: the port is taken.
    """
    async with serve.serving(sandbox, port) as url:
        try:
            yield url
        finally:
            await sandbox.close()


def run(sandbox: QStashSandbox, port: int, announce: Callable[[str], None]) -> None:
    """Serves in the foreground until Ctrl-C; announces the base URL once it does.

    Raises:
        OSError: the port is taken.
    """
    serve.run(sandbox, port, announce)
