"""Links as QR codes (ISO/IEC 18004), for a letter or another screen."""

from enum import StrEnum
from io import BytesIO

import segno

ERROR_CORRECTION = "M"
"""Level of error correction: 15 % of the code may be damaged."""

QUIET_ZONE = 4
"""Modules of white around the code. Source: ISO/IEC 18004, 5.3.8."""

SCALE = 8
"""Pixels of a module in a PNG."""


class QrFormat(StrEnum):
    """How a code is drawn; the names are those of files."""

    SVG = "svg"
    PNG = "png"

    @property
    def media_type(self) -> str:
        """Media type of the drawing."""
        return "image/svg+xml" if self is QrFormat.SVG else "image/png"


def qr_code(text: str, form: QrFormat) -> bytes:
    """Return a picture of the QR code of `text`, black on white.

    An SVG has no size of its own, so that a page gives it one.

    Args:
        text: A link; up to 2,331 bytes fit.
        form: How it is drawn.
    """
    code = segno.make_qr(text, error=ERROR_CORRECTION, boost_error=False)
    drawn = BytesIO()
    if form is QrFormat.SVG:
        # White, for a dark page would hide the code.
        code.save(
            drawn, kind=form, border=QUIET_ZONE, light="#fff", omitsize=True, nl=False
        )
    else:
        code.save(drawn, kind=form, border=QUIET_ZONE, scale=SCALE)
    return drawn.getvalue()
