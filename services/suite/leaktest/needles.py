"""What is looked for, and the search for many of them at once."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from ahocorasick_rs import BytesAhoCorasick

LENGTH_MIN = 4
"""A form with fewer bytes is not looked for."""

WHOLE_WORD_BELOW = 6
"""Forms with fewer bytes occur by chance: they count as words of their own only."""

_CHARSETS = (
    *("utf_8", "utf_16_le", "utf_16_be", "latin_1", "iso8859_2", "iso8859_5"),
    *("iso8859_6", "iso8859_7", "iso8859_8", "iso8859_9", "shift_jis", "euc_jp"),
    *("iso2022_jp", "euc_kr", "gb18030", "tis_620"),
)
_ESCAPES = re.compile(rb"\x1b[\x20-\x2f]+[\x30-\x7e]")
_DIGITS_AND_DOTS = frozenset(b"0123456789.")
_HEX_AND_DASHES = frozenset(b"0123456789abcdef-")
_HEX_LETTERS = frozenset(b"abcdef")
_ID_LENGTH = 16  # of our ids of requests
_RANDOM_LENGTH = 32
_WORD = frozenset(b"0123456789abcdefghijklmnopqrstuvwxyz")
_PSEUDONYM = b"2.25."


class Kind(StrEnum):
    """What a value is, which tells where it counts."""

    TEXT = "text"
    NATIVE = "native text"
    DATE = "date"
    TIME = "time"
    NUMBER = "number"
    UID = "UID"
    ORTHANC_ID = "Orthanc id"
    DIGEST = "digest"
    ADDRESS = "address"


@dataclass(frozen=True, slots=True)
class Needle:
    """A value that must not come out.

    Args:
        value: The value; kept out of reports unless it is asked for.
        kind: What it is.
        source: Where the original has it, such as a tag.
    """

    value: str = field(repr=False)
    kind: Kind
    source: str


def forms(needle: Needle) -> set[bytes]:
    """Return the bytes as which a value may appear, in lower case."""
    text = needle.value.lower()
    if text.isascii():
        return {text.encode("ascii")}
    found = set()
    for charset in _CHARSETS:
        for variant in (text, needle.value):
            encoded = variant.encode(charset, "ignore")
            if encoded.decode(charset) == variant:
                found.add(_ESCAPES.sub(b"", encoded).lower())
    return found


class Haystack:
    """Looks for needles in bytes, whatever their case.

    Args:
        needles: What is looked for.
    """

    def __init__(self, needles: Iterable[Needle]) -> None:
        self.needles = tuple(needles)
        found = {
            form: needle
            for needle in self.needles
            for form in forms(needle)
            if len(form) >= LENGTH_MIN
        }
        self._forms = list(found.items())
        self._automaton = BytesAhoCorasick(found)

    def find(self, data: bytes) -> Iterator[Needle]:
        """Give each needle that is in `data`, as often as it is found."""
        text = data.lower()
        places = self._automaton.find_matches_as_indexes(text, overlapping=True)
        for number, start, _end in places:
            form, needle = self._forms[number]
            if _counts(text, start, form, needle.kind):
                yield needle


def _counts(text: bytes, at: int, form: bytes, kind: Kind) -> bool:
    """Tell whether what was found is the value, not a part of another one."""
    end = at + len(form)
    is_short = len(form) < WHOLE_WORD_BELOW
    if kind in {Kind.DATE, Kind.TIME} or (kind is Kind.NUMBER and not is_short):
        return not _is_in_random_id(text, at, end)
    if not is_short:
        return True
    # In a file an age is followed by the next tag, whose first byte may be a letter.
    goes_on = kind is not Kind.NUMBER and _is_word(text, end)
    return not (goes_on or _is_word(text, at - 1))


def _is_word(text: bytes, at: int) -> bool:
    return 0 <= at < len(text) and text[at] in _WORD


def _is_in_random_id(text: bytes, start: int, end: int) -> bool:
    """Tell whether digits are a part of something random, where any date occurs.

    So are the UIDs that the anonymizer makes, and its ids of requests.
    """
    run = _run(text, start, end, _DIGITS_AND_DOTS)
    if run.startswith(_PSEUDONYM) and run.count(b".") == _PSEUDONYM.count(b"."):
        return True
    run = _run(text, start, end, _HEX_AND_DASHES)
    # A date and a time make no more than 14 digits, and have no letters.
    is_id = len(run) >= _ID_LENGTH and not _HEX_LETTERS.isdisjoint(run)
    return is_id or len(run) >= _RANDOM_LENGTH


def _run(text: bytes, start: int, end: int, letters: frozenset[int]) -> bytes:
    """Return the longest text around a place that has only these letters."""
    while start > 0 and text[start - 1] in letters:
        start -= 1
    while end < len(text) and text[end] in letters:
        end += 1
    return text[start:end]
