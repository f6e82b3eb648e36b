"""A stand-in for the outside world: a ScrapeCreators server over an invented universe.

It speaks the vendor's protocol with the vendor's habits (repeats, short pages, early
ends), charges credits, keeps a ledger, and goes wrong on request. It knows nothing of
the program that uses it.
"""

from headcount.sandbox.fault_table import FAULTS, Fault
from headcount.sandbox.faults import Faults, described
from headcount.sandbox.serve import run, serving
from headcount.sandbox.server import AnswerLostError, Sandbox, SearchCall
from headcount.sandbox.world import Question, World

__all__ = [
    "FAULTS",
    "AnswerLostError",
    "Fault",
    "Faults",
    "Question",
    "Sandbox",
    "SearchCall",
    "World",
    "described",
    "run",
    "serving",
]
