"""Whether binary numbers are text in disguise: `DOE JOHN` is one double as well."""

import re

RUN_LENGTH = 8
"""Bytes in a row that make a text. One number of 8 bytes, or several shorter ones.

True doubles look so only from 131,072 on, and then one of 100,000 does; true integers
and floats, only if several neighbours do.
"""

_RUN = re.compile(rb"[A-Za-z0-9^ ]{%d}" % RUN_LENGTH)


def holds_text(data: bytes) -> bool:
    """Tell whether letters, digits, blanks or carets follow each other in `data`.

    Args:
        data: The value of an element of FD, FL, SL, SS, SV, UL, US or UV, in either
            byte order. Blanks alone are numbers too.
    """
    found = _RUN.search(data)
    return found is not None and not found[0].isspace()
