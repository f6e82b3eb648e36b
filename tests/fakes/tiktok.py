"""Invented TikTok search answers, in the shape that ScrapeCreators gives them."""

import json
from typing import Any

Json = dict[str, Any]


def author(number: int = 1, **changed: object) -> Json:
    return {
        "uid": str(7_100_000_000_000_000_000 + number),
        "sec_uid": f"MS4wLjABAAAAsim{number:061}",
        "unique_id": f"sim_creator_{number:03}",
        "nickname": f"Sim Créator {number}",
        "follower_count": 11_965,
        "custom_verify": "",
        "avatar_medium": {
            "url_list": [
                f"https://cdn.invalid/{number}.heic",
                f"https://cdn.invalid/{number}.jpeg?x=1",
            ]
        },
        **changed,
    }


def post(number: int = 1, **changed: object) -> Json:
    """A post of its own author, flat, as with `trim=true`."""
    base = f"https://www.tiktok.com/@sim_creator_{number:03}/video"
    return {
        "aweme_id": str(7_300_000_000_000_000_000 + number),
        "author_user_id": 7_100_000_000_000_000_000,
        "author": author(number),
        "desc": "an invented caption #simtag",
        "desc_language": "en",
        "create_time": 1_733_600_000,
        "url": f"{base}/{7_300_000_000_000_000_000 + number}",
        "statistics": {
            "play_count": 268_500,
            "digg_count": 7_932,
            "comment_count": 139,
            "share_count": 198,
        },
        "is_ad": False,
        **changed,
    }


def page(*posts: object, **changed: object) -> Json:
    """An untrimmed answer; a post that is an object gets its wrapper."""
    items = [{"aweme_info": p} if isinstance(p, dict) else p for p in posts]
    return {
        "success": True,
        "credits_remaining": 24_950,
        "credits_charged": 1,
        "status_code": 0,
        "cursor": 30,
        "has_more": 1,
        "search_item_list": items,
        **changed,
    }


def without(given: Json, *names: str) -> Json:
    return {name: value for name, value in given.items() if name not in names}


def raw(given: object) -> bytes:
    return json.dumps(given).encode()
