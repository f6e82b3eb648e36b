"""How messages, logs and dead letters look in JSON, and how lists of them are filtered.

What is empty is left out, as QStash does.
"""

import hashlib
from base64 import b64encode
from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

from headcount.sandbox.qstash.answers import RefusedError
from headcount.sandbox.qstash.clock import milliseconds
from headcount.sandbox.qstash.courier import Reply
from headcount.sandbox.qstash.messages import Callback, Message
from headcount.sandbox.qstash.records import DeadLetter, Event

Json = dict[str, Any]


# ----------------------------------------------------------------------------- objects
def message_json(message: Message) -> Json:
    """A message as `GET /v2/messages/{id}` tells it."""
    return {
        "messageId": message.id,
        "url": message.url,
        "method": message.method,
        "maxRetries": message.retries,
        "notBefore": milliseconds(message.due),
        "createdAt": milliseconds(message.created_at),
        **_filled(
            {
                "header": _headers(message),
                "callback": message.callback and message.callback.url,
                "callbackHeader": _callback_headers(message.callback),
                "failureCallback": (
                    message.failure_callback and message.failure_callback.url
                ),
                "failureCallbackHeader": _callback_headers(message.failure_callback),
                "topicName": message.topic,
                "endpointName": message.endpoint,
                "queueName": message.queue,
                "scheduleId": message.schedule_id,
                "callerIP": message.caller_ip,
                "retryDelayExpression": message.retry_delay,
                "timeout": message.timeout and int(message.timeout),
                "label": next(iter(message.labels), ""),
                "labels": list(message.labels),
            }
        ),
        **text_or_base64("body", _body(message)),
        **flow_json(message),
    }


def flow_json(message: Message) -> Json:
    """The flow control of a message; the period is in whole seconds."""
    if not message.flow_key:
        return {}
    flow = message.flow
    return {"flowControlKey": message.flow_key, "period": int(flow.period)} | _filled(
        {"parallelism": flow.parallelism, "rate": flow.rate}
    )


def dead_json(letter: DeadLetter) -> Json:
    """A dead letter; its response status is told even where no answer came."""
    return {
        **message_json(letter.message),
        "dlqId": letter.id,
        "responseStatus": letter.reply.status,
        **_filled({"responseHeader": dict(letter.reply.headers)}),
        **text_or_base64("responseBody", letter.reply.body),
    }


def event_json(event: Event) -> Json:
    """A line of the log; the body is in base64, the expression by both its names."""
    message, reply = event.message, event.reply or Reply(0)
    told = message_json(message)
    told.pop("bodyBase64", None)
    next_time = event.next_time and milliseconds(event.next_time)
    return {
        **told,
        "time": milliseconds(event.time),
        "state": event.state,
        **_filled(
            {
                "body": b64encode(_body(message)).decode(),
                "error": reply.error,
                "nextDeliveryTime": next_time,
                "responseStatus": reply.status,
                "responseHeader": dict(reply.headers),
                "responseBody": reply.body.decode(errors="replace"),
                "retryDelayExpr": message.retry_delay,
            }
        ),
    }


def text_or_base64(name: str, content: bytes) -> Json:
    """Content as text if it is UTF-8, else under the longer name."""
    if not content:
        return {}
    try:
        return {name: content.decode()}
    except UnicodeDecodeError:
        return {f"{name}Base64": b64encode(content).decode()}


def _filled(fields: Json) -> Json:
    return {name: value for name, value in fields.items() if value}


def _headers(message: Message) -> dict[str, list[str]]:
    return {
        name: [_redacted(value) if _hides(message, name) else value]
        for name, value in message.headers
    }


def _hides(message: Message, name: str) -> bool:
    hidden = {field.casefold() for field in message.redact}
    return "header" in hidden or f"header[{name.casefold()}]" in hidden


def _body(message: Message) -> bytes:
    hidden = "body" in message.redact
    return _redacted(message.body).encode() if hidden else message.body


def _redacted(value: str | bytes) -> str:
    content = value.encode() if isinstance(value, str) else value
    return f"REDACTED:{hashlib.sha256(content).hexdigest()}"


def _callback_headers(callback: Callback | None) -> dict[str, list[str]]:
    return {name: [value] for name, value in callback.headers} if callback else {}


# ----------------------------------------------------------------------------- filters
Given = Mapping[str, list[str]]
_OF_MESSAGES: dict[str, Callable[[Message], Collection[str]]] = {
    "messageId": lambda message: [message.id],
    "messageIds": lambda message: [message.id],
    "url": lambda message: [message.url],
    "host": lambda message: [urlsplit(message.url).netloc],
    "path": lambda message: [urlsplit(message.url).path],
    "topicName": lambda message: [message.topic],
    "queueName": lambda message: [message.queue],
    "scheduleId": lambda message: [message.schedule_id],
    "flowControlKey": lambda message: [message.flow_key],
    "callerIp": lambda message: [message.caller_ip],
    "label": lambda message: message.labels,
}
_TIMES = {"fromDate", "toDate"}
_OTHERS = {"cursor", "count"}


def chosen(given: Given, *names: str) -> bool:
    """Whether a query filters at all, by the common names or by these.

    Raises:
        RefusedError: it names something else.
    """
    known = {*_OF_MESSAGES, *_TIMES, *names}
    unknown = [name for name in given if name not in known | _OTHERS]
    if unknown:
        raise RefusedError(400, f"unknown filter: {', '.join(unknown)}")
    return any(name in known for name in given)


def fits(message: Message, given: Given, *, time: float) -> bool:
    """Whether a message passes: any value within a field, and every field."""
    since = min(map(int, given.get("fromDate", ["0"])))
    until = max(map(int, given.get("toDate", ["0"])))
    at = milliseconds(time)
    return (
        at >= since
        and (not until or at <= until)
        and all(any_of(given, name, of(message)) for name, of in _OF_MESSAGES.items())
    )


def any_of(given: Given, name: str, values: Collection[str]) -> bool:
    """Whether one of the values is asked for, or this field is not asked about."""
    asked = given.get(name)
    return asked is None or not set(values).isdisjoint(asked)
