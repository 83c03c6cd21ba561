"""The pages that a person can meet instead of the images.

To add a page: one more `PageKind` here and in `ALL`, its icon in `templates/icons/`,
its two settings in `settings.py`, and its texts in `locales/` (see the README there).
The tests find everything that was forgotten.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final


def translatable(message: str) -> str:
    """Return `message` as it is; marks it for `pybabel extract`."""
    return message


@dataclass(frozen=True, slots=True)
class PageKind:
    """What one page says, in English; `locales/` holds the other languages.

    Args:
        name: Stable name: of its icon, of its template if it has one of its own, and
            in metrics.
        setting: What follows `TITLE_` and `MESSAGE_` in the names of its settings.
        status: Status code of the answer.
        title: Heading: what happened.
        message: One paragraph more; `{date}` stands for the instant that matters.
        advice: What to do next, in order.
        can_retry: Whether the same link may work a little later.
    """

    name: str
    setting: str
    status: HTTPStatus
    title: str
    message: str
    advice: tuple[str, ...]
    can_retry: bool = False


_WAIT: Final = translatable("Wait a few minutes, then try again.")
_CONTACT: Final = translatable(
    "If it still does not work later, contact the practice or hospital that sent you"
    " the link, and give them the reference at the bottom of this page."
)
_OPEN_THE_MESSAGE: Final = translatable(
    "Open the message that you received, and use the link in it."
)

EXPIRED: Final = PageKind(
    name="expired",
    setting="EXPIRED_TOKEN",
    status=HTTPStatus.GONE,
    title=translatable("This link has expired"),
    message=translatable(
        "It could be used until {date}. To protect your privacy, links to medical"
        " images only work for a limited time."
    ),
    advice=(
        translatable(
            "Ask the person or department that sent you the link for a new one."
        ),
        translatable("If you have received a newer message, use the link in that one."),
    ),
)
"""The share was valid once."""

INVALID: Final = PageKind(
    name="invalid",
    setting="INVALID_TOKEN",
    status=HTTPStatus.NOT_FOUND,
    title=translatable("This link is incomplete or incorrect"),
    message=translatable(
        "A part of it may be missing. E-mail programs sometimes break a long link into"
        " two lines, and then only the first line is opened."
    ),
    advice=(
        translatable("Go back to the message, and open the link again."),
        translatable(
            "If that does not help, copy the whole link, from “https” to its very last"
            " character, into the address bar of your browser, without any spaces or"
            " line breaks."
        ),
        translatable(
            "If it still does not work, ask the person or department that sent you the"
            " link for a new one."
        ),
    ),
)
"""The token is cut, mistyped, foreign or given twice."""

MISSING: Final = PageKind(
    name="missing",
    setting="MISSING_TOKEN",
    status=HTTPStatus.NOT_FOUND,
    title=translatable("You need a link to open images here"),
    message=translatable(
        "Medical images that were shared with you open from this address, but only with"
        " the personal link that you were sent."
    ),
    advice=(
        _OPEN_THE_MESSAGE,
        translatable(
            "If you have not received a link, ask the practice or hospital that has"
            " your images."
        ),
    ),
)
"""Nobody gave a token: the bare address, or a page that does not exist."""

NOT_ALLOWED: Final = PageKind(
    name="not-allowed",
    setting="NOT_ALLOWED",
    status=HTTPStatus.FORBIDDEN,
    title=translatable("This link cannot be opened here"),
    message=translatable("The link is genuine, but it was not made for this page."),
    advice=(
        translatable("Open the link in the program or on the page where you found it."),
        translatable(
            "If it was sent to you in a message, tell the sender that it cannot be"
            " opened, and ask for a new one."
        ),
    ),
)
"""Signed by us, but of a kind or flavour that this site does not open."""

NOT_YET_VALID: Final = PageKind(
    name="not-yet-valid",
    setting="NOT_YET_VALID",
    status=HTTPStatus.FORBIDDEN,
    title=translatable("This link does not work yet"),
    message=translatable("You can use it from {date}."),
    advice=(
        translatable("Keep the message, and open the link again at that time."),
        translatable(
            "If you need the images earlier, ask the person or department that sent you"
            " the link."
        ),
    ),
)
"""The share starts later."""

UNAVAILABLE: Final = PageKind(
    name="unavailable",
    setting="UNAVAILABLE",
    status=HTTPStatus.SERVICE_UNAVAILABLE,
    title=translatable("The images cannot be opened right now"),
    message=translatable(
        "Your link is fine, but a part of our system is not responding at the moment."
    ),
    advice=(_WAIT, _CONTACT),
    can_retry=True,
)
"""MedDream, or whatever else is needed, does not answer."""

ERROR: Final = PageKind(
    name="error",
    setting="ERROR",
    status=HTTPStatus.INTERNAL_SERVER_ERROR,
    title=translatable("Something went wrong on our side"),
    message=translatable(
        "An unexpected error kept us from opening the link. You did nothing wrong."
    ),
    advice=(_WAIT, _CONTACT),
    can_retry=True,
)
"""A mistake in this program."""

UNSUPPORTED: Final = PageKind(
    name="unsupported",
    setting="UNSUPPORTED",
    status=HTTPStatus.METHOD_NOT_ALLOWED,
    title=translatable("This page cannot do that"),
    message=translatable("Links can be opened here, but nothing can be sent here."),
    advice=(_OPEN_THE_MESSAGE,),
)
"""A method other than GET and HEAD."""

ALL: Final = (
    EXPIRED,
    INVALID,
    MISSING,
    NOT_ALLOWED,
    NOT_YET_VALID,
    UNAVAILABLE,
    ERROR,
    UNSUPPORTED,
)
"""Every page, for start-up checks, settings and tests."""
