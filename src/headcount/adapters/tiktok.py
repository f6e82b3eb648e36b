"""Reads TikTok's answers: pages of a search or a hashtag, and suggestions."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import quote

from msgspec import UNSET, UnsetType

from headcount.adapters.tiktok_json import (
    Author,
    Body,
    Item,
    Items,
    NilInfo,
    Post,
    Statistics,
    TextExtra,
    decode,
)
from headcount.core.calls import Endpoint, Page
from headcount.core.sighting import Sighting, Video

PLATFORM = "tiktok"
PAGE_STEP = 30  # cursors count items asked, so also where fewer came

_BLOCKS = ("verify_check", "hit_shark", "antispam_check")
_MORE: dict[object, bool] = {
    **dict.fromkeys((True, "1", "true"), True),
    **dict.fromkeys((False, "0", "false"), False),
}
_LARGEST = 2**63 - 1  # what a database holds as an integer
_DEAREST = 1_000  # credits; who claims more for one call has told nothing
_CURSOR = re.compile(r"-?[0-9]{1,18}")
_PLAIN = re.compile(r"[A-Za-z0-9_.-]+")  # means itself in a URL
_SITE = re.compile(r"(https?://[^/?#\s]+)/@")
_NO_ID = {"", "0"}
_EXACT = 2**53  # beyond it, JavaScript rounds whole numbers
_WEB = ("https://", "http://")
# Up to white space or punctuation: \w would cut words that have vowel signs.
_HASHTAG = re.compile(r"[#＃]([^\s#!-/:-@\[-^`{-~‐-‧、-〟！-／]+)")  # noqa: RUF001 - meant
_MARKUP = re.compile(r"<(!doctype|html|head|body)\b", re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]*>([^<]{1,100})</title>", re.IGNORECASE)
_NOTHING_COUNTED = Statistics()


@dataclass(frozen=True, slots=True)
class NoPage:
    """An answer that is no page: what is wrong with it, and what it says itself."""

    problem: str
    said: str | None = None
    credits: int | None = None


def read_page(
    data: bytes, asked: str, endpoint: Endpoint = Endpoint.KEYWORD
) -> Page | NoPage:
    """Read the answer to the question for the page at the cursor `asked`."""
    body = decode(data)
    if body is None:
        return NoPage("it is not the JSON of a page", beginning(data))
    if endpoint is Endpoint.SUGGESTIONS:
        return _suggested(body, asked)
    of_hashtag = endpoint is Endpoint.HASHTAG
    name = "aweme_list" if of_hashtag else "search_item_list"
    items = _listed(getattr(body, name))
    problem = None if items else _problem(body, name)
    if problem:
        return NoPage(problem, body.said, spent(body))
    next_cursor, stuck = _next(body.cursor, int(asked))
    sightings = _sightings(items)
    return Page(
        sightings=tuple(map(_uncounted, sightings) if of_hashtag else sightings),
        items=len(items),
        next_cursor=next_cursor,
        more=_MORE.get(body.has_more),
        stuck=stuck,
        credits=spent(body),
    )


def _suggested(body: Body, asked: str) -> Page | NoPage:
    """The suggestions of an answer, which has no further page."""
    if not isinstance(body.suggestions, list):
        return NoPage("it has no suggestions", body.said, spent(body))
    texts = [_clean(one.text) for one in body.suggestions if one]
    return Page(
        sightings=(),
        items=len(body.suggestions),
        next_cursor=asked,
        more=False,
        credits=spent(body),
        suggestions=tuple(filter(None, texts)),
    )


def _uncounted(sighting: Sighting) -> Sighting:
    """A sighting of a hashtag's feed, which has a 0 for all followers."""
    return replace(sighting, followers=sighting.followers or None)


def beginning(data: bytes) -> str:
    """The first words of a body that is not understood; of a web page, its title."""
    text = data[:4000].decode(errors="replace")
    if not _MARKUP.search(text):
        return text[:1000]
    title = _TITLE.search(text)
    return f"a web page ({title[1].strip()})" if title else "a web page"


def _problem(body: Body, name: str) -> str | None:
    """Why a body without items of this name is not simply an empty page."""
    if body.success is False:
        return "it says that it failed"
    if getattr(body, name) is UNSET and not body.success:
        return f"it has no {name}"
    block = _block(body.search_nil_info)
    return f"TikTok blocked the search ({block})" if block else None


def _listed(items: Items | UnsetType) -> list[Item | None]:
    if isinstance(items, dict):
        return list(items.values())
    return items if isinstance(items, list) else []


def _block(nil: NilInfo | None) -> str | None:
    """The name of a block, where an empty list is one and not an end."""
    reasons = (nil.search_nil_item, nil.search_nil_type) if nil else ()
    return next((reason for reason in reasons if reason in _BLOCKS), None)


def _next(given: float | str | None, asked: int) -> tuple[str, bool]:
    """The cursor to go on with, and whether the one given did not lie ahead."""
    ahead = _whole(given)
    if ahead is not None and asked < ahead <= _LARGEST:
        return str(ahead), False
    return str(asked + PAGE_STEP), ahead is not None


def _whole(number: float | str | None) -> int | None:
    """A whole number, in whichever way it is written."""
    if isinstance(number, float):
        return int(number) if number.is_integer() else None
    if isinstance(number, str):
        number = number.strip()
        return int(number) if _CURSOR.fullmatch(number) else None
    return number


def count(number: int | None) -> int | None:
    """A count that can be one."""
    return number if number is not None and 0 <= number <= _LARGEST else None


def spent(body: Body) -> int | None:
    """The credits that an answer says it cost, where that can be believed."""
    told = body.credits_charged
    return told if told is not None and 0 <= told <= _DEAREST else None


# ---------------------------------------------------------------- from item to sighting
def _sightings(items: list[Item | None]) -> Iterator[Sighting]:
    """What the readable items show; one without creator or video shows nothing."""
    for item in items:
        post = item and (item.aweme_info or item)
        author = post and post.author
        if not post or not author:
            continue
        creator, video = creator_id(author), _clean(str(post.aweme_id or ""))
        if creator and video:
            yield _sighting(creator, video, post, author)


def _sighting(creator: str, video: str, post: Post, author: Author) -> Sighting:
    handle, caption = _handle(author), _clean(post.desc)
    url = _web(post.url) or _web((post.share_url or "").partition("?")[0])
    tally = post.statistics or _NOTHING_COUNTED
    return Sighting(
        platform=PLATFORM,
        id=creator,
        username=handle,
        video=Video(
            id=video,
            url=url,
            description=caption,
            posted_at=_moment(post.create_time),
            plays=count(tally.play_count),
            likes=count(tally.digg_count),
            comments=count(tally.comment_count),
            shares=count(tally.share_count),
        ),
        name=_clean(author.nickname),
        followers=count(author.follower_count),
        verified=author.custom_verify == "Verified account",
        avatar_url=_avatar(author),
        profile_url=_profile_url(handle, url),
        bio=_clean(author.signature),
        hashtags=_hashtags(post.text_extra, caption),
        language=_language(post.desc_language),
        is_ad=bool(post.is_ad),
    )


def creator_id(author: Author) -> str | None:
    """The uid, which alone makes a creator the same one; `None` where it is unsure.

    A handle changes and a sec_uid cannot be matched with a uid seen elsewhere, so to
    count by them would count somebody twice. A large number may have been rounded on
    its way, and is trusted only if it shows digits that rounding would have lost.
    """
    uid = author.uid
    if isinstance(uid, int) and uid > _EXACT and int(float(uid)) == uid:
        return None
    text = _clean(str(uid or "")).strip()
    return None if text in _NO_ID else text


def _handle(author: Author) -> str:
    return _clean(author.unique_id).strip().removeprefix("@")


def _clean(text: str | None) -> str:
    """Text that every database and file takes: without NUL and half surrogates."""
    if not text:
        return ""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode(errors="ignore").decode().replace("\0", "")


def _web(url: str | None) -> str | None:
    url = _clean(url)
    return url if url.startswith(_WEB) else None


def _profile_url(handle: str, url: str | None) -> str | None:
    if not handle:
        return None
    site = _SITE.match(url or "")
    name = handle if _PLAIN.fullmatch(handle) else quote(handle)
    return f"{site[1] if site else 'https://www.tiktok.com'}/@{name}"


def _avatar(author: Author) -> str | None:
    """The JPEG of the first size there is; browsers do not show the others (HEIC)."""
    for size in (author.avatar_medium, author.avatar_larger, author.avatar_thumb):
        for url in (size and size.url_list) or ():
            if url.partition("?")[0].endswith((".jpeg", ".jpg")):
                return _web(url)
    return None


def _hashtags(extra: list[TextExtra] | None, caption: str) -> tuple[str, ...]:
    """The tags TikTok itself found, or else those in the caption."""
    tags = [_clean(x.hashtag_name) for x in extra or () if x.type == 1]
    if not any(tags):
        tags = _HASHTAG.findall(caption)
    return tuple(dict.fromkeys([tag.lower() for tag in tags if tag]))


def _language(code: str | None) -> str | None:
    code = _clean(code).strip().lower()
    return None if code in {"", "un"} else code


def _moment(given: float | str | None) -> datetime | None:
    """A time given in seconds or as ISO 8601; `None` for one that cannot be."""
    seconds = _whole(given)
    try:
        if seconds is None:
            moment = datetime.fromisoformat(str(given))
            moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
        else:
            moment = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return moment if 2000 <= moment.year < 2100 else None
