"""Colours that stay readable, whatever colour the site chooses (WCAG 2.2, level AA)."""

import re
from dataclasses import dataclass
from typing import Final

CONTRAST_MIN: Final = 4.5
"""Least contrast between text and what is behind it. Source: WCAG 2.2, 1.4.3."""

LIGHT_CARD: Final = "#ffffff"
"""What most text stands on in light mode; handed to `static/page.css`."""

DARK_CARD: Final = "#1b222b"
"""The same for dark mode."""

_TINT = 0.14
_STEPS = 50
_HEX = re.compile(r"#[0-9a-fA-F]{6}", re.ASCII)

Rgb = tuple[float, float, float]
"""Red, green, blue from 0 to 1, as sRGB."""


def is_colour(text: str) -> bool:
    """Tell whether `text` is a colour of the form `#rrggbb`."""
    return _HEX.fullmatch(text) is not None


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two `#rrggbb` colours, 1 to 21 (WCAG 2.2, 1.4.3)."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def mix(colour: str, other: str, share: float) -> str:
    """Return `colour` with a `share` (0 to 1) of `other` in it."""
    return _to_hex(
        *(
            one * (1 - share) + two * share
            for one, two in zip(_to_rgb(colour), _to_rgb(other), strict=True)
        )
    )


def text_on(background: str) -> str:
    """Return black or white, whichever reads better; one always has 4.5 or more."""
    white, black = "#ffffff", "#000000"
    reads_white = contrast(white, background) >= CONTRAST_MIN
    return white if reads_white else black


@dataclass(frozen=True, slots=True)
class Scheme:
    """Colours derived from the site's, for light or for dark mode.

    Args:
        accent: For text, icons and focus rings on the card and on the tint.
        tint: For calm areas behind an icon.
        button: For the background of the button.
        on_button: For its text.
    """

    accent: str
    tint: str
    button: str
    on_button: str


def scheme(colour: str, card: str) -> Scheme:
    """Return the colours for a card of the colour `card`, each with enough contrast."""
    towards = text_on(card)
    tint = mix(card, colour, _TINT)
    # The last candidate is black or white, which always passes.
    accent = next(
        candidate
        for candidate in (mix(colour, towards, n / _STEPS) for n in range(_STEPS + 1))
        if min(contrast(candidate, card), contrast(candidate, tint)) >= CONTRAST_MIN
    )
    return Scheme(accent, tint, accent, text_on(accent))


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(channel) for channel in _to_rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    # The constants of sRGB, as WCAG's definition of relative luminance has them.
    is_dark = channel <= 0.04045  # noqa: PLR2004 - see above
    return channel / 12.92 if is_dark else float(((channel + 0.055) / 1.055) ** 2.4)


def _to_rgb(colour: str) -> Rgb:
    value = int(colour[1:], 16)
    return (value >> 16) / 255, (value >> 8 & 255) / 255, (value & 255) / 255


def _to_hex(red: float, green: float, blue: float) -> str:
    return "#" + "".join(
        f"{round(channel * 255):02x}" for channel in (red, green, blue)
    )
