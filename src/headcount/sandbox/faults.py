"""Says which search goes wrong in which way: on a share of the calls, or by number."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Generic, Protocol, Self, TypeVar

from headcount.sandbox.fault_table import FAULTS, Fault
from headcount.sandbox.topics import dice

_CALLS = re.compile(r"@([1-9]\d*(?:,[1-9]\d*)*)")
_RATE = re.compile(r":(1(?:\.0+)?|0?\.\d+|0)")


class Named(Protocol):
    """What a table of faults holds."""

    @property
    def name(self) -> str:
        """The name that a rule calls it by."""

    @property
    def promise(self) -> str:
        """What it does, in one line."""


F = TypeVar("F", bound=Named)


@dataclass(frozen=True, slots=True)
class Rule(Generic[F]):
    """When one fault happens: on a share of the calls, or on some calls by number."""

    fault: F
    rate: float = 0.0
    calls: frozenset[int] = frozenset()

    @classmethod
    def parse(cls, text: str, table: Mapping[str, F]) -> Self:
        """Reads `NAME:RATE` or `NAME@CALL[,CALL...]`, with a name of the table."""
        name = re.split("[:@]", text)[0]
        fault, when = _known(name, table), text.removeprefix(name)
        if found := _CALLS.fullmatch(when):
            return cls(fault, calls=frozenset(map(int, found[1].split(","))))
        if found := _RATE.fullmatch(when):
            return cls(fault, rate=float(found[1]))
        raise ValueError(
            f"fault {text!r}: expected NAME:RATE with a rate from 0 to 1, or "
            f"NAME@CALL[,CALL] with calls from 1: write {name}:0.1 or {name}@3,9"
        )

    def hits(self, call: int, *, seed: int) -> bool:
        """Whether the n-th call goes wrong; the same each time for the same seed."""
        if call in self.calls:
            return True
        return dice(seed, self.fault.name, call).random() < self.rate


def _known(name: str, table: Mapping[str, F]) -> F:
    if name in table:
        return table[name]
    near = get_close_matches(name, table, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(table)}"
    raise ValueError(f"unknown fault {name!r}: {hint}")


@dataclass(frozen=True, slots=True)
class Faults:
    """Which call goes wrong in which way, the same each time for the same seed."""

    rules: tuple[Rule[Fault], ...] = ()
    seed: int = 42
    slow_seconds: float = 70.0

    @classmethod
    def parse(
        cls, texts: Iterable[str], *, seed: int = 42, slow_seconds: float = 70.0
    ) -> Self:
        """Reads rules such as `server_error:0.1`, `out_of_credits@7`, `early_end@3,9`.

        A rule may come in pieces, as a list of words is cut at each comma.

        Raises:
            ValueError: an unknown name (the nearest is named), or no rate and no call.
        """
        rules = tuple(Rule.parse(text, FAULTS) for text in _whole(texts))
        return cls(rules, seed, slow_seconds)

    def at(self, call: int) -> Fault | None:
        """The fault of the n-th search request, counted from 1; the first rule wins."""
        hit = (rule.fault for rule in self.rules if rule.hits(call, seed=self.seed))
        return next(hit, None)


def _whole(texts: Iterable[str]) -> Iterator[str]:
    """The rules with the calls that were cut off from them: `html@3` and then `9`."""
    rule = ""
    for text in texts:
        if "@" in rule and text.isdecimal():
            rule = f"{rule},{text}"
            continue
        if rule:
            yield rule
        rule = text
    if rule:
        yield rule


def described(table: Mapping[str, Named] = FAULTS) -> str:
    """A table of faults as text, one a line, for help pages."""
    width = max(map(len, table))
    return "\n".join(f"{name:{width}}  {table[name].promise}" for name in table)
