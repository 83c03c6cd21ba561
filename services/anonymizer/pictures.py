"""Pictures for people: Orthanc renders what may be seen, and says nothing besides."""

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

from anonymizer.context import ShareContext
from anonymizer.entries import InstanceEntry
from anonymizer.examining import ImageFacts
from anonymizer.frame_source import shown_facts
from anonymizer.images import dicom_web_path
from anonymizer.masking import of_masked_image
from anonymizer.negotiation import JPEG, NotAcceptableError
from anonymizer.orthanc import SERVER, NotFoundError, RefusedError, media_type
from orthanc_share.deidentification import placeholder
from orthanc_share.deidentification.actions import DeidentificationError
from orthanc_share.deidentification.frames import frame_blanker
from orthanc_share.deidentification.gate import Verdict
from orthanc_share.deidentification.masked_image import MaskedImage
from orthanc_share.deidentification.rendering import Window, picture
from orthanc_share.domain.errors import UpstreamError
from orthanc_share.web.problems import RequestError

PICTURE_MAX: Final = 67_108_864
"""Longest picture, in bytes."""

SIDE_MAX: Final = 4096
"""Largest width and height that can be asked for, in pixels."""

_ROWS: Final = "00280010"
_COLUMNS: Final = "00280011"
_JPEG_BASELINE: Final = "1.2.840.10008.1.2.4.50"
_PNG_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_PNG_CHUNKS: Final = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
"""What a picture needs; text and times are not among it."""

_PNG_FRAME: Final = 12  # bytes of length, type and check sum of a chunk
_NUMBER: Final = r"[-+]?[0-9]{1,7}(?:\.[0-9]{0,6})?"
_VIEWPORT: Final = re.compile(r"([0-9]{1,4}),([0-9]{1,4})(?:,.*)?", re.ASCII)
_WINDOW: Final = re.compile(
    rf"({_NUMBER}),({_NUMBER})(?:,(linear|linear-exact|sigmoid))?",
    re.ASCII | re.IGNORECASE,
)
_QUALITY: Final = re.compile(r"[1-9][0-9]?|100", re.ASCII)


class UnreadableRenderingError(RequestError):
    """A way to render that is not understood; nothing of it is repeated."""

    code = "unreadable_rendering"

    def __init__(self) -> None:
        detail = "The viewport, window or quality is not understood."
        super().__init__(HTTPStatus.BAD_REQUEST, detail)


@dataclass(frozen=True, slots=True)
class Rendering:
    """How a picture is made.

    Args:
        viewport: Width and height that it must fit into, in pixels.
        window: Center and width, and the function between, of the values shown.
        quality: Of a JPEG, 1 to 100.
    """

    viewport: tuple[int, int] | None = None
    window: tuple[float, float, str] | None = None
    quality: int | None = None

    @classmethod
    def read(cls, viewport: str, window: str, quality: str) -> "Rendering":
        """Read the query parameters of PS3.18 8.3.5; empty ones are absent.

        Raises:
            UnreadableRenderingError: One is not understood.
        """
        return cls(
            None if not viewport else _viewport(viewport),
            None if not window else _window(window),
            None if not quality else int(_matched(_QUALITY, quality)[0]),
        )

    def query(self, kind: str) -> str:
        """Return the query for Orthanc, with `?`, empty if there is nothing to say."""
        named: dict[str, str] = {}
        if self.viewport is not None:
            named["viewport"] = f"{self.viewport[0]},{self.viewport[1]}"
        if self.window is not None:
            center, width, function = self.window
            named["window"] = f"{center:g},{width:g},{function}"
        if self.quality is not None and kind == JPEG:
            named["quality"] = str(self.quality)
        return f"?{urlencode(named, safe=',')}" if named else ""


def _viewport(text: str) -> tuple[int, int]:
    found = _matched(_VIEWPORT, text)
    width, height = int(found[1]), int(found[2])
    if not (0 < width <= SIDE_MAX and 0 < height <= SIDE_MAX):
        raise UnreadableRenderingError
    return width, height


def _window(text: str) -> tuple[float, float, str]:
    found = _matched(_WINDOW, text)
    width = float(found[2])
    if width <= 0:
        raise UnreadableRenderingError
    return float(found[1]), width, (found[3] or "linear").lower()


def _matched(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    found = pattern.fullmatch(text)
    if found is None:
        raise UnreadableRenderingError
    return found


async def rendered(
    context: ShareContext,
    entry: InstanceEntry,
    kind: str,
    rendering: Rendering,
    frame: int = 1,
) -> bytes:
    """Return a frame as a picture.

    Args:
        context: The share.
        entry: The instance.
        kind: Media type, JPEG or PNG.
        rendering: How.
        frame: Number of the frame, from 1.

    Raises:
        NotFoundError: There is no such frame, or the instance has no pixels.
        NotAcceptableError: Orthanc cannot make a picture of it.
        UpstreamError: Orthanc does not answer, or not as it should.
    """
    facts = await shown_facts(context, entry)
    if frame > facts.frames:
        raise NotFoundError
    context.metrics.served(facts)
    if facts.is_blocked:
        return stand_in(facts, kind, rendering.viewport)
    if facts.verdict is not None and facts.is_masked:
        return await _masked(
            context, entry, facts.verdict, kind, rendering, frame=frame
        )
    if not facts.has_pixels:
        raise NotFoundError
    return await _asked(context, entry, kind, rendering, frame)


def stand_in(
    facts: ImageFacts, kind: str, viewport: tuple[int, int] | None = None
) -> bytes:
    """Return the picture of a placeholder.

    Args:
        facts: Of an instance that is blocked.
        kind: Media type, JPEG or PNG.
        viewport: Width and height; None: as large as its metadata say.
    """
    columns, rows = viewport or (
        facts.shown[tag]["Value"][0] for tag in (_COLUMNS, _ROWS)
    )
    return placeholder.rendered(kind, facts.reason, rows, columns)


async def _masked(
    context: ShareContext,
    entry: InstanceEntry,
    verdict: Verdict,
    kind: str,
    rendering: Rendering,
    *,
    frame: int,
) -> bytes:
    window = None
    if rendering.window is not None:
        window = Window(*rendering.window[:2])

    def made(image: MaskedImage) -> bytes:
        return picture(
            image, kind, number=frame, viewport=rendering.viewport, window=window
        )

    return await of_masked_image(context, entry, verdict, made)


async def _asked(
    context: ShareContext,
    entry: InstanceEntry,
    kind: str,
    rendering: Rendering,
    frame: int,
) -> bytes:
    path = f"{dicom_web_path(entry)}/frames/{frame}/rendered{rendering.query(kind)}"
    try:
        async with context.orthanc.stream(path, kind) as answer:
            # Of a document or a video Orthanc would send the file, whatever was asked.
            if media_type(answer.content_type) != kind:
                raise UpstreamError(f"{SERVER} answered with another media type.")
            received = await answer.read(PICTURE_MAX)
    except RefusedError:
        raise NotAcceptableError from None  # it cannot decode the pixels
    return clean_picture(received, kind)


def clean_picture(received: bytes, kind: str) -> bytes:
    """Return a picture without what is not needed to show it.

    Args:
        received: JPEG or PNG.
        kind: Its media type.

    Raises:
        DeidentificationError: It is not what it says.
    """
    return _clean_jpeg(received) if kind == JPEG else _clean_png(received)


def _clean_jpeg(received: bytes) -> bytes:
    cleaner = frame_blanker(_JPEG_BASELINE)
    cleaned = cleaner.feed(received)
    cleaner.finish()
    return bytes(cleaned)


def _clean_png(received: bytes) -> bytes:
    """Keep the chunks that a picture needs, up to its end."""
    if not received.startswith(_PNG_SIGNATURE):
        raise _no_picture()
    kept, at = [_PNG_SIGNATURE], len(_PNG_SIGNATURE)
    while True:
        kind = received[at + 4 : at + 8]
        end = at + _PNG_FRAME + int.from_bytes(received[at : at + 4])
        if not kind or end > len(received):
            raise _no_picture()
        if kind in _PNG_CHUNKS:
            kept.append(received[at:end])
        if kind == b"IEND":
            return b"".join(kept)
        at = end


def _no_picture() -> DeidentificationError:
    return DeidentificationError("A picture of Orthanc is none.")
