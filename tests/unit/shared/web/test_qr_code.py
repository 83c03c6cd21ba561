"""QR codes, read as a phone reads them."""

import io
import re
from xml.etree import ElementTree as ET

import pytest
import zxingcpp
from PIL import Image, ImageDraw

from orthanc_share.web.qr_code import QUIET_ZONE, SCALE, QrFormat, qr_code

LINK = "https://share.example.org/welcome/s/AbCdEfGhIjKlMnOpQr-_-w"
_SVG = "{http://www.w3.org/2000/svg}"
_STEP = re.compile(r"([Mmh])\s*(-?[\d.]+)(?:\s+(-?[\d.]+))?")


def picture_of_png(drawn: bytes) -> Image.Image:
    return Image.open(io.BytesIO(drawn)).convert("L")


def picture_of_svg(drawn: bytes) -> Image.Image:
    """Return what a browser shows of the code's path: strokes of one module."""
    root = ET.fromstring(drawn)  # noqa: S314 - our own
    size = int(root.attrib["viewBox"].split()[2])
    ground, strokes = root.findall(f"{_SVG}path")
    assert (ground.attrib["fill"], strokes.attrib["stroke"]) == ("#fff", "#000")
    picture = Image.new("L", (size, size), 255)
    pen = ImageDraw.Draw(picture)
    x = y = 0.0
    for kind, first, second in _STEP.findall(strokes.attrib["d"]):
        if kind == "h":
            pen.rectangle((x, int(y), x + float(first) - 1, int(y)), fill=0)
            x += float(first)
        else:
            x = float(first) + (x if kind == "m" else 0)
            y = float(second) + (y if kind == "m" else 0)
    return picture.resize((size * SCALE, size * SCALE), Image.Resampling.NEAREST)


PICTURE_OF = {QrFormat.SVG: picture_of_svg, QrFormat.PNG: picture_of_png}


@pytest.mark.parametrize("form", QrFormat)
@pytest.mark.parametrize("link", [LINK, "https://h.example/s/ä", "x" * 2000])
def test_a_reader_reads_the_link(form: QrFormat, link: str) -> None:
    picture = PICTURE_OF[form](qr_code(link, form))
    (found,) = zxingcpp.read_barcodes(picture)
    assert found.text == link
    assert found.ec_level == "M"


@pytest.mark.parametrize("form", QrFormat)
def test_around_the_code_is_white(form: QrFormat) -> None:
    picture = PICTURE_OF[form](qr_code(LINK, form))
    edge = QUIET_ZONE * SCALE
    dark = picture.point(lambda value: 255 - value).getbbox()
    assert dark == (edge, edge, picture.width - edge, picture.height - edge)


def test_an_svg_has_no_size_no_style_and_no_script() -> None:
    root = ET.fromstring(qr_code(LINK, QrFormat.SVG))  # noqa: S314 - our own
    assert root.attrib.keys() == {"viewBox", "class"}
    assert {one.tag for one in root.iter()} == {f"{_SVG}svg", f"{_SVG}path"}
    assert not [one for one in root.iter() if "style" in one.attrib]


def test_each_format_says_what_it_is() -> None:
    assert QrFormat.SVG.media_type == "image/svg+xml"
    assert QrFormat.PNG.media_type == "image/png"
