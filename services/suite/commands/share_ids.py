"""Ids of shares on a command line, where an old one may begin with a hyphen."""

import re
import sys

from orthanc_share.domain.share import SHARE_ID_LENGTH
from suite.commands.output import fail, shown

STANDARD_INPUT = "-"
"""Stands for standard input, with an id on each line."""

ANY_TEXT = {"ignore_unknown_options": True}
"""Settings of a command whose arguments may begin with a hyphen."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,256}", re.ASCII)


def share_ids(given: list[str]) -> list[str]:
    """Return the ids that are meant, each once; `-` is replaced by standard input.

    What cannot be an id ends the program with a line.
    """
    ids: list[str] = []
    for text in given:
        ids += sys.stdin.read().split() if text == STANDARD_INPUT else [text]
    return [share_id(text) for text in dict.fromkeys(ids)]


def share_id(given: str) -> str:
    """Return one id; what cannot be one ends the program with a line."""
    if given.startswith("-") and len(given) != SHARE_ID_LENGTH:
        fail(f"There is no option {shown(given.partition('=')[0])}.")
    if not _ID.fullmatch(given):
        fail("The id of a share has letters, digits, _ and - only.")
    return given
