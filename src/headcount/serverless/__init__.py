"""Headcount without a process of its own: QStash's messages, answered one by one."""

from headcount.runners.qstash import FAILED, PROCESS, SWEEP
from headcount.serverless.answers import Answer
from headcount.serverless.host import handle_message
from headcount.serverless.receiver import Fallback, Receiver, open_receiver

__all__ = [
    "FAILED",
    "PROCESS",
    "SWEEP",
    "Answer",
    "Fallback",
    "Receiver",
    "handle_message",
    "open_receiver",
]
