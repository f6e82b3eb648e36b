"""How QStash writes and reckons waiting times: durations, backoff, `Retry-After`."""

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

DAY = 86_400.0
_SECONDS = {
    "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3,
    "s": 1.0, "m": 60.0, "h": 3600.0, "d": DAY,
}  # fmt: skip
_PART = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d)")
_WAIT_HEADERS = (
    "retry-after",
    "x-ratelimit-reset",
    "x-ratelimit-reset-requests",
    "x-ratelimit-reset-tokens",
)


def seconds_of(text: str) -> float:
    """Reads a duration such as `10s` or `1d10h30m`.

    Raises:
        ValueError: it is written in another way.
    """
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"expected a duration such as 10s or 1d10h30m, got {text!r}")
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def asked_wait(headers: Mapping[str, list[str]], wall: float) -> float | None:
    """The seconds an answer asks to wait before the next try, if it asks for any.

    More than a day is not listened to. A date is told from the time of day, `wall`.
    """
    for name in _WAIT_HEADERS:
        for value in headers.get(name, []):
            seconds = _wait(value.strip(), wall)
            if seconds is not None and seconds <= DAY:
                return seconds
    return None


def _wait(value: str, wall: float) -> float | None:
    if value.isdecimal():
        return float(value)
    try:
        return seconds_of(value)
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - wall)
    except ValueError:
        return None


def backoff(retry: int) -> float:
    """The seconds before the n-th retry, counted from 1: 12 s, 2m28s, 30m8s, 6h7m."""
    return min(DAY, math.exp(2.5 * min(retry, 5)))


_OPERATORS: dict[type[ast.AST], Callable[..., float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
    ast.USub: operator.neg,
}
_FUNCTIONS: dict[str, Callable[..., float]] = {
    "pow": math.pow,
    "exp": math.exp,
    "sqrt": math.sqrt,
    "abs": abs,
    "floor": math.floor,
    "ceil": math.ceil,
    "round": round,
    "min": min,
    "max": max,
}


def retry_delay(expression: str, retried: int) -> float:
    """The seconds that a retry-delay expression asks for, which reckons milliseconds.

    `retried` is 0 for the first retry.

    Raises:
        ValueError: it is no arithmetic of numbers, `retried` and the known functions.
    """
    try:
        parsed = ast.parse(expression.strip(), mode="eval").body
        milliseconds = float(_value(parsed, float(retried)))
    except (SyntaxError, TypeError, ArithmeticError, KeyError, RecursionError):
        raise ValueError(
            f"expected arithmetic of numbers, `retried` and {', '.join(_FUNCTIONS)}, "
            f"got {expression!r}"
        ) from None
    return min(DAY, max(0.0, milliseconds / 1000))


def _value(node: Any, retried: float) -> float:  # noqa: ANN401 - any node of the tree
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id="retried"):
            return retried
        case ast.UnaryOp(op=op, operand=inner):
            return _OPERATORS[type(op)](_value(inner, retried))
        case ast.BinOp(left=left, op=op, right=right):
            return _OPERATORS[type(op)](_value(left, retried), _value(right, retried))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
            return _FUNCTIONS[name](*(_value(arg, retried) for arg in args))
    raise TypeError(ast.dump(node))
