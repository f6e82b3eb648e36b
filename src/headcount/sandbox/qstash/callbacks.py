"""Callbacks: messages that tell the result of an attempt."""

import json
from base64 import b64encode
from typing import Any

from headcount.sandbox.qstash.clock import milliseconds
from headcount.sandbox.qstash.courier import Reply
from headcount.sandbox.qstash.messages import Callback, Message


def callback_message(
    message: Message, callback: Callback, *, told: dict[str, Any], now: float
) -> Message:
    """The message that tells a callback URL; it retries as its source does."""
    retries = message.retries if callback.retries is None else callback.retries
    return Message(
        url=callback.url,
        body=json.dumps(told).encode(),
        created_at=now,
        due=now,
        method=callback.method,
        headers=(("Content-Type", "application/json"), *callback.headers),
        retries=retries,
        retry_delay=callback.retry_delay or message.retry_delay,
        timeout=callback.timeout,
        caller_ip=message.caller_ip,
        source=message.id,
    )


def result(message: Message, reply: Reply, *, dlq_id: str = "") -> dict[str, Any]:
    """What is told of an attempt; what is empty is left out, `retried` too at 0."""
    told = {
        "status": reply.status,
        "header": dict(reply.headers),
        "body": b64encode(reply.body).decode(),
        "maxRetries": message.retries,
        "sourceMessageId": message.id,
        "url": message.url,
        "method": message.method,
        "sourceHeader": {name: [value] for name, value in message.headers},
        "sourceBody": b64encode(message.body).decode(),
        "notBefore": milliseconds(message.due),
        "createdAt": milliseconds(message.created_at),
        "callerIP": message.caller_ip,
    }
    optional = {
        "retried": message.retried,
        "dlqId": dlq_id,
        "topicName": message.topic,
        "endpointName": message.endpoint,
        "scheduleId": message.schedule_id,
    }
    return told | {name: value for name, value in optional.items() if value}
