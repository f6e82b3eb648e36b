"""Says which search goes wrong in which way: on a share of the calls, or by number."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Self

from headcount.sandbox.fault_table import FAULTS, Fault
from headcount.sandbox.topics import dice

_CALLS = re.compile(r"@([1-9]\d*(?:,[1-9]\d*)*)")
_RATE = re.compile(r":(1(?:\.0+)?|0?\.\d+|0)")


@dataclass(frozen=True, slots=True)
class Rule:
    """When one fault happens: on a share of the calls, or on some calls by number."""

    fault: Fault
    rate: float = 0.0
    calls: frozenset[int] = frozenset()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads `NAME:RATE` or `NAME@CALL[,CALL...]`."""
        name = re.split("[:@]", text)[0]
        fault, when = _known(name), text.removeprefix(name)
        if found := _CALLS.fullmatch(when):
            return cls(fault, calls=frozenset(map(int, found[1].split(","))))
        if found := _RATE.fullmatch(when):
            return cls(fault, rate=float(found[1]))
        raise ValueError(
            f"fault {text!r}: expected NAME:RATE with a rate from 0 to 1, or "
            f"NAME@CALL[,CALL] with calls from 1: write {name}:0.1 or {name}@3,9"
        )


def _known(name: str) -> Fault:
    if name in FAULTS:
        return FAULTS[name]
    near = get_close_matches(name, FAULTS, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(FAULTS)}"
    raise ValueError(f"unknown fault {name!r}: {hint}")


@dataclass(frozen=True, slots=True)
class Faults:
    """Which call goes wrong in which way, the same each time for the same seed."""

    rules: tuple[Rule, ...] = ()
    seed: int = 42
    slow_seconds: float = 70.0

    @classmethod
    def parse(
        cls, texts: Iterable[str], *, seed: int = 42, slow_seconds: float = 70.0
    ) -> Self:
        """Reads rules such as `server_error:0.1`, `out_of_credits@7`, `early_end@3,9`.

        Raises:
            ValueError: an unknown name (the nearest is named), or no rate and no call.
        """
        return cls(tuple(map(Rule.parse, texts)), seed, slow_seconds)

    def at(self, call: int) -> Fault | None:
        """The fault of the n-th search request, counted from 1; the first rule wins."""
        return next((rule.fault for rule in self.rules if self._hits(rule, call)), None)

    def _hits(self, rule: Rule, call: int) -> bool:
        if call in rule.calls:
            return True
        return dice(self.seed, rule.fault.name, call).random() < rule.rate


def described() -> str:
    """The table of faults as text, one a line, for help pages."""
    width = max(map(len, FAULTS))
    return "\n".join(f"{name:{width}}  {FAULTS[name].promise}" for name in FAULTS)
