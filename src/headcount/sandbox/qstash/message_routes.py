"""The API of messages: publish, enqueue and batch, logs, and the dead letters."""

from dataclasses import replace
from typing import Any

from headcount.sandbox.qstash.answers import Answer, RefusedError
from headcount.sandbox.qstash.intake import Intake, Receipt
from headcount.sandbox.qstash.messages import Message, Order, read_message
from headcount.sandbox.qstash.records import DeadLetter, Event
from headcount.sandbox.qstash.routing import Given, Request, route
from headcount.sandbox.qstash.views import (
    any_of,
    chosen,
    dead_json,
    event_json,
    fits,
    message_json,
)

PAGE, LOG_PAGE = 100, 1000
# A header of a DLQ retry, and the part of the message that it overrides.
_OVERRIDES = {
    "upstash-retries": "retries",
    "upstash-retry-delay": "retry_delay",
    "upstash-timeout": "timeout",
    "upstash-callback": "callback",
    "upstash-failure-callback": "failure_callback",
    "upstash-label": "labels",
}


# ------------------------------------------------------------------------ handing in
@route("POST", "/v2/publish/**")
def publish(intake: Intake, request: Request, destination: str) -> Answer:
    """Takes one message, or one for each endpoint of a URL group."""
    order = request.order
    messages = intake.read(request.destination(destination), order)
    return _receipts([intake.hand_in(message, order) for message in messages], messages)


@route("POST", "/v2/enqueue/*/**")
def enqueue(intake: Intake, request: Request, queue: str, destination: str) -> Answer:
    """Takes a message into a queue, which is made if there is none."""
    order = replace(request.order, queue=queue)
    messages = intake.read(request.destination(destination), order)
    return _receipts([intake.hand_in(message, order) for message in messages], messages)


def _receipts(receipts: list[Receipt], messages: list[Message]) -> Answer:
    """A bare list for a URL group; 202 for a duplicate."""
    if any(message.topic for message in messages) or not messages:
        return Answer([{**_receipt(each), "url": each.url} for each in receipts])
    (only,) = receipts
    return Answer(_receipt(only), 202 if only.deduplicated else 200)


def _receipt(receipt: Receipt) -> dict[str, Any]:
    known = {"deduplicated": True} if receipt.deduplicated else {}
    return {"messageId": receipt.message_id, **known}


@route("POST", "/v2/batch")
def batch(intake: Intake, request: Request) -> Answer:
    """Takes many messages; what cannot be read fails alone, a quota fails them all."""
    found = [_batched(intake, request, item) for item in request.json]
    return Answer([each() for each in found])


def _batched(intake: Intake, request: Request, item: dict[str, Any]) -> Any:  # noqa: ANN401 - a function that hands in
    order = Order(
        {name.lower(): value for name, value in (item.get("headers") or {}).items()},
        (item.get("body") or "").encode(),
        request.caller_ip,
        queue=item.get("queue") or "",
    )
    try:
        messages = intake.read(item["destination"], order)
    except RefusedError as error:
        if error.answer.status == 412:
            raise
        failed = error.answer.body
        return lambda: failed
    return lambda: (
        _receipts(
            [intake.hand_in(message, order) for message in messages], messages
        ).body
    )


# --------------------------------------------------------------------------- messages
@route("GET", "/v2/messages/*")
def get_message(intake: Intake, _: Request, message_id: str) -> Answer:
    """A message that waits or is under way, or ended not long ago."""
    office = intake.office
    known = office.live.get(message_id) or office.records.lately_ended(message_id)
    if known is None:
        raise RefusedError(404, f"message {message_id} not found")
    return Answer(message_json(known))


@route("DELETE", "/v2/messages/*")
def cancel_message(intake: Intake, _: Request, message_id: str) -> Answer:
    """Cancels one message."""
    message = intake.office.live.get(message_id)
    if message is None:
        raise RefusedError(404, f"message {message_id} not found")
    intake.office.cancel(message)
    return Answer({"cancelled": 1})


@route("DELETE", "/v2/messages")
def cancel_messages(intake: Intake, request: Request) -> Answer:
    """Cancels those that are named or fit; without a word about which, all of them."""
    given = _asked(request, "messageIds")
    chosen(given)
    found = [
        message
        for message in intake.office.live.values()
        if fits(message, given, time=message.created_at)
    ]
    found = found[: int(given.get("count", [str(len(found))])[0])]
    for message in found:
        intake.office.cancel(message)
    return Answer({"cancelled": len(found)})


def _asked(request: Request, name: str) -> Given:
    """What a bulk request asks for, in its query or by ids in its body."""
    ids = (request.json.get(name) or []) if request.body else []
    return request.query | ({name: ids} if ids else {})


# ------------------------------------------------------------------------------- logs
@route("GET", "/v2/events")
def events(intake: Intake, request: Request) -> Answer:
    """The log, newest first, as the SDKs read it."""
    return _logs(intake, request, "events")


@route("GET", "/v2/logs")
def logs(intake: Intake, request: Request) -> Answer:
    """The same log by its newer name."""
    return _logs(intake, request, "logs")


def _logs(intake: Intake, request: Request, name: str) -> Answer:
    given = request.query
    chosen(given, "state")
    found = [
        event
        for event in reversed(intake.office.records.events)
        if _logged(event, given)
    ]
    return _page(found, given, (name, event_json), LOG_PAGE)


def _logged(event: Event, given: Given) -> bool:
    return any_of(given, "state", [event.state]) and fits(
        event.message, given, time=event.time
    )


def _page(
    found: list[Any], given: Given, shape: tuple[str, Any], largest: int
) -> Answer:
    """One page of a list, and the cursor of the next if there is one."""
    name, view = shape
    start = int(given.get("cursor", ["0"])[0] or 0)
    end = start + min(largest, int(given.get("count", [str(largest)])[0]))
    cursor = {"cursor": str(end)} if end < len(found) else {}
    return Answer({**cursor, name: [view(each) for each in found[start:end]]})


# ----------------------------------------------------------------------- dead letters
@route("GET", "/v2/dlq")
def dead_letters(intake: Intake, request: Request) -> Answer:
    """The dead letters that fit, newest first."""
    given = request.query
    return _page(_dead(intake, given)[::-1], given, ("messages", dead_json), PAGE)


def _dead(intake: Intake, given: Given) -> list[DeadLetter]:
    chosen(given, "dlqIds", "dlqId", "responseStatus")
    return [
        letter
        for letter in intake.office.records.dead.values()
        if any_of(given, "dlqIds", [letter.id])
        and any_of(given, "responseStatus", [str(letter.reply.status)])
        and fits(letter.message, given, time=letter.message.created_at)
    ]


@route("GET", "/v2/dlq/*")
def dead_letter(intake: Intake, _: Request, dlq_id: str) -> Answer:
    """One dead letter."""
    return Answer(dead_json(_dead_letter(intake, dlq_id)))


@route("DELETE", "/v2/dlq/*")
def forget(intake: Intake, _: Request, dlq_id: str) -> Answer:
    """Throws one dead letter away."""
    del intake.office.records.dead[_dead_letter(intake, dlq_id).id]
    return Answer()


@route("DELETE", "/v2/dlq")
def forget_many(intake: Intake, request: Request) -> Answer:
    """Throws away those that are named or fit."""
    found = _dead(intake, _asked(request, "dlqIds"))
    for letter in found:
        del intake.office.records.dead[letter.id]
    return Answer({"deleted": len(found)})


@route("POST", "/v2/dlq/retry/*")
def retry(intake: Intake, request: Request, dlq_id: str) -> Answer:
    """Sends one dead letter anew."""
    return _retried(intake, request, [_dead_letter(intake, dlq_id)])


@route("POST", "/v2/dlq/retry")
def retry_many(intake: Intake, request: Request) -> Answer:
    """Sends those anew that are named or fit."""
    return _retried(intake, request, _dead(intake, _asked(request, "dlqIds")))


def _dead_letter(intake: Intake, dlq_id: str) -> DeadLetter:
    letter = intake.office.records.dead.get(dlq_id)
    if letter is None:
        raise RefusedError(404, f"dlq message {dlq_id} not found")
    return letter


def _retried(intake: Intake, request: Request, letters: list[DeadLetter]) -> Answer:
    """Each becomes a new message with an id of its own, and leaves the dead."""
    fresh = [_revived(intake, request, letter.message) for letter in letters]
    for letter, message in zip(letters, fresh, strict=True):
        del intake.office.records.dead[letter.id]
        intake.office.accept(message)
    responses = [{"messageId": message.id} for message in fresh]
    return Answer({"responses": responses, "cursor": ""}, 201)


def _revived(intake: Intake, request: Request, dead: Message) -> Message:
    office = intake.office
    asked = read_message(
        dead.url, request.order, clock=office.clock, limits=office.limits
    )
    changes: dict[str, Any] = {
        part: getattr(asked, part)
        for header, part in _OVERRIDES.items()
        if header in request.headers
    }
    anew = replace(dead, id=asked.id, created_at=asked.created_at, due=asked.due)
    return replace(anew, retried=0, **changes)
