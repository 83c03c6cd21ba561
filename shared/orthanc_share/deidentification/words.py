"""Clean Descriptors: of a description, only words that name no person are left."""

import re
from collections.abc import Sequence

from orthanc_share.deidentification.data_files import read

LEFT_OUT = "*"
"""Stands where something was left out, so that nobody reads the rest as the whole."""

WORDS = frozenset(read("words.json", list[str]))
"""Anatomy, technique and projection in English, some in other European languages."""

_TOKEN = re.compile(r"[A-Za-z0-9.]+|[^A-Za-z0-9.]+", re.ASCII)
_TOKEN_OF_TEXT = re.compile(r"[A-Za-z0-9.]", re.ASCII)
_MEASURE = re.compile(r"\d{1,2}(\.\d{1,2})?(mm|cm|t|ms|s|min)", re.ASCII)
_SEPARATORS = frozenset(" _-/+,()&")


def clean_descriptors(values: Sequence[str], _days: int = 0) -> tuple[str, ...] | None:
    """Return descriptions without what is not a known word; None: nothing is left."""
    cleaned = tuple(_clean(value) for value in values)
    return cleaned if any(_says_something(value) for value in cleaned) else None


def _clean(value: str) -> str:
    text = "".join(_shown(token) for token in _TOKEN.findall(value))
    return re.sub(r"\*[\s*_/+,()&-]*\*", LEFT_OUT, text).strip()


def _shown(token: str) -> str:
    word = token.lower().strip(".")
    if word in WORDS or _MEASURE.fullmatch(word):
        return token
    if _TOKEN_OF_TEXT.match(token):
        return LEFT_OUT
    return "".join(mark if mark in _SEPARATORS else LEFT_OUT for mark in token)


def _says_something(value: str) -> bool:
    return any(token.lower().strip(".") in WORDS for token in _TOKEN.findall(value))
