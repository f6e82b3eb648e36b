"""Reads a world file: the exact pages of creators that given keywords find."""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from headcount.sandbox.topics import fold


def read_pages(path: Path) -> dict[str, list[list[str]]]:
    """The pages of each keyword, `{word: [[creator id, ...], ...]}`, ids as strings.

    Raises:
        ValueError: in one line, the key that is wrong, what was expected, what came.
    """
    try:
        content = json.loads(path.read_bytes(), object_pairs_hook=_each_once)
    except OSError as error:
        raise ValueError(
            f"world file {path}: expected a readable file: {error.strerror}"
        ) from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"world file {path}: expected JSON: {error}") from None
    keywords = content.get("keywords") if isinstance(content, dict) else content
    if not isinstance(keywords, dict):
        raise _wrong(path, "keywords", "an object of keywords", keywords)
    _tell_apart(path, keywords)
    return {
        fold(keyword): _pages(path, f"keywords[{keyword!r}]", pages)
        for keyword, pages in keywords.items()
    }


def _each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """A JSON object of which no name is lost."""
    names = Counter(name for name, _ in pairs)
    if twice := [name for name, times in names.items() if times > 1]:
        raise ValueError(f"expected each name of an object once: {twice[0]!r} is twice")
    return dict(pairs)


def _tell_apart(path: Path, keywords: Iterable[str]) -> None:
    """Let no keyword pass that cannot be searched for, or that is another one's."""
    spellings: dict[str, str] = {}
    for keyword in keywords:
        if not fold(keyword):
            raise ValueError(
                f"world file {path}: keywords[{keyword!r}]: expected a word or a "
                "phrase: nobody can search for a blank"
            )
        first = spellings.setdefault(fold(keyword), keyword)
        if first != keyword:
            raise ValueError(
                f"world file {path}: keywords[{keyword!r}]: expected one keyword only "
                f"of those that differ in case or spaces, as from {first!r}: searches "
                "do not tell them apart"
            )


def _pages(path: Path, key: str, pages: object) -> list[list[str]]:
    if not isinstance(pages, list):
        raise _wrong(path, key, "a list of pages", pages)
    return [
        _creators(path, f"{key}[{number}]", page) for number, page in enumerate(pages)
    ]


def _creators(path: Path, key: str, page: object) -> list[str]:
    if not isinstance(page, list):
        raise _wrong(path, key, "a list of creator ids", page)
    for place, creator in enumerate(page):
        is_id = isinstance(creator, str | int) and not isinstance(creator, bool)
        if not is_id or creator == "":
            raise _wrong(path, f"{key}[{place}]", "a creator id", creator)
    return [str(creator) for creator in page]


def _wrong(path: Path, key: str, expected: str, came: object) -> ValueError:
    shown = json.dumps(came)
    shown = shown if len(shown) <= 40 else f"{shown[:37]}..."
    return ValueError(f"world file {path}: {key}: expected {expected}, got {shown}")
