"""The vendor's JSON shapes, as recorded: one item untrimmed or trimmed, one page."""

from collections.abc import Iterable
from typing import Any

from headcount.sandbox.people import Creator, Video
from headcount.sandbox.world import Page, Question

Json = dict[str, Any]

ALWAYS_NULL: Json = dict.fromkeys((
    "account_labels", "ad_cover_url", "can_message_follow_status_list", "cover_url",
    "events", "followers_detail", "geofencing", "homepage_bottom_toast", "item_list",
    "need_points", "platform_sync_info", "relative_users", "type_label", "user_tags",
    "white_cover_url",
))  # fmt: skip
FURTHER_SIZES = ("thumb", "168x168", "300x300")
STATUS: Json = {
    "allow_comment": True,
    "allow_share": True,
    "download_status": 0,
    "in_reviewing": False,
    "is_delete": False,
    "is_prohibited": False,
    "private_status": 0,
    "review_result": {"review_status": 0},
    "reviewed": 1,
    "self_see": False,
}


def page_body(question: Question, page: Page, call: int) -> Json:
    """The body of a search answer, without the envelope."""
    shape = trimmed_item if question.trim else untrimmed_item
    log_id = f"SANDBOX{call:09}"
    body: Json = {
        "cursor": page.cursor,
        "has_more": int(page.has_more),
        "search_item_list": [shape(video) for video in page.videos],
        "status_code": 0,
        "aweme_list": [],
        "backtrace": "",
        "components": None,
        "extra": {
            "api_debug_info": None,
            "fatal_item_ids": [],
            "logid": log_id,
            "now": 1_767_225_600_000 + call,
            "search_request_id": "",
            "server_stream_time": 702,
        },
        "feedback_type": "video",
        "global_doodle_config": {
            "hit_dolphin": False,
            "hit_shark": False,
            "keyword": question.keyword,
            "new_source": "switch_tab",
            "search_channel": "musically_video",
            "search_intent": {},
            "tns_search_result": "Pass",
        },
        "log_pb": {"impr_id": log_id},
    }
    if not page.videos:
        body["search_nil_info"] = nothing_found("federation_empty")
    return body


def of_hashtag(body: Json) -> Json:
    """A page as the feed of a hashtag has it: flat items that count no followers."""
    listed = body["search_item_list"]
    items = list(listed.values()) if isinstance(listed, dict) else listed
    for item in map(inner, items or ()):
        if item.get("author"):
            item["author"] |= {"follower_count": 0, "following_count": 0}
    return {
        "aweme_list": items and [inner(item) for item in items],
        "cursor": body["cursor"],
        **({"has_more": body["has_more"]} if "has_more" in body else {}),
        "extra": body["extra"],
        "log_pb": body["log_pb"],
        "status_code": 0,
        "status_msg": "",
    }


def suggestions_body(texts: Iterable[str]) -> Json:
    """The answer to the question what else to search for."""
    return {
        "suggestions": [
            {"text": text, "position": place, "language": "en", "score": 1 / place}
            for place, text in enumerate(texts, start=1)
        ]
    }


def nothing_found(reason: str) -> Json:
    """Why a list is empty: `federation_empty` is an end, `verify_check` a block."""
    return {
        "search_nil_type": "",
        "is_load_more": "is_load_more",
        "search_nil_item": reason,
        "text_type": 10,
    }


def inner(item: Json) -> Json:
    """The video inside an item, whichever shape the item has."""
    video: Json = item.get("aweme_info", item)
    return video


def trimmed_item(video: Video) -> Json:
    """A flat item with the keys that `trim=true` leaves."""
    return {
        "aweme_id": video.id,
        "desc": video.caption,
        "desc_language": video.language,
        "region": video.country,
        "statistics": _statistics(video),
        "video": {"duration": 15_000, "ratio": "720p"},
        "author": _author(video.creator),
        "create_time": int(video.created.timestamp()),
        "is_ad": video.is_ad,
        "is_eligible_for_commission": False,
        "create_time_utc": f"{video.created:%Y-%m-%dT%H:%M:%S}.000Z",
        "url": _url(video),
    }


def untrimmed_item(video: Video) -> Json:
    """An item in its `aweme_info` wrapper, without the largest objects."""
    creator = video.creator
    full = trimmed_item(video)
    full["author"] |= ALWAYS_NULL | _pictures(creator, *FURTHER_SIZES)
    return {
        "aweme_info": {
            **full,
            "author_user_id": imprecise(creator.uid),
            "aweme_type": 0,
            "cha_list": None,
            "content_type": "video",
            "is_ads": False,
            "is_paid_partnership": False,
            "share_url": f"{_url(video)}?_r=1",
            "shop_product_url": None,
            "status": {**STATUS, "aweme_id": video.id},
            "text_extra": list(_text_extra(video)),
        }
    }


def imprecise(uid: str) -> int:
    """An id as a JavaScript number shows it: about 16 digits, then zeros."""
    if not uid.isdecimal():
        return 0
    return int(uid[:16] + "0" * len(uid[16:]))


def _url(video: Video) -> str:
    return f"https://sandbox.invalid/@{video.creator.handle}/video/{video.id}"


def _author(creator: Creator) -> Json:
    return {
        "uid": creator.uid,
        "sec_uid": creator.sec_uid,
        "unique_id": creator.handle,
        "nickname": creator.nickname,
        "follower_count": creator.followers,
        "following_count": creator.following,
        "aweme_count": 0,
        "total_favorited": 0,
        "verification_type": 0,
        "custom_verify": creator.badge,
        "enterprise_verify_reason": "",
        "short_id": "0",
        "ins_id": "",
        "name_field": "nickname",
        "search_user_name": creator.nickname,
        "search_user_desc": creator.handle,
        "status": 1,
        "secret": 0,
        "user_canceled": False,
        "room_id": 0,
        "hide_search": False,
        **_pictures(creator, "medium", "larger"),
    }


def _pictures(creator: Creator, *sizes: str) -> Json:
    stem = f"https://cdn.sandbox.invalid/avatar/{creator.handle}"
    return {
        f"avatar_{size}": {
            "uri": f"avatar/{creator.handle}",
            "url_list": [f"{stem}/{size}{end}" for end in (".heic", "b.heic", ".jpeg")],
            "url_prefix": None,
            "width": 720,
            "height": 720,
            "data_size": 0,
        }
        for size in sizes
    }


def _statistics(video: Video) -> Json:
    return {
        "aweme_id": video.id,
        "collect_count": video.likes // 13,
        "comment_count": video.likes // 57,
        "digg_count": video.likes,
        "download_count": video.likes // 200,
        "forward_count": 0,
        "lose_comment_count": 0,
        "lose_count": 0,
        "play_count": video.plays,
        "repost_count": 0,
        "share_count": video.likes // 40,
        "whatsapp_share_count": video.likes // 660,
    }


def _text_extra(video: Video) -> Iterable[Json]:
    for hashtag in video.hashtags:
        start = video.caption.index(f"#{hashtag}")
        yield {
            "start": start,
            "end": start + len(hashtag) + 1,
            "type": 1,
            "tag_id": "",
            "hashtag_name": hashtag,
            "hashtag_id": str(1_000_000 + sum(map(ord, hashtag))),
            "is_commerce": False,
            "sec_uid": "",
            "user_id": "",
        }
