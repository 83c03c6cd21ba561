"""Whether binary numbers are text in disguise: `DOE JOHN` is one double as well."""

import re
from collections.abc import Sequence
from itertools import pairwise

RUN_LENGTH = 8
"""Bytes in a row that make a text. One number of 8 bytes, or several shorter ones.

True doubles look so only from 131,072 on, and then one of 100,000 does; true integers
and floats, only if several neighbours do.
"""

_RUN = re.compile(rb"[A-Za-z0-9^ ]{%d}" % RUN_LENGTH)
_RUN_ANYWHERE = re.compile(rb"(?=[A-Za-z0-9^ ]{%d})" % RUN_LENGTH)
_WIDE = re.compile(
    rb"(?=((?:L\0){8}|(?:\0L){8}|(?:L\0\0\0){8}|(?:\0\0\0L){8}))".replace(
        b"L", b"[A-Za-z0-9^ ]"
    )
)
"""Text of two or four bytes a letter, in either byte order."""

_TWO = 2
_STEADY = 8
"""Steps of a curve may differ by one part in so many, and by two for rounding."""

# By their first byte doubles are 0, or from 2.5e-29 to 5.6e14, and no float is NaN or
# infinite: what is left of a double could be seven letters, of a NaN six.
_FLOATS = {
    ("FD", "<"): re.compile(rb"(?s:.{7}[\x3a-\x42\xba-\xc2]|\0{7}[\0\x80])*"),
    ("FD", ">"): re.compile(rb"(?s:[\x3a-\x42\xba-\xc2].{7}|[\0\x80]\0{7})*"),
    ("FL", "<"): re.compile(rb"(?s:..(?![\x80-\xff][\x7f\xff])..)*"),
    ("FL", ">"): re.compile(rb"(?s:(?![\x7f\xff][\x80-\xff])....)*"),
}


def are_numbers(vr: str, data: bytes, byte_order: str) -> bool:
    """Tell whether a value is what its VR says, and no text.

    Args:
        vr: FD, FL, SL, SS, SV, UL, US or UV.
        data: The value.
        byte_order: `<` for little endian, `>` for big endian.
    """
    floats = _FLOATS.get((vr, byte_order))
    if floats is not None and not floats.fullmatch(data):
        return False
    return not (holds_text(data) or _holds_wide_text(data))


def holds_text(data: bytes) -> bool:
    """Tell whether letters, digits, blanks or carets follow each other in `data`.

    Args:
        data: The value of an element of numbers, in either byte order. Blanks alone
            are numbers too.
    """
    found = _RUN.search(data)
    return found is not None and not found[0].isspace()


def _holds_wide_text(data: bytes) -> bool:
    """Tell whether there is wide text; numbers that count up look alike."""
    return any(
        not is_monotone(found[1].replace(b"\0", b"")) for found in _WIDE.finditer(data)
    )


def is_monotone(values: Sequence[int]) -> bool:
    """Tell whether values never fall, or never rise."""
    rising = sorted(values)
    return list(values) in (rising, rising[::-1])


def lettered_runs(data: bytes) -> list[int]:
    """Return where eight letters, digits, blanks or carets in a row begin.

    Args:
        data: Any bytes.
    """
    return [found.start() for found in _RUN_ANYWHERE.finditer(data)]


def is_curve(values: Sequence[int]) -> bool:
    """Tell whether values that look like letters are a piece of a curve.

    They are if they rise or fall steadily, or are two at most, each of a byte that is
    repeated.

    Args:
        values: A few neighbours.
    """
    steps = [after - before for before, after in pairwise(values)]
    if max(steps) - min(steps) <= 2 + max(map(abs, steps)) // _STEADY:
        return True
    different = set(values)
    return len(different) <= _TWO and all(value % 257 == 0 for value in different)
