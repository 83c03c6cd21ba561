"""Members of a creation body that are spelt so that they would be passed over.

Callers of the predecessors send more than anybody knows, so that unknown members are
ignored. But a link whose limit or password was ignored is open to everybody who has it,
and one that was to be de-identified shows the patient.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from token_service.wire import kebab

GUARDED = (
    *("title", "not-before", "max-openings", "password", "notify"),
    *("anonymized", "expiration-date", "validity-duration"),
)
"""Members that nobody may believe to hold in vain."""


def _letters(name: str) -> str:
    return "".join(mark for mark in name.casefold() if mark.isalnum())


_MEANT = {_letters(name): name for name in GUARDED} | {
    "maxopening": "max-openings",
    "anonymised": "anonymized",
}


def clearly_spelt(content: Any, fields: Iterable[str]) -> Any:
    """Return a body whose members say what they mean.

    Args:
        content: The body.
        fields: Names of the members that are known, with underscores.

    Raises:
        ValueError: A member is nearly one of `GUARDED`, or both spellings of a member
            are there and mean two things. The text shows nothing of the body.
    """
    if isinstance(content, Mapping):
        for name in content:
            _refuse_near_miss(name)
        for field in fields:
            _refuse_two_meanings(content, field)
    return content


def _refuse_near_miss(name: str) -> None:
    meant = _MEANT.get(_letters(name))
    if meant is not None and kebab(name) != meant:
        raise ValueError(f"has a member that is nearly {meant}: spell it so")


def _refuse_two_meanings(content: Mapping[str, Any], field: str) -> None:
    alias = kebab(field)
    if alias == field or not {alias, field} <= content.keys():
        return
    if content[alias] != content[field]:
        raise ValueError(f"names {alias} twice, and means two things")
