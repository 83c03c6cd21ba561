"""How the site presents itself: name, logo, colour, contact, own words."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from landing.colours import text_on

LOGO_BYTES_MAX: Final = 100_000
"""Largest logo, in bytes: it travels inside every page, which is one request."""

DEFAULT_COLOUR: Final = "#1f6091"
"""A calm blue."""

_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}
_SIGNATURES: Final = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
}
_REFERENCES = re.compile(
    r"(?P<mail>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)"
    r"|(?P<web>https?://[^\s<>\"]*[^\s<>\".,;:!?)])"
    r"|(?P<phone>\+[0-9](?:[ ()/.-]{0,2}[0-9]){5,17})",
    re.ASCII,
)
_LOCAL_PHONE = re.compile(r"[0-9](?:[ ()/.-]{0,2}[0-9]){4,17}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ContactPart:
    """A piece of the contact: plain text, or text with the link that it means.

    Args:
        text: What is shown.
        href: `mailto:`, `tel:` or the address of a page; None: plain text.
    """

    text: str
    href: str | None = None

    @property
    def is_mail(self) -> bool:
        """Whether a click writes an e-mail, which may name the reference."""
        return self.href is not None and self.href.startswith("mailto:")


@dataclass(frozen=True, slots=True)
class OwnText:
    """Words of the site that replace ours, in whatever language they are.

    Args:
        title: Heading; None: ours.
        message: What stands below it, instead of our message and advice; None: ours.
    """

    title: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The site as its pages show it.

    Args:
        name: Name of practice or hospital; None: a neutral, translated word.
        logo: The logo as `data:` URL; None: no logo.
        colour: The site's colour, `#rrggbb`.
        contact: Whom to ask for help.
        texts: Own words by `PageKind.setting`.
        texts_are_html: Whether the own messages are HTML, for which the site answers.
        language: Tag of the language for browsers that ask for none that we have.
        timezone: Zone in which instants are shown.
        viewers: Origins of the viewers, to which a form may lead.
    """

    name: str | None = None
    logo: str | None = None
    colour: str = DEFAULT_COLOUR
    contact: tuple[ContactPart, ...] = ()
    texts: Mapping[str, OwnText] = field(default_factory=dict)
    texts_are_html: bool = False
    language: str = "en"
    timezone: tzinfo = UTC
    viewers: tuple[str, ...] = ()

    @property
    def on_colour(self) -> str:
        """Black or white, whichever reads better on the colour."""
        return text_on(self.colour)


def contact_parts(text: str) -> tuple[ContactPart, ...]:
    """Return `text` cut into plain text and links.

    E-mail addresses, `http(s)` addresses and international phone numbers (`+49 …`)
    become links; so does a text that is nothing but a phone number.
    """
    if _LOCAL_PHONE.fullmatch(text):
        return (_link("phone", text),)
    parts: list[ContactPart] = []
    end = 0
    for found in _REFERENCES.finditer(text):
        if found.start() > end:
            parts.append(ContactPart(text[end : found.start()]))
        parts.append(_link(str(found.lastgroup), found.group()))
        end = found.end()
    if end < len(text):
        parts.append(ContactPart(text[end:]))
    return tuple(parts)


def _link(kind: str, text: str) -> ContactPart:
    if kind == "mail":
        return ContactPart(text, f"mailto:{text}")
    if kind == "phone":
        return ContactPart(text, "tel:" + re.sub(r"[^0-9+]", "", text))
    return ContactPart(text, text)


def origin_of(address: str) -> str:
    """Return the origin of an address as browsers write it (RFC 6454 6.2)."""
    parts = urlsplit(address.lower())
    return f"{parts.scheme}://{parts.netloc.removesuffix(_DEFAULT_PORTS[parts.scheme])}"


def logo_url(path: Path) -> str:
    """Return the image at `path` as a `data:` URL.

    Inside the page it needs no route of its own, works under any prefix, and
    never gives away who looks at it.

    Raises:
        ValueError: Too large, or not an SVG, PNG, JPEG, GIF or WebP image.
        OSError: The file cannot be read.
    """
    content = path.read_bytes()
    if len(content) > LOGO_BYTES_MAX:
        raise ValueError(f"larger than {LOGO_BYTES_MAX} bytes")
    return f"data:{_media_type(content)};base64,{base64.b64encode(content).decode()}"


def _media_type(content: bytes) -> str:
    for signature, media_type in _SIGNATURES.items():
        if content.startswith(signature):
            return media_type
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if re.search(rb"<svg[\s>]", content[:2000]):
        return "image/svg+xml"
    raise ValueError("not an SVG, PNG, JPEG, GIF or WebP image")
