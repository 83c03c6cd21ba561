"""One page that a person can meet: what it is made of."""

from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus


def translatable(message: str) -> str:
    """Return `message` as it is; marks it for `pybabel extract`."""
    return message


class Form(Enum):
    """What a page asks of its reader."""

    NONE = "none"
    BUTTON = "button"
    PASSWORD = "password"  # noqa: S105 - the name of a form


@dataclass(frozen=True, slots=True)
class PageKind:
    """What one page says, in English; `locales/` holds the other languages.

    Args:
        name: Stable name: of its icon, of its template if it has one of its own, and
            in metrics.
        setting: What follows `TITLE_` and `MESSAGE_` in the names of its settings.
        status: Status code of the answer.
        title: Heading: what happened.
        message: One paragraph more; `{date}` stands for the instant that matters,
            `{count}` for the number.
        advice: What to do next, in order.
        can_retry: Whether the same link may work a little later.
        form: What the page asks for.
        note: A line below the form, where there is a number for it; `{count}`.
    """

    name: str
    setting: str
    status: HTTPStatus
    title: str
    message: str
    advice: tuple[str, ...]
    can_retry: bool = False
    form: Form = Form.NONE
    note: str = ""
