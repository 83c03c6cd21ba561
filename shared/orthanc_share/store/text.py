"""Text from outside, made fit for both databases, and the words to find it by."""

import re
import unicodedata

TEXT_LENGTH_MAX = 255
"""Longest text of a column, in characters; what is longer is cut."""

WORD_LENGTH_MAX = 64
"""Longest word that is found by all of its letters, in characters."""

WORDS_MAX = 64
"""Most words by which one share is found, and of one search."""

LAST_CHARACTER = "\U0010ffff"
"""Comes after every other character where text is compared by code points."""

_WORD = re.compile(r"\w+")


def clean(text: str) -> str:
    """Return `text` cut to a column's length, without what a database refuses.

    PostgreSQL refuses NUL, and UTF-8 has no form for half a surrogate pair.
    """
    encodable = text.encode("utf-8", "replace").decode("utf-8")
    return encodable.replace("\x00", "\ufffd")[:TEXT_LENGTH_MAX]


def clean_or_none(text: str | None) -> str | None:
    """Return `text` as `clean` makes it; empty is None."""
    return clean(text) if text else None


def words_of(*texts: str | None) -> tuple[str, ...]:
    """Return the different words of `texts`, folded, in the order of their letters.

    SQLite folds ASCII only, so that folding is done here, for both databases.
    """
    joined = unicodedata.normalize("NFKC", clean_joined(texts)).casefold()
    words = {word[:WORD_LENGTH_MAX] for word in _WORD.findall(joined)}
    return tuple(sorted(words)[:WORDS_MAX])


def clean_joined(texts: tuple[str | None, ...]) -> str:
    """Return what there is of `texts`, clean, with spaces between."""
    return " ".join(clean(text) for text in texts if text)
