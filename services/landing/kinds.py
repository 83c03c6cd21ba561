"""The pages that a person can meet instead of the images.

To add a page: one more `PageKind` here and in `ALL`, its icon in `templates/icons/`,
its two settings in `settings.py`, and its texts in `locales/` (see the README there).
The tests find everything that was forgotten.
"""

from http import HTTPStatus
from typing import Final

from landing.advice import (
    ASK_FOR_A_NEW_LINK,
    CONTACT,
    MIND_THE_LETTERS,
    NEWER_MESSAGE,
    OPEN_THE_MESSAGE,
    OPENINGS_LEFT,
    PASSWORD_IS_NOT_KNOWN,
    WAIT,
)
from landing.page_kind import Form, PageKind, translatable

EXPIRED: Final = PageKind(
    name="expired",
    setting="EXPIRED_TOKEN",
    status=HTTPStatus.GONE,
    title=translatable("This link has expired"),
    message=translatable(
        "It could be used until {date}. To protect your privacy, links to medical"
        " images only work for a limited time."
    ),
    advice=(ASK_FOR_A_NEW_LINK, NEWER_MESSAGE),
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
        OPEN_THE_MESSAGE,
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

REVOKED: Final = PageKind(
    name="revoked",
    setting="REVOKED",
    status=HTTPStatus.GONE,
    title=translatable("This link has been withdrawn"),
    message=translatable(
        "The practice or hospital that sent you the link has ended it, so it no longer"
        " opens any images."
    ),
    advice=(
        NEWER_MESSAGE,
        translatable(
            "If you still need the images, ask the person or department that sent you"
            " the link."
        ),
    ),
)
"""The share was taken back."""

USED_UP: Final = PageKind(
    name="used-up",
    setting="USED_UP",
    status=HTTPStatus.GONE,
    title=translatable("This link has already been used"),
    message=translatable(
        "To protect your privacy, it could only be opened a limited number of times."
    ),
    advice=(
        translatable(
            "If you opened it yourself a short while ago, open it again in the same"
            " browser on the same device."
        ),
        ASK_FOR_A_NEW_LINK,
        translatable(
            "If you have not opened it yet, tell the sender: somebody else may have"
            " used it."
        ),
    ),
)
"""The share was opened as often as was agreed."""

ASK: Final = PageKind(
    name="ask",
    setting="ASK",
    status=HTTPStatus.OK,
    title=translatable("The images are ready"),
    message=translatable("They open when you press the button."),
    advice=(),
    form=Form.BUTTON,
    note=OPENINGS_LEFT,
)
"""The link opens when the button is pressed."""

ASK_PASSWORD: Final = PageKind(
    name="ask-password",
    setting="ASK_PASSWORD",
    status=HTTPStatus.OK,
    title=translatable("Enter the password to see the images"),
    message=translatable(
        "To protect your privacy, this link opens only with the password that you were"
        " given."
    ),
    advice=(PASSWORD_IS_NOT_KNOWN,),
    form=Form.PASSWORD,
    note=OPENINGS_LEFT,
)
"""The link opens with the second factor."""

WRONG_PASSWORD: Final = PageKind(
    name="wrong-password",
    setting="WRONG_PASSWORD",
    status=HTTPStatus.FORBIDDEN,
    title=translatable("This password is not correct"),
    message=translatable(
        "Check it, and enter it once more. Tries left before you have to wait: {count}."
    ),
    advice=(MIND_THE_LETTERS, PASSWORD_IS_NOT_KNOWN),
    form=Form.PASSWORD,
)
"""The second factor was wrong."""

LOCKED: Final = PageKind(
    name="locked",
    setting="LOCKED",
    status=HTTPStatus.TOO_MANY_REQUESTS,
    title=translatable("Please wait before you try again"),
    message=translatable(
        "A wrong password was entered too many times. To protect your privacy, the next"
        " try is possible from {date}."
    ),
    advice=(
        translatable("Wait until then, and open the link again."),
        PASSWORD_IS_NOT_KNOWN,
    ),
    can_retry=True,
)
"""The second factor was wrong too often."""

STALE_FORM: Final = PageKind(
    name="stale-form",
    setting="STALE_FORM",
    status=HTTPStatus.FORBIDDEN,
    title=translatable("Please open the link again"),
    message=translatable(
        "The page had been open for too long, or your browser did not keep its cookie."
        " Nothing has been lost: your link was not used."
    ),
    advice=(
        OPEN_THE_MESSAGE,
        translatable(
            "If this page appears again, allow cookies for it in your browser, or use"
            " another browser."
        ),
    ),
    can_retry=True,
)
"""The form did not come from the page that this browser had."""

UNCHECKED: Final = PageKind(
    name="unchecked",
    setting="UNCHECKED",
    status=HTTPStatus.SERVICE_UNAVAILABLE,
    title=translatable("Your link cannot be checked right now"),
    message=translatable(
        "A part of our system is not responding at the moment. You did nothing wrong."
    ),
    advice=(WAIT, CONTACT),
    can_retry=True,
)
"""The registry of shares does not answer."""

UNAVAILABLE: Final = PageKind(
    name="unavailable",
    setting="UNAVAILABLE",
    status=HTTPStatus.SERVICE_UNAVAILABLE,
    title=translatable("The images cannot be opened right now"),
    message=translatable(
        "Your link is fine, but a part of our system is not responding at the moment."
    ),
    advice=(WAIT, CONTACT),
    can_retry=True,
)
"""MedDream does not answer."""

ERROR: Final = PageKind(
    name="error",
    setting="ERROR",
    status=HTTPStatus.INTERNAL_SERVER_ERROR,
    title=translatable("Something went wrong on our side"),
    message=translatable(
        "An unexpected error kept us from opening the link. You did nothing wrong."
    ),
    advice=(WAIT, CONTACT),
    can_retry=True,
)
"""A mistake in this program."""

UNSUPPORTED: Final = PageKind(
    name="unsupported",
    setting="UNSUPPORTED",
    status=HTTPStatus.METHOD_NOT_ALLOWED,
    title=translatable("This page cannot do that"),
    message=translatable("Links can be opened here, but nothing can be sent here."),
    advice=(OPEN_THE_MESSAGE,),
)
"""A method that nothing here takes."""

ALL: Final = (
    EXPIRED,
    INVALID,
    MISSING,
    NOT_ALLOWED,
    NOT_YET_VALID,
    REVOKED,
    USED_UP,
    ASK,
    ASK_PASSWORD,
    WRONG_PASSWORD,
    LOCKED,
    STALE_FORM,
    UNCHECKED,
    UNAVAILABLE,
    ERROR,
    UNSUPPORTED,
)
"""Every page, for start-up checks, settings and tests."""
