"""The JSON of TikTok search results, as ScrapeCreators and its like pass it on.

TikTok's own objects come either flat (`trim=true`) or wrapped in `aweme_info`. A page
as it should be is decoded in one pass that skips whatever is not needed; only where a
value has an unexpected type is the page read again, item by item and field by field,
so that what is odd is lost and what was paid for is not.
"""

import json
from contextlib import suppress
from typing import TypeVar

import msgspec
from msgspec import UNSET, Struct, UnsetType, ValidationError, field


class Picture(Struct, gc=False):
    """An image in several formats."""

    url_list: list[str] | None = None


class Author(Struct, gc=False):
    """Who posted; `uid` is a string of digits, now and then a number."""

    uid: str | int | None = None
    unique_id: str | None = None
    nickname: str | None = None
    follower_count: int | None = None
    custom_verify: str | None = None
    signature: str | None = None
    avatar_medium: Picture | None = None
    avatar_larger: Picture | None = None
    avatar_thumb: Picture | None = None


class Statistics(Struct, gc=False):
    """The counts of a post."""

    play_count: int | None = None
    digg_count: int | None = None
    comment_count: int | None = None
    share_count: int | None = None


class TextExtra(Struct, gc=False):
    """A part of a caption; type 1 is a hashtag, 0 a mention."""

    type: int | None = None
    hashtag_name: str | None = None


class Post(Struct, gc=False):
    """A video with its author."""

    aweme_id: str | int | None = None
    author: Author | None = None
    desc: str | None = None
    desc_language: str | None = None
    create_time: int | float | str | None = None
    url: str | None = None
    share_url: str | None = None
    statistics: Statistics | None = None
    text_extra: list[TextExtra] | None = None
    is_ad: bool | int | None = None


class Item(Post, gc=False):
    """An entry of the list: a post, flat or in its wrapper."""

    aweme_info: Post | None = None


class NilInfo(Struct, gc=False):
    """Why a list is empty."""

    search_nil_item: str | None = None
    search_nil_type: str | None = None


class Envelope(Struct, gc=False):
    """What surrounds any answer, and is the whole of most refusals."""

    success: bool | None = None
    message: str | None = None
    error: str | None = None
    credits_charged: int | None = None
    credits_remaining: int | None = None
    credit_count: int | None = field(default=None, name="creditCount")

    @property
    def said(self) -> str | None:
        """What the provider says in words."""
        return self.message or self.error


class Suggestion(Struct, gc=False):
    """What else one might search for."""

    text: str | None = None


Items = list[Item | None] | dict[str, Item | None] | None
Suggestions = list[Suggestion | None] | None


class Body(Envelope, gc=False):
    """A page, or whatever came in its place."""

    search_item_list: Items | UnsetType = UNSET
    aweme_list: Items | UnsetType = UNSET  # of a hashtag; empty in a search
    suggestions: Suggestions | UnsetType = UNSET
    cursor: int | float | str | None = None
    has_more: bool | int | float | str | None = None
    search_nil_info: NilInfo | None = None


_DECODER = msgspec.json.Decoder(Body)
_PARTS: dict[str, type[Struct]] = {
    "aweme_info": Post,
    "author": Author,
    "statistics": Statistics,
}
_LISTED: dict[str, type[Struct]] = {
    "search_item_list": Item,
    "aweme_list": Item,
    "suggestions": Suggestion,
}
_LISTS = (list, dict, UnsetType, type(None))
_T = TypeVar("_T", bound=Struct)


def decode(data: bytes) -> Body | None:
    """The answer as typed values; `None` where it is not the JSON of one."""
    try:
        return _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _salvaged_body(data)


def _salvaged_body(data: bytes) -> Body | None:
    """A page some of whose values are not as they should be; `None` if it is none."""
    try:
        given = json.loads(data.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(given, dict):
        return None
    lists = {name: given.pop(name, UNSET) for name in _LISTED}
    body = _salvaged(Body, given)
    if body is None or not all(isinstance(one, _LISTS) for one in lists.values()):
        return None
    for name, listed in lists.items():
        items = listed.values() if isinstance(listed, dict) else listed
        if not isinstance(items, UnsetType):
            kept = [_salvaged(_LISTED[name], item) for item in items or ()]
            setattr(body, name, kept)
    return body


def _salvaged(kind: type[_T], given: object) -> _T | None:
    """An object without those of its fields that are of an unexpected type."""
    with suppress(ValidationError):
        return msgspec.convert(given, kind)
    if not isinstance(given, dict):
        return None
    kept: dict[str, object] = {}
    for known in msgspec.structs.fields(kind):
        value = given.get(known.encode_name, known.default)
        if known.name in _PARTS:
            kept[known.name] = _salvaged(_PARTS[known.name], value)
            continue
        with suppress(ValidationError):
            kept[known.name] = msgspec.convert(value, known.type)
    return kind(**kept)
