"""A stand-in QStash: takes messages by the official SDK, delivers them on the loopback.

It knows nothing of the program that uses it, and it goes wrong on request.
"""

from headcount.sandbox.qstash.clock import Clock
from headcount.sandbox.qstash.courier import Delivery
from headcount.sandbox.qstash.faults import FAULTS, Faults
from headcount.sandbox.qstash.messages import Limits
from headcount.sandbox.qstash.server import TOKEN, QStashSandbox, run, serving
from headcount.sandbox.qstash.signing import Keys, Letter, jwt

__all__ = [
    "FAULTS",
    "TOKEN",
    "Clock",
    "Delivery",
    "Faults",
    "Keys",
    "Letter",
    "Limits",
    "QStashSandbox",
    "jwt",
    "run",
    "serving",
]
