"""All that can go wrong with a search, each fault declared once in `FAULTS`."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from headcount.sandbox.answer import Answer, refusal
from headcount.sandbox.topics import dice
from headcount.sandbox.wire import Json, inner, nothing_found
from headcount.sandbox.world import Question

Change = Callable[[Answer, Question], Answer]
BLOCKED = nothing_found("verify_check")
BIG_OBJECTS = ("video", "music", "added_sound_music_info", "share_info", "mask_infos")
SOME = 5  # a fault of "some" creators touches every fifth


def _fields(**values: object) -> Change:
    return lambda answer, _: _rewritten(answer, lambda body: body.update(values))


def _cursor(of: Callable[[int], object]) -> Change:
    return lambda answer, question: _fields(cursor=of(question.cursor))(
        answer, question
    )


def _body(change: Callable[[Json], object]) -> Change:
    return lambda answer, _: _rewritten(answer, change)


def _rewritten(answer: Answer, change: Callable[[Json], object]) -> Answer:
    assert isinstance(answer.body, dict), "faults meet the body before it is encoded"
    body = dict(answer.body)
    change(body)
    return replace(answer, body=body)


def _videos(change: Callable[[Json], object], *, every: int = 1) -> Change:
    def each(body: Json) -> None:
        for item in body["search_item_list"][::every]:
            change(inner(item))

    return _body(each)


def _authors(change: Callable[[Json], object], *, every: int = 1) -> Change:
    return _videos(lambda video: change(video["author"]), every=every)


def _instead(answer: Answer) -> Change:
    return lambda _answer, _question: answer


def _flags(*, slow: bool = False, cut: bool = False, lost: bool = False) -> Change:
    return lambda answer, _: replace(answer, slow=slow, cut=cut, lost=lost)


def _as_object(body: Json) -> None:
    items = body["search_item_list"]
    body["search_item_list"] = {str(place): item for place, item in enumerate(items)}


def _no_author(body: Json) -> None:
    """Every fifth item lacks its author; the one after it is a user card."""
    items = body["search_item_list"]
    for item in items[::SOME]:
        inner(item)["author"] = None
    for item in items[1::SOME]:
        inner(item).pop("aweme_id")


def _drifted(video: Json) -> None:
    """Each video of a creator shows another count."""
    share = dice(video["aweme_id"]).uniform(-0.007, 0.007)
    video["author"]["follower_count"] += int(video["author"]["follower_count"] * share)


def _number_uid(author: Json) -> None:
    author["uid"] = int(author["uid"]) if author["uid"].isdecimal() else author["uid"]


def _renamed(author: Json) -> None:
    handle = author["unique_id"].replace("sandbox_", "renamed_", 1)
    author["unique_id"] = author["search_user_desc"] = handle


def _share_handle(author: Json) -> None:
    author["unique_id"] = author["search_user_desc"] = "sandbox_shared"


def _padded(answer: Answer, question: Question) -> Answer:
    """75 KB of media objects for each item, as in the wild; none when trimmed."""
    if question.trim:
        return answer
    url = "https://cdn.sandbox.invalid/media/0123456789abcdef?policy=2&signature="
    rendition = {"bit_rate": 1_489_337, "url_list": [url + "x" * 180] * 3, "width": 720}
    media = {"bit_rate": [rendition] * 18, "uri": "media/0123456789abcdef"}
    return _videos(lambda video: video.update(dict.fromkeys(BIG_OBJECTS, media)))(
        answer, question
    )


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to go wrong: its name, what it does, and how.

    `ask` changes what is asked of the universe, `change` what comes back.
    """

    name: str
    promise: str
    change: Change
    ask: Callable[[Question], Question] = lambda question: question


OUT_OF_CREDITS = refusal(402, "Looks like you're out of credits :(", success=False)
BAD_KEY = refusal(401, "Invalid or missing API key", success=False)
THROTTLED = refusal(429, "Rate limited. Wait a moment and retry.", success=False)
BROKEN = refusal(500, "Internal server error")
FORBIDDEN = refusal(
    403,
    "This resource is restricted",
    success=False,
    error="forbidden",
    errorStatus=403,
)
NOT_FOUND = refusal(404, "Endpoint or resource not found", success=False)
UNSUCCESSFUL = Answer(
    {"success": False, "message": "Something went wrong, try again"}, credits=1
)
HTML = Answer(
    b"<!doctype html><title>One moment</title><p>Checking your browser.</p>",
    credits=1,
    media_type="text/html; charset=utf-8",
)

FAULTS: dict[str, Fault] = {
    fault.name: fault
    for fault in (
        Fault("early_end", "has_more is 0 although there is more", _fields(has_more=0)),
        Fault(
            "endless",
            "has_more is 1 for ever: the first page again, with the cursor asked",
            lambda answer, question: _fields(has_more=1, cursor=question.cursor)(
                answer, question
            ),
            ask=lambda question: replace(question, cursor=0),
        ),
        Fault("stuck_cursor", "the cursor stays where it was", _cursor(lambda c: c)),
        Fault(
            "backward_cursor",
            "the cursor goes back by a page",
            _cursor(lambda c: max(0, c - 30)),
        ),
        Fault("zero_cursor", "the cursor is 0", _fields(cursor=0)),
        Fault("negative_cursor", "the cursor is -1", _fields(cursor=-1)),
        Fault(
            "string_cursor",
            'the cursor is a string: "60"',
            _cursor(lambda c: f"{c + 30}"),
        ),
        Fault(
            "missing_has_more",
            "has_more is missing",
            _body(lambda body: body.pop("has_more")),
        ),
        Fault(
            "true_has_more",
            "has_more is true or false, not 1 or 0",
            _body(lambda body: body.update(has_more=bool(body["has_more"]))),
        ),
        Fault(
            "string_has_more",
            'has_more is a string: "1" or "0"',
            _body(lambda body: body.update(has_more=str(body["has_more"]))),
        ),
        Fault(
            "empty_page",
            "the items are withheld this time, has_more is 1",
            _fields(search_item_list=[], has_more=1),
        ),
        Fault(
            "soft_block",
            "200 with an empty list, has_more 0 and the reason verify_check",
            _fields(search_item_list=[], has_more=0, search_nil_info=BLOCKED),
        ),
        Fault("null_list", "the list is null", _fields(search_item_list=None)),
        Fault(
            "object_list",
            'the list is an object with keys "0".."29"',
            _body(_as_object),
        ),
        Fault(
            "no_author",
            "some items have a null author, some no aweme_id",
            _body(_no_author),
        ),
        Fault(
            "uid_missing",
            "some authors have no uid",
            _authors(lambda author: author.pop("uid"), every=SOME),
        ),
        Fault(
            "uid_int",
            "uid is a number",
            _authors(_number_uid),
        ),
        Fault(
            "changed_handle", "the same creators by other handles", _authors(_renamed)
        ),
        Fault(
            "shared_handle",
            "some creators share one handle",
            _authors(_share_handle, every=SOME),
        ),
        Fault(
            "follower_drift",
            "follower counts are up to 0.7 % away from usual",
            _videos(_drifted),
        ),
        Fault(
            "private_accounts",
            "some creators have gone private",
            _authors(lambda author: author.update(secret=1), every=SOME),
        ),
        Fault("out_of_credits", "402: no credits left", _instead(OUT_OF_CREDITS)),
        Fault("bad_key", "401: the key is not accepted", _instead(BAD_KEY)),
        Fault("forbidden", "403 in the general error shape", _instead(FORBIDDEN)),
        Fault("not_found", "404", _instead(NOT_FOUND)),
        Fault("throttled", "429 without a hint when to retry", _instead(THROTTLED)),
        Fault(
            "throttled_retry_after",
            "429 with Retry-After: 1",
            _instead(replace(THROTTLED, headers=(("retry-after", "1"),))),
        ),
        Fault("server_error", "500, not charged", _instead(BROKEN)),
        Fault(
            "charged_error", "500, and charged", _instead(replace(BROKEN, credits=1))
        ),
        Fault(
            "success_false",
            "200 with success: false and a message",
            _instead(UNSUCCESSFUL),
        ),
        Fault("html", "200 with a web page instead of JSON", _instead(HTML)),
        Fault("truncated", "the JSON stops in the middle", _flags(cut=True)),
        Fault("slow", "the answer takes 70 s (or as configured)", _flags(slow=True)),
        Fault("big_page", "an untrimmed page of 2 MB", _padded),
        Fault(
            "lost_answer",
            "the work is done and charged, then the connection closes",
            _flags(lost=True),
        ),
    )
}
