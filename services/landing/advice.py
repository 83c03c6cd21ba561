"""What to do next, in lines that stand on more than one page."""

from typing import Final

from landing.page_kind import translatable

WAIT: Final = translatable("Wait a few minutes, then try again.")
"""For trouble that passes."""

CONTACT: Final = translatable(
    "If it still does not work later, contact the practice or hospital that sent you"
    " the link, and give them the reference at the bottom of this page."
)
"""For trouble that may not."""

OPEN_THE_MESSAGE: Final = translatable(
    "Open the message that you received, and use the link in it."
)
"""For who has a link, but not here."""

ASK_FOR_A_NEW_LINK: Final = translatable(
    "Ask the person or department that sent you the link for a new one."
)
"""For who has a link that will not work again."""

NEWER_MESSAGE: Final = translatable(
    "If you have received a newer message, use the link in that one."
)
"""For who may have another link."""

MIND_THE_LETTERS: Final = translatable(
    "Pay attention to capital and small letters, and leave no spaces before or after"
    " the password."
)
"""For who entered a wrong second factor."""

PASSWORD_IS_NOT_KNOWN: Final = translatable(
    "If you do not know the password, ask the person or department that sent you the"
    " link."
)
"""For who was not told the second factor."""

OPENINGS_LEFT: Final = translatable(
    "Number of times that this link can still be opened: {count}"
)
"""For who has a link with a limit."""
