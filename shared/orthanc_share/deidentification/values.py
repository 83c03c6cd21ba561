"""How a value that may pass becomes one that is safe: checked, shifted or replaced.

Each cleaner takes the values of one element and the share's shift in days, and returns
what is written; None: nothing can be.
"""

import math
import re
from collections.abc import Callable, Collection, Sequence
from datetime import date, timedelta

Cleaner = Callable[[Sequence[str], int], tuple[str, ...] | None]
"""Takes values without padding and the days by which dates are moved back."""

REMOVED = "REMOVED"
"""Dummy for texts."""

DUMMIES = {
    "AS": "000Y",
    "DA": "19000101",
    "DS": "0",
    "DT": "19000101000000",
    "IS": "0",
    "TM": "000000",
}
"""Dummies by VR; `REMOVED` for all others that may be dummies."""

AGE_MAX = 90
"""Years; whoever is older is shown with this age. Source: 45 CFR 164.514(b)(2)(i)(C),
ages over 89 in one category."""

DECIMAL_LENGTH_MAX = 16
"""Characters of a DS. Source: PS3.5 6.2."""

_LONG_DECIMAL_MAX = 64  # characters of a DS that breaks the rule and is shortened
_INTEGER_RANGE = range(-(2**31), 2**31)  # PS3.5 6.2, IS
_PADDING = " \0"

_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_USUAL_DECIMAL = re.compile(rf"(?=.{{1,16}}\Z){_DECIMAL.pattern}", re.ASCII)
_INTEGER = re.compile(r"([+-]?\d{1,10})(\.0*)?", re.ASCII)
_FACTOR = re.compile(r"\d{0,6}\.\d{1,14}([eE][+-]?\d{1,2})?", re.ASCII)
_DATE = re.compile(r"\d{8}", re.ASCII)
_AGE = re.compile(r"(\d{3})([DWMY])", re.ASCII)
_TIME_TEXT = r"([01]\d|2[0-3])([0-5]\d(([0-5]\d|60)(\.\d{1,6})?)?)?"
_TIME = re.compile(_TIME_TEXT, re.ASCII)
_DATE_TIME = re.compile(
    rf"(?P<day>\d{{8}})(?P<time>{_TIME_TEXT})?([+-]\d{{4}})?", re.ASCII
)
_ORIENTATION = re.compile(r"[APRLHF]{1,3}")
_NOT_PRINTABLE = re.compile(r"[\x00-\x1f\x7f]")
_NOT_ASCII = re.compile(r"[^ -~]+")
_SHORT_NUMBER = re.compile(r"\d{1,4}", re.ASCII)


def each(clean: Callable[[str, int], str | None]) -> Cleaner:
    """Return a cleaner that writes all values or, if one is wrong, none."""

    def clean_all(values: Sequence[str], days: int) -> tuple[str, ...] | None:
        cleaned = []
        for value in values:
            text = value.strip(_PADDING)
            done = clean(text, days) if text else ""
            if done is None:
                return None
            cleaned.append(done)
        return tuple(cleaned)

    return clean_all


def listed(known: Collection[str], instead: str | None = None) -> Cleaner:
    """Return a cleaner for values that have to be in a list.

    Args:
        known: The list.
        instead: What is written for others; None: no value is written at all.
    """
    return each(lambda text, _days: text if text in known else instead)


def some_listed(known: Collection[str]) -> Cleaner:
    """Return a cleaner that leaves out the values that are not in the list `known`."""

    def clean(values: Sequence[str], _days: int) -> tuple[str, ...] | None:
        texts = (value.strip(_PADDING) for value in values)
        return tuple(text for text in texts if text in known) or None

    return clean


def otherwise(clean: Cleaner, dummy: str) -> Cleaner:
    """Return a cleaner that writes `dummy` where `clean` writes nothing."""
    return lambda values, days: clean(values, days) or (dummy,)


def _decimal(text: str, _days: int) -> str | None:
    if len(text) > _LONG_DECIMAL_MAX or not _DECIMAL.fullmatch(text):
        return None
    if len(text) <= DECIMAL_LENGTH_MAX:
        return text
    number = float(text)
    if not math.isfinite(number):
        return None
    shorter = (f"{number:.{digits}g}" for digits in range(15, 8, -1))
    return next(one for one in shorter if len(one) <= DECIMAL_LENGTH_MAX)


def _integer(text: str, _days: int) -> str | None:
    found = _INTEGER.fullmatch(text)
    return found[1] if found and int(found[1]) in _INTEGER_RANGE else None


def _age(text: str, _days: int) -> str | None:
    found = _AGE.fullmatch(text)
    if not found:
        return None
    old = found[2] == "Y" and int(found[1]) > AGE_MAX
    return f"{AGE_MAX:03}Y" if old else text


def _date(text: str, days: int) -> str | None:
    if not _DATE.fullmatch(text):
        return None
    try:
        earlier = date.fromisoformat(text) - timedelta(days)
    except (ValueError, OverflowError):
        return None
    return earlier.isoformat().replace("-", "")


def _time(text: str, _days: int) -> str | None:
    return text if _TIME.fullmatch(text) else None


def _date_time(text: str, days: int) -> str | None:
    found = _DATE_TIME.fullmatch(text)
    day = _date(found["day"], days) if found else None
    return f"{day}{found['time'] or ''}" if found and day else None


def _verbatim(text: str, _days: int) -> str | None:
    return None if _NOT_PRINTABLE.search(text) else _NOT_ASCII.sub("?", text)


def _matching(pattern: re.Pattern[str], instead: str | None = None) -> Cleaner:
    return each(lambda text, _days: text if pattern.fullmatch(text) else instead)


_checked_decimals = each(_decimal)


def decimals(values: Sequence[str], days: int) -> tuple[str, ...] | None:
    """Return decimal strings (DS); longer ones than PS3.5 allows are rounded."""
    if all(map(_USUAL_DECIMAL.fullmatch, values)):  # contours have thousands
        return tuple(values)
    return _checked_decimals(values, days)


integers = each(_integer)
"""Integer strings (IS), also with zeros behind a point, as some devices write them."""

factors = _matching(_FACTOR)
"""Decimal fractions. A number without a point could be somebody's number."""

ages = each(_age)
"""Age strings, `AGE_MAX` at most."""

dates = each(_date)
"""Whole dates, moved back."""

times = each(_time)
"""Times of day, as they are."""

date_times = each(_date_time)
"""Dates with or without time, moved back; the offset from UTC, which tells the region,
is left out."""

verbatim = each(_verbatim)
"""Texts as they are, with `?` for what is not ASCII: the character set is not known."""

orientations = _matching(_ORIENTATION)
"""Patient Orientation. Source: PS3.3 C.7.6.1.1.1."""

short_numbers = _matching(_SHORT_NUMBER, instead="1")
"""Labels that are numbers of four digits at most."""
