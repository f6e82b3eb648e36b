"""The words of the sandbox's universe: topics, and which topics border on which."""

import random

# A topic a line; its first word is its name.
_LEXICON = """\
tech apple iphone android gadget laptop headphones smartwatch coding software
gaming gamer esports console playstation xbox nintendo speedrun minecraft streamer
fitness workout gym yoga running pilates cardio crossfit marathon stretching
food cooking recipe baking vegan kitchen chef dessert pasta breakfast bbq
beauty makeup skincare lipstick nails haircare fragrance eyeliner mascara
travel backpacking roadtrip hotel beach island airport citytrip hiking camping
music guitar piano singing dj rap vinyl songwriting drums choir
style fashion outfit streetwear thrift sneakers vintage handbag denim jewelry
home interior diy garden decor cleaning furniture organizing plants renovation
pets dog cat puppy kitten hamster aquarium parrot grooming rescue
money investing finance startup business marketing sidehustle realestate crypto
books reading novel fantasy poetry library writing audiobook romance thriller
"""
TOPICS = {line.split()[0]: line.split() for line in _LEXICON.splitlines()}

# Three pairings of all topics. Two topics of a pair share the creators on the ranks of
# that pairing; of every five ranks the last two belong to a topic alone.
BORDERS: tuple[tuple[tuple[str, str], ...], ...] = (
    (("tech", "gaming"), ("fitness", "food"), ("beauty", "style"),
     ("travel", "music"), ("home", "pets"), ("money", "books")),
    (("tech", "money"), ("fitness", "beauty"), ("travel", "food"),
     ("music", "style"), ("home", "books"), ("gaming", "pets")),
    (("tech", "music"), ("fitness", "travel"), ("beauty", "home"),
     ("food", "pets"), ("style", "money"), ("gaming", "books")),
)  # fmt: skip
RANKS_PER_ROUND = 5

_TOPIC_OF = {word: topic for topic, words in TOPICS.items() for word in words}


def dice(*names: object) -> random.Random:
    """The same names always give the same row of numbers, on every machine."""
    seed = ":".join(map(str, names))
    return random.Random(seed)  # noqa: S311 - an invented world, not a secret


def fold(keyword: str) -> str:
    """Two spellings are one keyword if they differ in case and white space only."""
    return " ".join(keyword.casefold().split())


def topics_of(keyword: str) -> tuple[str, ...]:
    """A keyword belongs to the topics of its known words, or to one picked by digest.

    Args:
        keyword: already folded.
    """
    known = [_TOPIC_OF.get(word.strip("#")) for word in keyword.split()]
    topics = tuple(dict.fromkeys(topic for topic in known if topic))
    return topics or (dice("topic of", keyword).choice(list(TOPICS)),)


def suggestions_for(seed: int, keyword: str) -> tuple[str, ...]:
    """Ten searches beside a keyword: itself, phrases with it, and single words."""
    keyword, throw = fold(keyword), dice(seed, "suggestions", fold(keyword))
    topic = topics_of(keyword)[0]
    words = throw.sample([word for word in TOPICS[topic] if word != keyword], 8)
    beside = throw.choice(TOPICS[throw.choice(neighbours(topic))])
    return (keyword, *(f"{keyword} {word}" for word in words[:5]), *words[5:], beside)


def neighbours(topic: str) -> tuple[str, ...]:
    """The topics that share creators with this one, one for each pairing."""
    return tuple(
        left if topic == right else right
        for pairing in BORDERS
        for left, right in pairing
        if topic in {left, right}
    )


def home_of(topic: str, rank: int) -> str:
    """The topic that names the creator on this rank: on a border the pair's first."""
    pairing = rank % RANKS_PER_ROUND
    if pairing >= len(BORDERS):
        return topic
    return next(pair[0] for pair in BORDERS[pairing] if topic in pair)
