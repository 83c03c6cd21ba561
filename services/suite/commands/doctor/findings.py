"""What was found, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Args:
        grade: How bad it is.
        check: Stable name of what was looked at.
        text: What was found; holds no secret.
        advice: What to change; empty if nothing.
    """

    grade: Grade
    check: str
    text: str
    advice: str = ""

    def to_json(self) -> dict[str, str | None]:
        """Return the finding for programs."""
        return {
            "grade": self.grade,
            "check": self.check,
            "text": self.text,
            "advice": self.advice or None,
        }


def ok(check: str, text: str) -> Finding:
    """Return that all is well."""
    return Finding(Grade.OK, check, text)


def warning(check: str, text: str, advice: str) -> Finding:
    """Return what may be meant so, or cannot be judged from here."""
    return Finding(Grade.WARNING, check, text, advice)


def error(check: str, text: str, advice: str) -> Finding:
    """Return what does not work."""
    return Finding(Grade.ERROR, check, text, advice)
