"""What a benchmark reports: a figure beside its target."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number; the lower, the better.

    `compared` says what over what, and `n` how many measurements it is the median of.
    A figure without a target is only shown.
    """

    name: str
    compared: str
    measured: float
    target: float | None = None
    n: int = 1
    unit: str = "x"

    @property
    def met(self) -> bool | None:
        """Whether the target is met; `None` where there is none."""
        return None if self.target is None else self.measured <= self.target


Say = Callable[[str], None]
"""Tells whoever waits what is being measured."""


class Benchmark(Protocol):
    """Measures something; figures come as they are ready."""

    def __call__(self, say: Say) -> AsyncIterator[Figure]:
        """Measure, and say on the way what is going on."""
        ...
