"""What an e-mail says: the HTML that a person edited, made safe, and as plain text.

The sender is trusted with `share`, the HTML is not: it passed through a browser, and
DICOM tags such as the patient's name were pasted into it.
"""

import re
from html.parser import HTMLParser
from typing import Final

import nh3
from typing_extensions import override

PLACEHOLDER: Final = "{email-content}"
"""Where a layout template takes the content (protocol B.7)."""

_PAGE: Final = (
    '<!DOCTYPE html>\n<html><head><meta charset="utf-8"></head>'
    "<body>{email-content}</body></html>\n"
)
"""Layout of a mail without layout template."""

# fmt: off
_TAGS: Final = frozenset({
    "a", "abbr", "b", "blockquote", "br", "caption", "code", "col", "colgroup", "dd",
    "div", "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "li", "ol",
    "p", "pre", "s", "small", "span", "strong", "sub", "sup", "table", "tbody", "td",
    "tfoot", "th", "thead", "tr", "u", "ul",
})
"""Text, lists, tables. No images: remote ones tell when and where a mail is read."""

_STYLES: Final = frozenset({
    "background-color", "color", "font-family", "font-size", "font-style",
    "font-weight", "line-height", "text-align", "text-decoration", "text-indent",
    "vertical-align", "white-space", "width",
    "margin", "margin-bottom", "margin-left", "margin-right", "margin-top",
    "padding", "padding-bottom", "padding-left", "padding-right", "padding-top",
    "border", "border-collapse", "border-radius", "border-spacing",
})
"""What an editor sets; nothing that fetches, hides or covers."""
# fmt: on

_CLEANER: Final = nh3.Cleaner(
    tags=set(_TAGS),
    clean_content_tags={"script", "style", "title"},
    attributes={
        "*": {"style", "dir", "lang", "title"},
        "a": {"href"},
        "td": {"align", "colspan", "rowspan", "valign", "width"},
        "th": {"align", "colspan", "rowspan", "valign", "width"},
        "table": {"align", "border", "cellpadding", "cellspacing", "width"},
        "ol": {"start", "type"},
    },
    attribute_filter=lambda _tag, name, value: _without_urls(name, value),
    filter_style_properties=set(_STYLES),
    # A relative link has no meaning in a mail.
    url_schemes={"http", "https", "mailto", "tel"},
    url_relative="deny",
)

_FETCHES: Final = re.compile(r"url|image|src|\\|expression", re.IGNORECASE)
"""CSS that could fetch something, also when written with escapes."""


def _without_urls(name: str, value: str) -> str | None:
    """Drop a style that could fetch something."""
    return None if name == "style" and _FETCHES.search(value) else value


def sanitize(html: str) -> str:
    """Return the harmless part of `html`: no scripts, handlers, forms or images."""
    return _CLEANER.clean(html)


def page(content: str, layout: str | None) -> str:
    """Return the whole HTML document.

    Args:
        content: Sanitized.
        layout: Template of the site with the placeholder, trusted as it is.
    """
    return (layout if layout is not None else _PAGE).replace(PLACEHOLDER, content)


def to_text(html: str) -> str:
    """Return the text of an HTML document for readers that show no HTML."""
    reader = _TextReader()
    reader.feed(html)
    reader.close()
    return reader.text()


# fmt: off
_PARAGRAPHS: Final = frozenset({
    "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "pre", "table", "ul",
})
_LINES: Final = frozenset({
    "address", "article", "div", "dl", "dt", "footer", "header", "hr", "li", "main",
    "section", "tr",
})
# fmt: on
_SILENT: Final = frozenset({"head", "script", "style", "template", "title"})


class _TextReader(HTMLParser):
    """Collects text; a paragraph, a line of a list or table, a link: each its line."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._pieces: list[str] = []
        self._silent = 0
        self._links: list[tuple[str, int]] = []

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent += 1
        self._break(tag)
        if tag == "br":
            self._pieces.append("\n")
        elif tag == "li":
            self._pieces.append("- ")
        elif tag == "a":
            self._links.append((dict(attrs).get("href") or "", len(self._pieces)))

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag == "a" and self._links:
            self._end_link(*self._links.pop())
        elif tag in {"td", "th"}:
            self._pieces.append(" ")
        self._break(tag)

    @override
    def handle_data(self, data: str) -> None:
        text = re.sub(r"\s+", " ", data)
        if not self._silent and not (text == " " and self._is_at_line_start()):
            self._pieces.append(text)

    def _break(self, tag: str) -> None:
        """End the line, or the paragraph, where an HTML reader would."""
        if tag in _PARAGRAPHS:
            self._pieces.append("\n\n")
        elif tag in _LINES and not self._is_at_line_start():
            self._pieces.append("\n")

    def _is_at_line_start(self) -> bool:
        """Whether nothing stands on the present line."""
        return not self._pieces or self._pieces[-1].endswith("\n")

    def _end_link(self, href: str, start: int) -> None:
        """Write the address behind a link's text, unless it is the text."""
        shown = "".join(self._pieces[start:]).strip()
        if href and href.removeprefix("mailto:") != shown and not self._silent:
            self._pieces.append(f" <{href}> ")

    def text(self) -> str:
        """Return what was collected, without blanks at the ends of lines."""
        joined = "".join(self._pieces)
        lines = (re.sub(r" {2,}", " ", line).strip() for line in joined.split("\n"))
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"
