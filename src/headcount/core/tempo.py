"""How fast a job goes: a call's part of the time in which it was worked on.

Calls overlap, so what one takes is not what the next one adds. By Little's law (1961)
the calls out at once are, in the mean, the time that calls were out over the time that
passed; a call adds what it takes divided by that. This is right from the first answer
of several that were asked together, where time over answers would be far too slow.
Time in which nobody works on the job does not count; pauses between calls do.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from headcount.core.calls import Call, CallState

_MS = timedelta(milliseconds=1)
_DOUBT, _MOST_DOUBT = 0.6, 0.5  # of a figure: for one call, and at most


@dataclass(frozen=True, slots=True)
class Tempo:
    """What was measured `until` the last answer, in milliseconds.

    `worked_ms` is the time in which the job was worked on, `waited_ms` what the `calls`
    that came back took, added up.
    """

    until: datetime
    calls: int = 0
    worked_ms: int = 0
    waited_ms: int = 0


def begun(tempo: Tempo | None, now: datetime) -> Tempo:
    """Somebody begins to work on the job: what was before does not count."""
    return replace(tempo, until=now) if tempo else Tempo(now)


def answered(tempo: Tempo | None, call: Call, now: datetime) -> Tempo | None:
    """A call came back; one that nobody waits for any more tells nothing."""
    if tempo is None or call.state is CallState.LOST:
        return tempo
    return Tempo(
        until=max(now, tempo.until),
        calls=tempo.calls + (1 if call.charged else 0),
        worked_ms=tempo.worked_ms + _ms(now - tempo.until),
        waited_ms=tempo.waited_ms + _ms(now - call.opened_at),
    )


def took(tempo: Tempo) -> float:
    """Seconds from asking to the answer, in the mean of the calls that came back."""
    return tempo.waited_ms / max(1, tempo.calls) / 1000


def adds(tempo: Tempo, out: Iterable[Call]) -> float:
    """Seconds that one more call adds, by those that came back and those still out."""
    waiting = sum(_ms(tempo.until - call.opened_at) for call in out)
    at_once = (tempo.waited_ms + waiting) / max(1, tempo.worked_ms)
    return took(tempo) / at_once if at_once else 0.0


def doubt(tempo: Tempo) -> float:
    """How far both may be off in nine cases of ten, as a part of them."""
    return min(_MOST_DOUBT, _DOUBT / math.sqrt(max(1, tempo.calls)))


def _ms(time: timedelta) -> int:
    return max(0, round(time / _MS))
