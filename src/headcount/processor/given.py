"""What other people's tables and scripts hold, read with the place of every fault."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from headcount.core.errors import InvalidSearch
from headcount.core.filters import shown
from headcount.core.sighting import Sighting, Video

_SHORTEST_ID = 5  # digits; a shorter one is a row's number, not TikTok's
AT = "@"  # begins the id of a creator of whom only the handle is known


@dataclass(frozen=True, slots=True)
class Given:
    """A mapping of theirs, and its path in what was given."""

    values: Mapping[str, object]
    path: str = ""

    def place(self, name: str) -> str:
        """The path of one of its fields."""
        return f"{self.path}.{name}" if self.path else name

    def first(self, *names: str) -> object:
        """The value of the first of these fields that has one."""
        values = (self.values.get(name) for name in names)
        return next((value for value in values if value is not None), None)

    def within(self, name: str) -> "Given":
        """The mapping that a field holds; an empty one where there is none."""
        value = self.values.get(name)
        if value is None:
            return Given({}, self.place(name))
        if not isinstance(value, Mapping):
            raise fault(self.place(name), "an object", value)
        return Given(value, self.place(name))

    def count(self, name: str) -> int:
        """A number from 0; 0 where there is none."""
        value = self.values.get(name)
        if value is None:
            return 0
        number = whole(value)
        if number is None or number < 0:
            raise fault(self.place(name), "a number from 0", value)
        return number

    def items(self, name: str) -> list[object]:
        """The list that a field holds.

        JavaScript's sets and maps are stored as `{}` where nobody made lists of them.
        """
        value = self.values.get(name)
        if value is None or value == {}:
            return []
        if not isinstance(value, list | tuple):
            raise fault(self.place(name), "a list", value)
        return list(value)


def fault(field: str, expected: str, came: object) -> InvalidSearch:
    """The exception for a value that is not what was expected."""
    return InvalidSearch(field, f"{field}: expected {expected}, not {shown(str(came))}")


def whole(value: object) -> int | None:
    """The whole number that a value is or spells; `None` if it is none."""
    if isinstance(value, str) and value.strip().isdecimal() and len(value) < 20:
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def parsed(value: object, field: str) -> object:
    """A value that may have come as JSON text; blank text is no value.

    Raises:
        InvalidSearch: it is text, but no JSON.
    """
    if not isinstance(value, str | bytes):
        return value
    if not value.strip():
        return None
    try:
        found: object = json.loads(value)
    except (ValueError, RecursionError):
        raise fault(field, "JSON, as it was returned", value) from None
    return found


# ------------------------------------------------------------------------- creators
def creators_of(value: object, field: str) -> list[Sighting]:
    """The creators of a list, each once: rows, ids, or rows that hold such lists."""
    found: dict[str, Sighting] = {}
    for place, row in _rows(parsed(value, field), field):
        creator = _creator(row, place)
        found.setdefault(creator.key, creator)
    return list(found.values())


def _rows(value: object, field: str) -> Iterable[tuple[str, object]]:
    if value is None:
        return
    if not isinstance(value, list | tuple):
        raise fault(field, "a list of creators", value)
    for number, row in enumerate(value):
        place = f"{field}[{number}]"
        if isinstance(row, Mapping) and isinstance(row.get("creators"), list):
            yield from _rows(row["creators"], f"{place}.creators")
        else:
            yield place, row


def _creator(row: object, place: str) -> Sighting:
    """A creator as a row tells of them, or as an id or a handle names them."""
    if isinstance(row, str | int) and not isinstance(row, bool):
        return named(str(row), place)
    if not isinstance(row, Mapping):
        raise fault(place, "a creator, or the id of one", row)
    inner = row.get("creator")
    told = inner if isinstance(inner, Mapping) else row
    handle = _text(told.get("uniqueId")) or _text(told.get("username"))
    identity = str(row.get("id") or "")
    if not handle and not identity:
        raise fault(place, "a creator with an id or a creator.uniqueId", row)
    return _with_details(
        named(identity if _is_id(identity) else handle or identity, place),
        row,
        told,
        handle,
    )


def named(text: str, place: str) -> Sighting:
    """A creator of whom only the id is known, or only the handle."""
    name = text.strip().removeprefix(AT)
    if not name:
        raise fault(place, "the id of a creator", text)
    if _is_id(name):
        return Sighting("tiktok", name, "", Video(""))
    return Sighting("tiktok", AT + name.casefold(), name, Video(""))


def together(*groups: Iterable[Sighting]) -> tuple[Sighting, ...]:
    """Creators each once, also where one place has the id and another the handle."""
    found: dict[str, Sighting] = {}
    for creator in (creator for group in groups for creator in group):
        found.setdefault(creator.key, creator)
    full = {c.username.casefold() for c in found.values() if not is_handle(c)}
    return tuple(
        creator
        for creator in found.values()
        if not (is_handle(creator) and creator.id.removeprefix(AT) in full)
    )


def is_handle(creator: Sighting) -> bool:
    """Whether only the handle is known."""
    return creator.id.startswith(AT)


def _with_details(
    creator: Sighting,
    row: Mapping[str, object],
    told: Mapping[str, object],
    handle: str,
) -> Sighting:
    video = row.get("video")
    shown_in = video if isinstance(video, Mapping) else {}
    counts = shown_in.get("statistics")
    statistics = counts if isinstance(counts, Mapping) else {}
    tags = row.get("hashtags")
    return Sighting(
        platform=creator.platform,
        id=creator.id,
        username=handle,
        name=_text(told.get("name")),
        followers=whole(told.get("followers")),
        verified=told.get("verified") is True,
        avatar_url=_text(told.get("avatarUrl")) or None,
        bio=_text(told.get("bio")),
        hashtags=tuple(map(str, tags)) if isinstance(tags, list | tuple) else (),
        video=Video(
            id=_text(shown_in.get("id")),
            url=_text(shown_in.get("url")) or None,
            description=_text(shown_in.get("description")),
            plays=whole(statistics.get("play_count")),
            likes=whole(statistics.get("digg_count")),
            comments=whole(statistics.get("comment_count")),
            shares=whole(statistics.get("share_count")),
        ),
    )


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) >= _SHORTEST_ID


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
